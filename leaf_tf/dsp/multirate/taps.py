"""Short and decimated taps of Gabor filters: fixed matrices, in NumPy.

They depend on the plan alone, not on the weights. Taps are these matrices times what
the weights make, so gradients pass through.
"""

import functools
from typing import NamedTuple

import numpy as np

from leaf_tf.dsp.arithmetic import ceil_div

# Kaiser window of the decimators: side lobes 90 dB down, as what is there is folded
# onto the band of the filters, and may be far louder than that.
_DECIMATOR_BETA = 9.0
# Pass band of a decimator, relative to half the lower rate. The taps behind it make
# up for what it takes from the edge of their band, but not for images.
_DECIMATOR_BAND = 0.95
# Length of a decimator, in samples at the lower rate.
_DECIMATOR_TAPS = 16
# Kaiser window of a softened cut: side lobes 45 dB down; lower ones would take a longer
# edge.
_SOFT_CUT_BETA = 4.5
# Pass band of a softened cut, relative to half the rate of the energies.
_SOFT_CUT_BAND = 1.1
# Strides that a softened cut reaches beyond the hard one.
_SOFT_CUT_STRIDES = 2.5
# Ridge of the least-squares taps, relative to the decimator's pass band: without it
# they grow without bound where the decimator passes nothing.
_RIDGE = 1e-6
# Samples that decimated taps reach beyond the taps they approximate.
_REACH = 8
# Samples at the lower rate that one step of a decimator makes: a vector of channels.
_BLOCK = 16


def lowpass(n_taps: int, band: float, beta: float) -> np.ndarray:
    """Sinc under a Kaiser window, sum 1.

    Args:
        n_taps: Taps, at least 1.
        band: Pass band, relative to half the sample rate.
        beta: Shape of the Kaiser window; larger: lower side lobes, wider edge.

    Returns:
        (n_taps,), float64.

    Example:
        >>> lowpass(3, 0.5, 0.0).round(3)
        array([0.28, 0.44, 0.28])
    """
    times = np.arange(n_taps) - (n_taps - 1) / 2
    taps = np.sinc(band * times) * np.kaiser(n_taps, beta)
    return taps / taps.sum()


@functools.lru_cache(maxsize=16)
def decimator(rate: int) -> np.ndarray:
    """The lowpass before every `rate`-th sample is kept, of odd length.

    Args:
        rate: Decimation rate, from 2.

    Returns:
        (taps,), float64, sum 1. An even rate's equals decimating by 2 after half the
        rate.

    Example:
        >>> decimator(2).size, decimator(4).size
        (33, 97)
    """
    if rate == 2 or rate % 2:
        return lowpass(
            _DECIMATOR_TAPS * rate + 1, _DECIMATOR_BAND / rate, _DECIMATOR_BETA
        )
    # Two stages as one filter: the second's taps are as far apart as the first's
    # outputs. So a plan may decimate in stages or at once, and compute the same.
    half = rate // 2
    second = np.zeros(2 * _DECIMATOR_TAPS * half + 1)
    second[::half] = decimator(2)
    return np.convolve(decimator(half), second)


@functools.lru_cache(maxsize=16)
def decimator_kernel(rate: int, block: int = _BLOCK) -> np.ndarray:
    """The decimator as a convolution over blocks of `block * rate` samples.

    Args:
        rate: Decimation rate, from 2.
        block: Samples at the lower rate that one step makes.

    Returns:
        (blocks, block * rate, block), blocks 2 by default: from the samples that a
        step reads to those at the lower rate that it makes.

    Example:
        >>> decimator_kernel(2).shape
        (2, 32, 16)
    """
    # A strided convolution of one channel leaves vector units idle. The samples of a
    # block as channels make it a product of matrices.
    taps = decimator(rate)
    blocks = ceil_div(len(taps) + (block - 1) * rate, block * rate)
    kernel = np.zeros((blocks * block * rate, block))
    for output in range(block):
        kernel[output * rate : output * rate + len(taps), output] = taps
    return kernel.reshape(blocks, block * rate, block)


def soft_half_length(kernel_size: int, stride: int) -> int:
    """Samples that a filter with a softened cut reaches on either side.

    Args:
        kernel_size: Taps of the definition.
        stride: Samples between energies.

    Example:
        >>> soft_half_length(401, 20)
        250
    """
    return kernel_size // 2 + int(_SOFT_CUT_STRIDES * stride)


def cut_window(kernel_size: int, half_length: int, stride: int) -> np.ndarray:
    """Window that cuts a Gaussian on -half_length ... half_length.

    By definition the Gaussian is cut at -(K // 2) and (K + 1) // 2 - 1, which stays so
    if `half_length` ends there or before. If it ends later, the cut is softened: a
    hard one spreads a filter over all frequencies, and its energies over more
    than one in `stride` samples can carry.

    Args:
        kernel_size: Taps K of the definition.
        half_length: Samples on either side of the center.
        stride: Samples between energies.

    Returns:
        (2 * half_length + 1,), float64.

    Example:
        >>> cut_window(4, 2, 1)
        array([1., 1., 1., 1., 0.])
    """
    times = np.arange(-half_length, half_length + 1)
    box = (times >= -(kernel_size // 2)) & (times <= (kernel_size + 1) // 2 - 1)
    reach = half_length - kernel_size // 2
    if reach <= 0:
        return box.astype(np.float64)
    # The box, with all frequencies taken out that energies at the stride can't carry.
    edge = lowpass(2 * reach + 1, _SOFT_CUT_BAND / stride, _SOFT_CUT_BETA)
    return np.convolve(box, edge, "same")


def n_taps(half_length: int, rate: int) -> int:
    """Taps at 1 / `rate`, behind its decimator, that replace 2 * half_length + 1.

    Args:
        half_length: Samples on either side of the center, at the full rate.
        rate: Decimation rate; 1: no decimator.

    Example:
        >>> n_taps(250, 1), n_taps(250, 4)
        (501, 131)
    """
    if rate == 1:
        return 2 * half_length + 1
    return 2 * ceil_div(half_length + _REACH, rate) + 1


@functools.lru_cache(maxsize=256)
def decimated_taps(half_length: int, rate: int) -> np.ndarray:
    """Matrix from taps at the full rate to taps behind a decimator, by least squares.

    P = (H H^T + eps I)^-1 H, row k of H the decimator shifted by rate * k. Of all
    taps at the lower rate, P g with its decimator comes closest to g.

    Args:
        half_length: Samples on either side of the center, at the full rate.
        rate: Decimation rate; 1: the identity.

    Returns:
        P, (n_taps, 2 * half_length + 1), float64.

    Example:
        >>> decimated_taps(250, 4).shape
        (131, 501)
    """
    if rate == 1:
        return np.eye(2 * half_length + 1)
    taps = decimator(rate)
    rows = n_taps(half_length, rate)
    reach = rows // 2 * rate + len(taps) // 2
    shifted = np.zeros((rows, 2 * reach + 1))
    for row in range(rows):
        shifted[row, row * rate : row * rate + len(taps)] = taps
    gram = shifted @ shifted.T + _RIDGE * np.eye(rows)
    # The decimator reaches beyond the taps, where they are zero.
    kept = shifted[:, reach - half_length : reach + half_length + 1]
    return np.linalg.solve(gram, kept)


@functools.lru_cache(maxsize=256)
def tap_matrix(
    kernel_size: int, half_length: int, rate: int, stride: int
) -> np.ndarray | None:
    """Matrix from a Gabor's samples to a group's taps: cut and decimated.

    Args:
        kernel_size: Taps of the definition.
        half_length: Samples on either side of the center, at the full rate.
        rate: Decimation rate of the group.
        stride: Samples between its energies.

    Returns:
        (n_taps, 2 * half_length + 1), float64; None if it is the identity.

    Example:
        >>> tap_matrix(401, 250, 4, 20).shape
        (131, 501)
    """
    window = cut_window(kernel_size, half_length, stride)
    if rate == 1 and np.all(window == 1.0):
        return None
    return decimated_taps(half_length, rate) * window


class FoldedTaps(NamedTuple):
    """A group's taps, from its Gabors at times 0, 1, ... alone.

    A Gabor's real part is even, its imaginary part odd, and so are their taps, unless
    the cut isn't symmetric.

    Attributes:
        matrices: Two, (rows, half_length + 1), from real parts and from imaginary ones
            to rows that the taps are taken from; None: these are the Gabors themselves.
        rows: (n_taps,), the row of each tap.
        factors: (n_taps, 2), what its real and its imaginary part are multiplied by.
    """

    matrices: tuple[np.ndarray, np.ndarray] | None
    rows: np.ndarray
    factors: np.ndarray


@functools.lru_cache(maxsize=256)
def folded_taps(
    kernel_size: int, half_length: int, rate: int, stride: int
) -> FoldedTaps:
    """`tap_matrix` for Gabors at times 0 ... half_length.

    Args:
        kernel_size, half_length, rate, stride: See `tap_matrix`.

    Returns:
        `FoldedTaps`.

    Example:
        >>> even, odd = folded_taps(401, 250, 4, 20).matrices
        >>> even.shape, folded_taps(401, 3, 1, 4).rows
        ((66, 251), array([3, 2, 1, 0, 1, 2, 3]))
    """
    window = cut_window(kernel_size, half_length, stride)
    half = n_taps(half_length, rate) // 2
    numbers = np.arange(-half, half + 1)
    mirrored = np.stack([np.ones(numbers.size), np.sign(numbers)], axis=1)
    if rate == 1:
        return FoldedTaps(None, np.abs(numbers), mirrored * window[:, None])
    matrix = decimated_taps(half_length, rate) * window
    later, earlier = matrix[:, half_length:], matrix[:, half_length::-1].copy()
    earlier[:, 0] = 0.0  # time 0 is no time's mirror
    even, odd = later + earlier, later - earlier
    if not np.allclose(window, window[::-1], rtol=0.0, atol=1e-12):
        return FoldedTaps((even, odd), numbers + half, np.ones(mirrored.shape))
    return FoldedTaps((even[half:], odd[half:]), np.abs(numbers), mirrored)
