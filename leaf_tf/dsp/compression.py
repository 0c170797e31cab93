"""Compression of energies: PCEN and the logarithm."""

from keras import ops

from leaf_tf.dsp import smoothing

LOG_OFFSET = 1e-5


def log_compression(energies):
    """log(E + 1e-5)."""
    return ops.log(energies + LOG_OFFSET)


def pcen(energies, alpha, delta, root, smooth_coef, floor):
    """Per-channel energy normalisation.

    (E / (floor + M)^alpha + delta)^(1 / root) - delta^(1 / root), M the
    exponential moving average of E with coefficient `smooth_coef`.

    Args:
        energies: (batch, frames, n_filters), float32 or float64, >= 0.
        alpha, delta, root: (n_filters,); alpha >= 0, delta > 0, root >= 1.
        smooth_coef: (n_filters,) or (1,), in [0, 1].
        floor: Float > 0.

    Returns:
        (batch, frames, n_filters).

    Source: arXiv:1607.05666, Eq. 1-2; LEAF, arXiv:2101.08596, Eq. 5.
    """
    smoothed = smoothing.exponential_moving_average(energies, smooth_coef)
    # Powers of positive numbers as exp(log): cheaper than pow, and the
    # gradient with respect to the exponent needs no guard.
    gains = ops.exp(-alpha * ops.log(floor + smoothed))
    exponents = 1.0 / root
    return ops.exp(exponents * ops.log(energies * gains + delta)) - ops.exp(
        exponents * ops.log(delta)
    )
