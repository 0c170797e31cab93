"""The bytes of a `.tflite` file; imports neither TensorFlow nor Keras."""
