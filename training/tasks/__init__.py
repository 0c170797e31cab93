"""Tasks: where clips come from, their labels and their splits."""
