"""EfficientLEAF's pooled energies. Source: arXiv:2207.05508; static groups."""

import numpy as np

from tests.reference.leaf import Z


def groups(center_freqs, sigmas, n_groups, window_factor, stride_factor, size, strides):
    """(filters, half of the taps, stride) of each group of the initial filters."""
    edges = np.arange(n_groups + 1) * len(sigmas) // n_groups
    found = []
    for start, stop in zip(edges[:-1], edges[1:]):
        taps = int(window_factor * max(sigmas[start:stop]))
        taps = min(taps + 1 - taps % 2, size)
        most = stride_factor * np.pi / max(center_freqs[start:stop])
        stride = max(
            s for s in range(1, strides + 1) if strides % s == 0 and s <= max(most, 1)
        )
        found.append((range(start, stop), taps // 2, stride))
    return found


def pooled(waveform, center_freqs, sigmas, widths, groups, size=401, strides=160):
    """(frames, n_filters), one frame and filter at a time."""
    x = np.asarray(waveform, np.float64)
    samples = len(x)
    frames = -(-samples // strides)
    left = max((frames - 1) * strides + size - samples, 0) // 2
    outputs = np.zeros((frames, len(sigmas)))
    around = np.pad(x, size)
    for filters, half, stride in groups:
        taps = [k for k in range(size) if (k - (size - 1) // 2) % stride == 0]
        t = np.arange(-half, half + 1)
        for n in filters:
            omega = np.clip(np.float64(center_freqs[n]), 0, np.pi)
            sigma = np.clip(np.float64(sigmas[n]), 2 * Z, (2 * half + 1) * Z)
            width = np.clip(np.float64(widths[n]), 2 / size, 0.5)
            gabor = np.exp(-(t**2) / (2 * sigma**2) + 1j * omega * t)
            gabor /= np.sqrt(2 * np.pi) * sigma
            for frame in range(frames):
                for k in taps:
                    time = frame * strides - left + k
                    if not 0 <= time < samples:
                        continue
                    window = around[size + time - half : size + time + half + 1]
                    position = (k - (size - 1) / 2) / (width * (size - 1) / 2)
                    lowpass = stride * np.exp(-0.5 * position**2)
                    outputs[frame, n] += lowpass * np.abs(window @ gabor) ** 2
    return outputs
