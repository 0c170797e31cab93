"""Frontends: waveform in, features out; composition of layers only."""

from leaf_tf.frontends.leaf import Leaf
from leaf_tf.frontends.mel_filterbanks import MelFilterbanks

FRONTENDS = {"leaf": Leaf, "mel": MelFilterbanks}

__all__ = ["FRONTENDS", "Leaf", "MelFilterbanks"]
