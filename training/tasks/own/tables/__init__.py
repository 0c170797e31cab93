"""Tables of clips as people have them, read into entries; imports no TensorFlow."""
