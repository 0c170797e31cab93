"""What a task is, before anything learns from it: python -m training inspect."""
