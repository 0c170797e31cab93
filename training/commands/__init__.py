"""The command lines of `python -m training`."""
