"""Trains and evaluates classifiers of waveforms: `python -m training --help`."""
