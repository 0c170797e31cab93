"""LEAF, the learnable audio frontend, and its rivals as Keras 3 layers."""

import importlib
from typing import TYPE_CHECKING

from leaf_tf import encoders, streaming
from leaf_tf.augment import AdditiveNoise, Mixup
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
    Log1pCompression,
    LogCompression,
    LoudnessNorm,
    MeanVarNorm,
    MedianSubtraction,
    MultiRatePCEN,
    PreEmphasis,
    SimplifiedPCEN,
    SincConv1D,
    SpecAugment,
    SquaredModulus,
    TemporalBatchNorm,
)
from leaf_tf.optimizers import ScaledAdam
from leaf_tf.replanning import Replan, replan
from leaf_tf.version import __version__
from leaf_tf.weights import export_weights, import_weights

if TYPE_CHECKING:
    from leaf_tf import visualize

__all__ = [
    "AdditiveNoise",
    "EfficientLeaf",
    "GaborConv1D",
    "GaussianLowpass",
    "Leaf",
    "Log1pCompression",
    "LogCompression",
    "LoudnessNorm",
    "MeanVarNorm",
    "MedianSubtraction",
    "MelFilterbanks",
    "Mixup",
    "MultiRatePCEN",
    "PCEN",
    "PreEmphasis",
    "Replan",
    "ScaledAdam",
    "SimplifiedPCEN",
    "SincConv1D",
    "SincNet",
    "SincNetPlus",
    "SpecAugment",
    "SquaredModulus",
    "TemporalBatchNorm",
    "TimeDomainFilterbanks",
    "Wavegram",
    "__version__",
    "encoders",
    "export_weights",
    "import_weights",
    "replan",
    "streaming",
    "visualize",
]


def __getattr__(name):
    # Loaded where it is first used: it costs time, and its figures want matplotlib.
    if name == "visualize":
        return importlib.import_module("leaf_tf.visualize")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
