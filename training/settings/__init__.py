"""The settings of a run: declared once, saved beside the model."""
