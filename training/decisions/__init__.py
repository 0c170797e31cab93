"""How probabilities become decisions: calibration, thresholds, none of these."""
