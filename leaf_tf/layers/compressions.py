"""The compressions a frontend knows by name."""

import keras

from leaf_tf.layers.chain import Chain
from leaf_tf.layers.log import LogCompression
from leaf_tf.layers.log1p import Log1pCompression
from leaf_tf.layers.loudness_norm import LoudnessNorm
from leaf_tf.layers.multi_rate_pcen import MultiRatePCEN
from leaf_tf.layers.pcen import PCEN
from leaf_tf.layers.simplified_pcen import SimplifiedPCEN

# The energies of silence, so that no compression sees a zero.
MIN_ENERGY = 1e-5


def _soft_pcen(dtype):
    """PCEN close to a logarithm, behind a gain that makes up for half of the volume.

    What loses least to the logarithm of mel, on any task; chosen on validation groups,
    see docs/results.md. alpha, from 0 on, learns how much of each channel's own level
    goes.
    """
    stages = [
        LoudnessNorm(0.5, dtype=_unrounded(dtype), name="loudness_norm"),
        PCEN(alpha=0.0, delta=1e-5, root=8.0, dtype=dtype, name="pcen"),
    ]
    return Chain(stages, dtype=dtype, name="soft_pcen")


def _loudness_pcen(dtype):
    """PCEN close to a cube root, behind a gain that makes up for the volume.

    Better than `_soft_pcen` in noise and at other volumes, worse on recordings that
    fade into the noise of their room.
    """
    stages = [
        LoudnessNorm(dtype=_unrounded(dtype), name="loudness_norm"),
        PCEN(alpha=0.0, delta=1e-3, root=3.0, dtype=dtype, name="pcen"),
    ]
    return Chain(stages, dtype=dtype, name="loudness_pcen")


def _unrounded(dtype):
    """The dtype of a stage before the last one: no half precision between stages."""
    policy = keras.dtype_policies.get(dtype)
    return "float64" if policy.compute_dtype == "float64" else "float32"


# Name -> function from a dtype to a new layer, or to None.
COMPRESSIONS = {
    "pcen": lambda dtype: PCEN(dtype=dtype, name="pcen"),
    "log": lambda dtype: LogCompression(dtype=dtype, name="log"),
    "log1p": lambda dtype: Log1pCompression(dtype=dtype, name="log1p"),
    "soft_pcen": _soft_pcen,
    "loudness_pcen": _loudness_pcen,
    "simplified_pcen": lambda dtype: SimplifiedPCEN(
        dtype=dtype, name="simplified_pcen"
    ),
    "multi_rate_pcen": lambda dtype: MultiRatePCEN(dtype=dtype, name="multi_rate_pcen"),
    "none": lambda dtype: None,
}


def compression_layer(compression, dtype):
    """The layer that a frontend's argument `compression` asks for, or None.

    Raises:
        ValueError: `compression` is none of `COMPRESSIONS` and no layer.
    """
    if isinstance(compression, keras.layers.Layer):
        return compression
    if isinstance(compression, str) and compression in COMPRESSIONS:
        return COMPRESSIONS[compression](dtype)
    raise ValueError(
        f"`compression` must be one of {tuple(COMPRESSIONS)} or a Keras layer. "
        f"Received: {compression!r}"
    )


def least_energy(compression):
    """The least energy that a frontend gives to a compression.

    0 where it is one of energies beside their loudness, which may be small: a quiet
    sound isn't silence to it. Else `MIN_ENERGY`.

    Args:
        compression: A frontend's argument.
    """
    return 0.0 if compression in ("soft_pcen", "loudness_pcen") else MIN_ENERGY
