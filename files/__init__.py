"""Clips and folders on disk, for training and export alike.

The lowest floor of the house: NumPy, soundfile and soxr, never TensorFlow or
Keras, so that a clip can be read and a prediction made where neither is
installed.
"""
