"""The only conversions between milliseconds, samples, Hz and rad/sample."""

import math

from leaf_tf.dsp.slices import longer


def window_samples(window_len, sample_rate):
    """Taps of a window of `window_len` ms: odd at the usual rates, 401 at 16 kHz.

    Source: leaf-audio, `int(sample_rate * window_len // 1000 + 1)`.
    """
    return int(sample_rate * window_len // 1000 + 1)


def stride_samples(window_stride, sample_rate):
    """Samples in a hop of `window_stride` ms, 160 for 10 ms at 16 kHz."""
    return int(sample_rate * window_stride // 1000)


def hz_to_radians(freqs_hz, sample_rate):
    """Hz to rad/sample."""
    return freqs_hz * (2.0 * math.pi / sample_rate)


def radians_to_hz(freqs, sample_rate):
    """Rad/sample to Hz."""
    return freqs * (sample_rate / (2.0 * math.pi))


def sigmas_to_bandwidths_hz(sigmas, sample_rate):
    """Width in time (samples) to FWHM of the amplitude response (Hz).

    The spectrum of exp(-t^2 / (2 sigma^2)) is exp(-sigma^2 w^2 / 2), half as
    high at w = sqrt(2 ln 2) / sigma; the full width is twice that.
    """
    return radians_to_hz(2.0 * math.sqrt(2.0 * math.log(2.0)) / sigmas, sample_rate)


def n_frames(samples, strides):
    """Frames of a SAME-padded sliding window: ceil(samples / strides).

    Works on Python integers, None (unknown) and integer tensors.
    """
    if samples is None:
        return None
    return (samples + strides - 1) // strides


def n_whole_frames(samples, window, strides):
    """Frames whose window lies within the clip (VALID), but one at least.

    Works on Python integers, None (unknown) and integer tensors.
    """
    if samples is None:
        return None
    return longer((samples - window) // strides + 1, 1)
