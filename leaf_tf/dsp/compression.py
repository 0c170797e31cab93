"""Compression of energies: PCEN and the logarithm."""

from keras import ops

LOG_OFFSET = 1e-5


def log_compression(energies):
    """log(E + 1e-5)."""
    return ops.log(energies + LOG_OFFSET)


def pcen(energies, means, alpha, delta, root, floor):
    """Per-channel energy normalisation.

    (E / (floor + M)^alpha + delta)^(1 / root) - delta^(1 / root).

    Args:
        energies: E, (batch, frames, n_filters), float32 or float64, >= 0.
        means: M, their exponential moving average, see `dsp.smoothing`.
        alpha, delta, root: (n_filters,); alpha >= 0, delta > 0, root >= 1.
        floor: Float > 0.

    Returns:
        (batch, frames, n_filters).

    Source: arXiv:1607.05666, Eq. 1-2; LEAF, arXiv:2101.08596, Eq. 5.
    """
    # Powers of positive numbers as exp(log): cheaper than pow, and the
    # gradient with respect to the exponent needs no guard.
    gains = ops.exp(-alpha * ops.log(floor + means))
    exponents = 1.0 / root
    return ops.exp(exponents * ops.log(energies * gains + delta)) - ops.exp(
        exponents * ops.log(delta)
    )
