"""The contract of writers and runners; imports neither TensorFlow nor Keras."""
