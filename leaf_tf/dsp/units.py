"""The only conversions between milliseconds, samples, Hz and rad/sample."""

import math
from typing import TypeVar

import numpy as np

from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.slices import longer
from leaf_tf.dsp.types import Size

# Hz, rad/sample and samples: numbers, or arrays of them.
Numbers = TypeVar("Numbers", float, np.ndarray)


def window_samples(window_len: float, sample_rate: int) -> int:
    """Samples in a window of `window_len` ms: odd at the usual rates.

    Example:
        >>> window_samples(25.0, 16000)
        401

    Source: leaf-audio, `int(sample_rate * window_len // 1000 + 1)`.
    """
    return int(sample_rate * window_len // 1000 + 1)


def stride_samples(window_stride: float, sample_rate: int) -> int:
    """Samples in a hop of `window_stride` ms.

    Example:
        >>> stride_samples(10.0, 16000)
        160
    """
    return int(sample_rate * window_stride // 1000)


def hz_to_radians(freqs_hz: Numbers, sample_rate: int) -> Numbers:
    """Hz to rad/sample.

    Example:
        >>> hz_to_radians(8000.0, 16000)
        3.14159...
    """
    return freqs_hz * (2.0 * math.pi / sample_rate)


def radians_to_hz(freqs: Numbers, sample_rate: int) -> Numbers:
    """Rad/sample to Hz.

    Example:
        >>> round(radians_to_hz(math.pi, 16000), 6)
        8000.0
    """
    return freqs * (sample_rate / (2.0 * math.pi))


def sigmas_to_bandwidths_hz(sigmas: Numbers, sample_rate: int) -> Numbers:
    """Widths in time (samples) to FWHM of the amplitude response (Hz).

    The spectrum of exp(-t^2 / (2 sigma^2)) is exp(-sigma^2 w^2 / 2), half as
    high at w = sqrt(2 ln 2) / sigma; the full width is twice that.

    Example:
        >>> round(sigmas_to_bandwidths_hz(20.0, 16000), 1)
        299.8
    """
    return radians_to_hz(2.0 * math.sqrt(2.0 * math.log(2.0)) / sigmas, sample_rate)


def n_frames(samples: Size, strides: int) -> Size:
    """Frames of a SAME-padded sliding window: ceil(samples / strides).

    Works on Python integers, None (unknown) and integer tensors.

    Example:
        >>> n_frames(16001, 160), n_frames(None, 160)
        (101, None)
    """
    if samples is None:
        return None
    return ceil_div(samples, strides)


def n_whole_frames(samples: Size, window: int, strides: int) -> Size:
    """Frames whose window is within the clip (VALID), at least one.

    Works on Python integers, None (unknown) and integer tensors.

    Example:
        >>> n_whole_frames(16000, 400, 160), n_whole_frames(100, 400, 160)
        (98, 1)
    """
    if samples is None:
        return None
    return longer((samples - window) // strides + 1, 1)
