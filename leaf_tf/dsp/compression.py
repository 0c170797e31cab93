"""Compression of energies: PCEN and the logarithm."""

import math

from keras import ops

from leaf_tf.dsp.types import Tensor

# The offset of leaf-audio.
LOG_OFFSET = 1e-5
# What keeps PCEN's gradients from overflow where the smoothing stands still at silence
# and a loud sound comes. No waveform in [-1, 1] of 16 bits gets there otherwise.
MAX_GAIN = 1e8
MAX_NORMALIZED = 1e12


def log_compression(energies: Tensor) -> Tensor:
    """Logarithm of energies, log(E + 1e-5).

    Args:
        energies: E, (batch, frames, n_filters), >= 0.

    Returns:
        (batch, frames, n_filters).

    Example:
        >>> log_compression(ops.array([0.0, 1.0])).numpy().round(2)
        array([-11.51,   0.  ], dtype=float32)
    """
    return ops.log(energies + LOG_OFFSET)


def pcen(
    energies: Tensor,
    means: Tensor,
    alpha: Tensor,
    delta: Tensor,
    root: Tensor,
    floor: float,
) -> Tensor:
    """Per-channel energy normalisation.

    (E / (floor + M)^alpha + delta)^(1 / root) - delta^(1 / root). The power's inverse
    is at most 1e8, the quotient at most 1e12.

    `floor` and `delta` are compared with energies, so they assume a scale: LEAF's
    settings that of waveforms in [-1, 1].

    Args:
        energies: E, (batch, frames, n_filters), float32 or float64, >= 0.
        means: M, their exponential moving average, see `dsp.smoothing`.
        alpha, delta, root: (n_filters,); alpha >= 0, delta > 0, root >= 1.
        floor: Least mean that E is divided by, added to M, > 0.

    Returns:
        (batch, frames, n_filters).

    Example:
        >>> energies = ops.ones((1, 100, 40))
        >>> settings = ops.ones((40,)), ops.full((40,), 2.0), ops.full((40,), 2.0)
        >>> float(pcen(energies, energies, *settings, floor=1e-12)[0, 0, 0])
        0.3178372...

    Source: arXiv:1607.05666, Eq. 1-2; LEAF, arXiv:2101.08596, Eq. 5.
    """
    # Powers of positive numbers as exp(log): cheaper than pow, and the
    # gradient with respect to the exponent needs no guard.
    gains = ops.exp(ops.minimum(-alpha * ops.log(floor + means), math.log(MAX_GAIN)))
    normalized = ops.minimum(energies * gains, MAX_NORMALIZED)
    exponents = 1.0 / root
    return ops.exp(exponents * ops.log(normalized + delta)) - ops.exp(
        exponents * ops.log(delta)
    )
