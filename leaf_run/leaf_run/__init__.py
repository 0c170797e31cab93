"""Runs the audio models that leaf_tf exports, where TensorFlow is not installed."""
