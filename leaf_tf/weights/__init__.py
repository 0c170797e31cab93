"""Weights of other implementations of LEAF, read and written by their names."""

from leaf_tf.weights.transfer import SOURCES, export_weights, import_weights

__all__ = ["SOURCES", "export_weights", "import_weights"]
