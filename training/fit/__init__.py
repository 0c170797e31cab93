"""Training: a run from its config to a finished folder, and what it learns later."""
