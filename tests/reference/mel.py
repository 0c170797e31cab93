"""Log-mel-filterbanks as tf.signal makes them, in NumPy."""

import numpy as np


def mel_triangles(n_filters, n_fft, sample_rate, min_freq, max_freq):
    """HTK triangles (n_fft // 2 + 1, n_filters), one weight at a time."""

    def mel(hz):
        return 1127 * np.log(1 + hz / 700)

    edges = np.linspace(mel(min_freq), mel(max_freq), n_filters + 2)
    triangles = np.zeros((n_fft // 2 + 1, n_filters))
    for k in range(1, n_fft // 2 + 1):
        m = mel(k * sample_rate / n_fft)
        for n in range(n_filters):
            left, center, right = edges[n : n + 3]
            if left < m <= center:
                triangles[k, n] = (m - left) / (center - left)
            elif center < m < right:
                triangles[k, n] = (right - m) / (right - center)
    return triangles


def log_mel(waveform, triangles, window_size=401, strides=160, n_fft=512):
    """log(E + 1e-5), (frames, n_filters), zeros after the end of the clip."""
    frames = -(-len(waveform) // strides)
    padded = np.zeros(frames * strides + window_size)
    padded[: len(waveform)] = waveform
    k = np.arange(window_size)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * k / (window_size - 1 + (window_size + 1) % 2))
    powers = [
        np.abs(np.fft.rfft(padded[j * strides :][:window_size] * hann, n_fft)) ** 2
        for j in range(frames)
    ]
    return np.log(np.stack(powers) @ triangles + 1e-5)
