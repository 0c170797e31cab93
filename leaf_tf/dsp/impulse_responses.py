"""Impulse responses of the learned filters, from their parameters, in keras.ops."""

import math

import numpy as np
from keras import ops

from leaf_tf.dsp.types import Tensor


def gabor(
    center_freqs: Tensor, sigmas: Tensor, kernel_size: int
) -> tuple[Tensor, Tensor]:
    """Complex Gabor filters.

    g_n[t] = exp(-t^2 / (2 sigma_n^2)) exp(i omega_n t) / (sqrt(2 pi) sigma_n),
    t = -(K // 2) ... (K + 1) // 2 - 1.

    Args:
        center_freqs: (n_filters,), omega, rad/sample.
        sigmas: (n_filters,), samples.
        kernel_size: Taps K.

    Returns:
        Real and imaginary parts, each (kernel_size, n_filters).

    Example:
        >>> real, imaginary = gabor(ops.array([0.5]), ops.array([20.0]), 401)
        >>> real.shape, float(real[200, 0]), float(imaginary[200, 0])
        (TensorShape([401, 1]), 0.0199..., 0.0)

    Source: LEAF, arXiv:2101.08596, Eq. 2.
    """
    times = np.arange(kernel_size)[:, None] - kernel_size // 2
    times = ops.convert_to_tensor(times, dtype=sigmas.dtype)
    gaussians = ops.exp(-0.5 * ops.square(times / sigmas)) / (
        math.sqrt(2.0 * math.pi) * sigmas
    )
    phases = times * center_freqs
    return gaussians * ops.cos(phases), gaussians * ops.sin(phases)


def gaussian_lowpass(
    widths: Tensor, kernel_size: int, n_first: int | None = None
) -> Tensor:
    """Gaussian windows, peak 1, not normalised.

    exp(-((k - (K - 1) / 2) / (w (K - 1) / 2))^2 / 2), k = 0 ... K - 1.

    Args:
        widths: (n_filters,), w, relative to half the window.
        kernel_size: Taps K.
        n_first: How many taps to compute; None for all.

    Returns:
        (kernel_size, n_filters), or the first `n_first` of these.

    Example:
        >>> gaussian_lowpass(ops.array([0.4]), 5)[:, 0].numpy().round(2)
        array([0.04, 0.46, 1.  , 0.46, 0.04], dtype=float32)

    Source: LEAF, arXiv:2101.08596, Eq. 4.
    """
    half = (kernel_size - 1) / 2.0
    n_taps = kernel_size if n_first is None else n_first
    positions = (np.arange(n_taps)[:, None] - half) / max(half, 0.5)
    exponents = ops.convert_to_tensor(-0.5 * positions**2, dtype=widths.dtype)
    return ops.exp(exponents * ops.square(1.0 / widths))
