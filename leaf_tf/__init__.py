"""LEAF, the learnable audio frontend, and its rivals as Keras 3 layers."""

from leaf_tf import encoders
from leaf_tf.frontends import (
    EfficientLeaf,
    Leaf,
    MelFilterbanks,
    SincNet,
    SincNetPlus,
    TimeDomainFilterbanks,
    Wavegram,
)
from leaf_tf.layers import (
    PCEN,
    GaborConv1D,
    GaussianLowpass,
    LogCompression,
    PreEmphasis,
    SpecAugment,
    SquaredModulus,
)
from leaf_tf.replanning import Replan, replan
from leaf_tf.version import __version__
from leaf_tf.weights import export_weights, import_weights

__all__ = [
    "EfficientLeaf",
    "GaborConv1D",
    "GaussianLowpass",
    "Leaf",
    "LogCompression",
    "MelFilterbanks",
    "PCEN",
    "PreEmphasis",
    "Replan",
    "SincNet",
    "SincNetPlus",
    "SpecAugment",
    "SquaredModulus",
    "TimeDomainFilterbanks",
    "Wavegram",
    "__version__",
    "encoders",
    "export_weights",
    "import_weights",
    "replan",
]
