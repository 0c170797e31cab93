"""Artifacts at work; only a SavedModel needs TensorFlow, and loads it itself."""
