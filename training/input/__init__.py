"""The input pipeline: from clips to batches of windows and targets."""
