"""What writers and runners agree on; imports neither TensorFlow nor Keras."""
