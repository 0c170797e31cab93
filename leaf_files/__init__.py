"""Clips and folders on disk, for training and export alike.

The lowest floor of the house: NumPy, soundfile and soxr, so that a clip can be
read and a prediction made where neither TensorFlow nor Keras is installed;
`quiet` imports them, without their greetings, for those who ask.
"""
