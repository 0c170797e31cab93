"""Time-Domain Filterbanks. Source: arXiv:1711.01161, Sec. 2."""

import numpy as np


def features(waveform, filters, lowpass, strides=160):
    """log(max(E, 1e-5) + 1e-5), (frames, n_filters), of one clip.

    Args:
        filters: (kernel_size, 2 * n_filters), real and imaginary parts in turn.
        lowpass: (kernel_size,).
    """
    x = np.asarray(waveform, np.float64)
    filters = np.asarray(filters, np.float64)
    size = len(filters)
    left = (size - 1) // 2
    padded = np.concatenate([np.zeros(left), x, np.zeros(size - 1 - left)])
    outputs = np.lib.stride_tricks.sliding_window_view(padded, size) @ filters
    energies = outputs[:, 0::2] ** 2 + outputs[:, 1::2] ** 2
    if len(energies) < size:
        missing = size - len(energies)
        energies = np.concatenate([energies, np.zeros((missing, energies.shape[1]))])
    frames = (len(energies) - size) // strides + 1
    pooled = [
        np.asarray(lowpass, np.float64) @ energies[j * strides : j * strides + size]
        for j in range(frames)
    ]
    return np.log(np.maximum(np.stack(pooled), 1e-5) + 1e-5)
