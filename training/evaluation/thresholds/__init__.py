"""Thresholds chosen on the validation clips of a run, and checked on its test clips."""
