"""Windows of a clip, for a model that takes a fixed length."""

import math

import numpy as np


def cut_windows(waveform: np.ndarray, window_samples: int) -> np.ndarray:
    """Cuts a clip into the windows by which it is evaluated.

    A clip not longer than the window gives one window, centred between zeros.
    A longer one gives as few full windows as cover it, their starts evenly
    spread: every sample is covered, and no window is padded.

    Args:
        waveform: (samples,), at least one sample.
        window_samples: Length W of a window, at least 1.

    Returns:
        (n, window_samples) of the waveform's dtype, n = ceil(samples / W).

    Raises:
        ValueError: No samples, more than one channel, or no window.

    >>> cut_windows(np.arange(5), 3).tolist(), cut_windows(np.arange(1, 3), 4).tolist()
    ([[0, 1, 2], [2, 3, 4]], [[0, 1, 2, 0]])
    """
    waveform = np.asarray(waveform)
    if waveform.ndim != 1 or not waveform.size:
        raise ValueError(
            "`waveform` must be (samples,) with at least one sample. "
            f"Received shape: {waveform.shape}"
        )
    if window_samples < 1:
        raise ValueError(
            f"`window_samples` must be at least 1. Received: {window_samples}"
        )
    spare = waveform.size - window_samples
    if spare <= 0:
        left = -spare // 2
        return np.pad(waveform, (left, -spare - left))[np.newaxis]
    n_windows = math.ceil(waveform.size / window_samples)
    starts = np.round(np.linspace(0, spare, n_windows)).astype(int)
    return waveform[starts[:, np.newaxis] + np.arange(window_samples)]
