"""The stages of a frontend, one a file."""

from leaf_tf.layers.gabor import GaborConv1D
from leaf_tf.layers.log import LogCompression
from leaf_tf.layers.lowpass import GaussianLowpass
from leaf_tf.layers.masks import AttachMask
from leaf_tf.layers.mean_var_norm import MeanVarNorm
from leaf_tf.layers.modulus import SquaredModulus
from leaf_tf.layers.pcen import PCEN
from leaf_tf.layers.preemphasis import PreEmphasis
from leaf_tf.layers.spec_augment import SpecAugment

__all__ = [
    "AttachMask",
    "GaborConv1D",
    "GaussianLowpass",
    "LogCompression",
    "MeanVarNorm",
    "PCEN",
    "PreEmphasis",
    "SpecAugment",
    "SquaredModulus",
]
