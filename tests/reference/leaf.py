"""LEAF, stage by stage. Source: arXiv:2101.08596, Sec. 3."""

import numpy as np

Z = np.sqrt(2 * np.log(2)) / np.pi


def gabor_filters(center_freqs, sigmas, kernel_size):
    """Complex taps (n_filters, kernel_size) of clipped parameters."""
    omega = np.clip(np.asarray(center_freqs, np.float64), 0, np.pi)
    sigma = np.clip(np.asarray(sigmas, np.float64), 4 * Z, kernel_size * Z)
    t = np.arange(-(kernel_size // 2), (kernel_size + 1) // 2)
    return np.stack(
        [
            np.exp(-(t**2) / (2 * s**2) + 1j * w * t) / (np.sqrt(2 * np.pi) * s)
            for w, s in zip(omega, sigma)
        ]
    )


def energies(waveform, center_freqs, sigmas, kernel_size):
    """Squared modulus of SAME cross-correlations: (samples, n_filters)."""
    x = np.asarray(waveform, np.float64)
    left = (kernel_size - 1) // 2
    padded = np.concatenate([np.zeros(left), x, np.zeros(kernel_size - 1 - left)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel_size)
    return np.abs(windows @ gabor_filters(center_freqs, sigmas, kernel_size).T) ** 2


def pooled(energies, widths, kernel_size, strides):
    """Gaussian lowpass, SAME: (frames, n_filters)."""
    samples, n_filters = energies.shape
    w = np.clip(np.asarray(widths, np.float64), 2 / kernel_size, 0.5)
    k = np.arange(kernel_size)[:, None] - (kernel_size - 1) / 2
    lowpass = np.exp(-0.5 * (k / (w * (kernel_size - 1) / 2)) ** 2)
    frames = -(-samples // strides)
    total = max((frames - 1) * strides + kernel_size - samples, 0)
    padded = np.zeros((samples + total, n_filters))
    padded[total // 2 : total // 2 + samples] = energies
    return np.stack(
        [
            (padded[j * strides : j * strides + kernel_size] * lowpass).sum(axis=0)
            for j in range(frames)
        ]
    )


def moving_average(energies, smooth_coef):
    """M_0 = E_0, then one step at a time: (frames, n_filters)."""
    s = np.clip(np.asarray(smooth_coef, np.float64), 0, 1)
    means = [np.asarray(energies[0], np.float64)]
    for frame in energies[1:]:
        means.append(s * frame + (1 - s) * means[-1])
    return np.stack(means)


def pcen(energies, alpha, delta, root, smooth_coef, floor=1e-12):
    """Per-channel energy normalisation: (frames, n_filters)."""
    alpha = np.minimum(np.asarray(alpha, np.float64), 1)
    delta = np.asarray(delta, np.float64)
    power = 1 / np.maximum(np.asarray(root, np.float64), 1)
    gain = (floor + moving_average(energies, smooth_coef)) ** alpha
    return (energies / gain + delta) ** power - delta**power


def leaf(waveform, parameters, kernel_size=401, strides=160):
    """Features (frames, n_filters) of one clip.

    Args:
        parameters: Mapping with center_freqs, sigmas, widths, alpha, delta,
            root, smooth_coef, (n_filters,) each.
    """
    p = parameters
    e = energies(waveform, p["center_freqs"], p["sigmas"], kernel_size)
    e = np.maximum(pooled(e, p["widths"], kernel_size, strides), 1e-5)
    return pcen(e, p["alpha"], p["delta"], p["root"], p["smooth_coef"])


def loudness(energies, smooth_coef):
    """Lehmer's mean of the frames so far, one at a time: (frames,).

    Each frame's mean over the channels counts by itself, and less the older it is.
    """
    means = np.asarray(energies, np.float64).mean(axis=1)
    outputs = []
    for t in range(len(means)):
        weights = (1 - smooth_coef) ** np.arange(t, -1, -1.0) * means[: t + 1]
        total = weights.sum()
        outputs.append((weights * means[: t + 1]).sum() / total if total else 0.0)
    return np.array(outputs)


def loudness_pcen(energies, strength=1.0, delta=1e-3, root=3.0):
    """PCEN's start beside the loudness, alpha 0: (frames, n_filters)."""
    level = (1e-7 + loudness(energies, 0.01)[:, None]) ** strength
    beside = np.asarray(energies, np.float64) / level
    return (beside + delta) ** (1 / root) - delta ** (1 / root)


def soft_pcen(energies):
    """The same as `fit` starts it: (frames, n_filters)."""
    return loudness_pcen(energies, strength=0.5, delta=1e-5, root=8.0)
