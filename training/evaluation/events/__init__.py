"""Detected events judged against the events of a reference."""
