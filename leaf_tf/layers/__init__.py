"""The stages of a frontend, one a file."""

from leaf_tf.layers.batch_norm import BatchNormalization
from leaf_tf.layers.fake_quantize import (
    FakeQuantize,
    fake_quantize,
    fake_quantize_weights,
)
from leaf_tf.layers.gabor import GaborConv1D
from leaf_tf.layers.log import LogCompression
from leaf_tf.layers.log1p import Log1pCompression
from leaf_tf.layers.loudness_norm import LoudnessNorm
from leaf_tf.layers.lowpass import GaussianLowpass
from leaf_tf.layers.masks import AttachMask
from leaf_tf.layers.mean_var_norm import MeanVarNorm
from leaf_tf.layers.median_subtraction import MedianSubtraction
from leaf_tf.layers.modulus import SquaredModulus
from leaf_tf.layers.multi_rate_pcen import MultiRatePCEN
from leaf_tf.layers.pcen import PCEN
from leaf_tf.layers.preemphasis import PreEmphasis
from leaf_tf.layers.simplified_pcen import SimplifiedPCEN
from leaf_tf.layers.sinc import SincConv1D
from leaf_tf.layers.spec_augment import SpecAugment
from leaf_tf.layers.temporal_batch_norm import TemporalBatchNorm

__all__ = [
    "AttachMask",
    "BatchNormalization",
    "FakeQuantize",
    "GaborConv1D",
    "GaussianLowpass",
    "Log1pCompression",
    "LogCompression",
    "LoudnessNorm",
    "MeanVarNorm",
    "MedianSubtraction",
    "MultiRatePCEN",
    "PCEN",
    "PreEmphasis",
    "SimplifiedPCEN",
    "SincConv1D",
    "SpecAugment",
    "SquaredModulus",
    "TemporalBatchNorm",
    "fake_quantize",
    "fake_quantize_weights",
]
