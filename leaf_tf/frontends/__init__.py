"""Frontends: waveform in, features out; composition of layers only."""

from leaf_tf.frontends.base import Frontend
from leaf_tf.frontends.efficient_leaf import EfficientLeaf
from leaf_tf.frontends.leaf import Leaf
from leaf_tf.frontends.mel_filterbanks import MelFilterbanks
from leaf_tf.frontends.sincnet import SincNet, SincNetPlus
from leaf_tf.frontends.time_domain_filterbanks import TimeDomainFilterbanks
from leaf_tf.frontends.wavegram import Wavegram

# All of them, by the names that command lines know.
FRONTENDS: dict[str, type[Frontend]] = {
    "leaf": Leaf,
    "efficient_leaf": EfficientLeaf,
    "tfbanks": TimeDomainFilterbanks,
    "sincnet": SincNet,
    "sincnet_plus": SincNetPlus,
    "wavegram": Wavegram,
    "mel": MelFilterbanks,
}

__all__ = [
    "EfficientLeaf",
    "FRONTENDS",
    "Leaf",
    "MelFilterbanks",
    "SincNet",
    "SincNetPlus",
    "TimeDomainFilterbanks",
    "Wavegram",
]
