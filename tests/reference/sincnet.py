"""SincNet and SincNet+, stage by stage. Source: arXiv:1808.00158; arXiv:2101.08596."""

import numpy as np

from tests.reference import leaf


def band_passes(low_freqs, bandwidths, kernel_size):
    """Taps (n_filters, kernel_size): the difference of two ideal low-passes."""
    taps = np.arange(kernel_size)
    t = taps - kernel_size // 2
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * taps / kernel_size)
    filters = []
    for low, bandwidth in zip(
        np.asarray(low_freqs, np.float64), np.asarray(bandwidths, np.float64)
    ):
        high = min(low + bandwidth, np.pi)
        # An ideal low-pass of cutoff w is (w / pi) sinc(w t / pi).
        h = high * np.sinc(high * t / np.pi) - low * np.sinc(low * t / np.pi)
        filters.append(h / (high - low) * hamming)
    return np.stack(filters)


def rectified(waveform, filters):
    """Leaky rectifier of SAME cross-correlations: (samples, n_filters)."""
    x = np.asarray(waveform, np.float64)
    size = filters.shape[1]
    left = (size - 1) // 2
    padded = np.concatenate([np.zeros(left), x, np.zeros(size - 1 - left)])
    outputs = np.lib.stride_tricks.sliding_window_view(padded, size) @ filters.T
    return np.where(outputs > 0, outputs, 0.2 * outputs)


def maxima(outputs, size, strides):
    """Maxima over SAME windows, of what lies within the clip: (frames, n_filters)."""
    samples = len(outputs)
    frames = -(-samples // strides)
    left = max((frames - 1) * strides + size - samples, 0) // 2
    starts = [j * strides - left for j in range(frames)]
    return np.stack([outputs[max(s, 0) : s + size].max(axis=0) for s in starts])


def layer_norm(frames):
    """Mean 0 and variance 1 over the filters of each frame."""
    mean = frames.mean(axis=-1, keepdims=True)
    return (frames - mean) / np.sqrt(frames.var(axis=-1, keepdims=True) + 1e-3)


def sincnet(waveform, low_freqs, bandwidths, kernel_size=401, strides=160):
    """Features (frames, n_filters) of one clip."""
    outputs = rectified(waveform, band_passes(low_freqs, bandwidths, kernel_size))
    return layer_norm(maxima(outputs, kernel_size, strides))


def sincnet_plus(
    waveform, low_freqs, bandwidths, kernel_size=401, strides=160, width=0.4
):
    """Features (frames, n_filters) of one clip, PCEN at its initial values."""
    outputs = rectified(waveform, band_passes(low_freqs, bandwidths, kernel_size))
    widths = np.full(outputs.shape[1], width)
    outputs = np.maximum(leaf.pooled(outputs, widths, kernel_size, strides), 1e-5)
    return leaf.pcen(outputs, 0.96, 2.0, 2.0, 0.04, floor=1e-6)


def official_band_passes(kernel, kernel_size=401, sample_rate=16000):
    """Taps from leaf-audio's `kernel` (n_filters, 2), rounded to float32 as there.

    The two low-passes are subtracted in float32, which leaves errors of 1e-4 where
    the filter should let nothing pass.
    """
    f = np.float32
    low = f(50) + np.abs(kernel[:, 0])
    high = np.minimum(low + f(50) + np.abs(kernel[:, 1]), f(sample_rate / 2))
    times = (np.arange(kernel_size) - kernel_size // 2).astype(f) / f(sample_rate)

    def low_pass(cutoffs):
        phases = f(2 * np.pi) * cutoffs[:, None] * times
        with np.errstate(invalid="ignore"):
            # Rounded as it should be: each processor's float32 sine is another.
            sines = np.sin(phases.astype(np.float64)).astype(f)
            taps = f(2) * cutoffs[:, None] * (sines / phases)
        taps[:, kernel_size // 2] = f(2) * cutoffs
        return taps

    taps = np.arange(kernel_size)
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * taps / kernel_size)
    filters = (low_pass(high) - low_pass(low)) / (f(2) * (high - low))[:, None]
    return filters * hamming.astype(f)
