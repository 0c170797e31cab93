"""Evaluation: a run tested, measured, drawn."""
