"""Short and decimated taps of Gabor filters: fixed matrices, in NumPy.

What depends on a plan alone and not on the weights. Every matrix is linear in
what the weights make, so gradients pass through.
"""

import functools

import numpy as np

# Side lobes: of the decimators 90 dB down, of a softened cut 45 dB.
_DECIMATOR_BETA = 9.0
# Pass band of a decimator, relative to half the lower rate. The taps behind it make
# up for what it takes from the edge of their band, but not for images.
_DECIMATOR_BAND = 0.95
# Length of a decimator, in samples at the lower rate.
_DECIMATOR_TAPS = 16
_SOFT_CUT_BETA = 4.5
# Pass band of a softened cut, relative to half the rate of the energies.
_SOFT_CUT_BAND = 1.1
# How far a softened cut reaches beyond the hard one, in strides.
_SOFT_CUT_STRIDES = 2.5
# Ridge of the least-squares taps, relative to the decimator's pass band.
_RIDGE = 1e-6
# Samples that decimated taps reach beyond the taps they stand for.
_REACH = 8
# A decimator maps blocks of 16 * rate samples to 16 samples.
_BLOCK = 16


def lowpass(n_taps, band, beta):
    """Sinc under a Kaiser window, sum 1; `band` is relative to half the rate."""
    times = np.arange(n_taps) - (n_taps - 1) / 2
    taps = np.sinc(band * times) * np.kaiser(n_taps, beta)
    return taps / taps.sum()


@functools.lru_cache(maxsize=16)
def decimator(rate):
    """The lowpass before every `rate`-th sample is kept, of odd length.

    That of an even rate keeps every second sample of what half the rate keeps.
    """
    if rate == 2 or rate % 2:
        return lowpass(
            _DECIMATOR_TAPS * rate + 1, _DECIMATOR_BAND / rate, _DECIMATOR_BETA
        )
    half = rate // 2
    second = np.zeros(2 * _DECIMATOR_TAPS * half + 1)
    second[::half] = decimator(2)
    return np.convolve(decimator(half), second)


@functools.lru_cache(maxsize=16)
def decimator_kernel(rate, block=_BLOCK):
    """The decimator as a convolution over blocks of `block * rate` samples.

    Args:
        rate: Of the decimator.
        block: Samples at the lower rate that one step makes.

    Returns:
        (blocks, block * rate, block), blocks 2 by default: the samples that a step
        sees to those at the lower rate that it makes.
    """
    taps = decimator(rate)
    blocks = -(-(len(taps) + (block - 1) * rate) // (block * rate))
    kernel = np.zeros((blocks * block * rate, block))
    for output in range(block):
        kernel[output * rate : output * rate + len(taps), output] = taps
    return kernel.reshape(blocks, block * rate, block)


def soft_half_length(kernel_size, stride):
    """Samples either side of the center of a filter with a softened cut."""
    return kernel_size // 2 + int(_SOFT_CUT_STRIDES * stride)


def cut_window(kernel_size, half_length, stride):
    """What the Gaussian on +-half_length is multiplied by: (2 half_length + 1,).

    By definition it is cut at -(K // 2) and (K + 1) // 2 - 1, which stays so if
    `half_length` ends there or before. If it ends later, the cut is softened: a
    hard one spreads a filter over all frequencies, and its energies over more
    than one in `stride` samples can carry.
    """
    times = np.arange(-half_length, half_length + 1)
    box = (times >= -(kernel_size // 2)) & (times <= (kernel_size + 1) // 2 - 1)
    reach = half_length - kernel_size // 2
    if reach <= 0:
        return box.astype(np.float64)
    edge = lowpass(2 * reach + 1, _SOFT_CUT_BAND / stride, _SOFT_CUT_BETA)
    return np.convolve(box, edge, "same")


def n_taps(half_length, rate):
    """Taps of a filter on +-half_length samples, at `rate` behind its decimator."""
    if rate == 1:
        return 2 * half_length + 1
    return 2 * (-(-(half_length + _REACH) // rate)) + 1


@functools.lru_cache(maxsize=256)
def decimated_taps(half_length, rate):
    """Taps behind a decimator, by least squares from taps at the full rate.

    P = (H H^T + eps I)^-1 H, row k of H the decimator shifted by rate * k. Of all
    taps at the lower rate, P g with its decimator comes closest to g.

    Returns:
        P (n_taps, 2 * half_length + 1).
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
    kept = shifted[:, reach - half_length : reach + half_length + 1]
    return np.linalg.solve(gram, kept)


@functools.lru_cache(maxsize=256)
def tap_matrix(kernel_size, half_length, rate, stride):
    """From a Gabor to its taps: cut and decimated.

    Returns:
        (n_taps, 2 * half_length + 1); None if the taps are the Gabor.
    """
    window = cut_window(kernel_size, half_length, stride)
    if rate == 1 and np.all(window == 1.0):
        return None
    return decimated_taps(half_length, rate) * window
