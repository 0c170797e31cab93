"""Artifacts measured beside Keras, and what is said of them."""
