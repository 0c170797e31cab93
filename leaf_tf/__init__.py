"""LEAF, the learnable audio frontend, and its rivals as Keras 3 layers."""

from leaf_tf import encoders
from leaf_tf.frontends import Leaf, MelFilterbanks
from leaf_tf.layers import (
    PCEN,
    GaborConv1D,
    GaussianLowpass,
    LogCompression,
    PreEmphasis,
    SquaredModulus,
)
from leaf_tf.replanning import Replan, replan
from leaf_tf.version import __version__
from leaf_tf.weights import import_weights

__all__ = [
    "GaborConv1D",
    "GaussianLowpass",
    "Leaf",
    "LogCompression",
    "MelFilterbanks",
    "PCEN",
    "PreEmphasis",
    "Replan",
    "SquaredModulus",
    "__version__",
    "encoders",
    "import_weights",
    "replan",
]
