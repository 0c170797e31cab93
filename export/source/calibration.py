"""The clips that give int8 the ranges of a model's activations."""

from pathlib import Path

import numpy as np

from leaf_files.errors import UserError
from leaf_files.walk import find_clips, read_all
from leaf_files.windows import cut_windows

_MAX_WINDOWS = 200


def read_calibration_windows(
    folder: str | Path, sample_rate: int, window_samples: int
) -> np.ndarray:
    """Windows of the clips of a folder, thinned evenly where there are many.

    `leaf_files.walk` finds the clips.

    Args:
        folder: The folder.
        sample_rate: Sample rate, Hz; clips of other rates are resampled.
        window_samples: Length of a window.

    Returns:
        (n, window_samples), float32, n at most 200.

    Raises:
        UserError: No such folder, no audio files in it, or an unreadable one.

    Example:

    >>> read_calibration_windows("run/evaluation_clips", 8000, 4000).shape
    (13, 4000)
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder of calibration clips {folder}")
    paths = find_clips(
        folder,
        "audio files to calibrate int8 with; name one with clips such as the model was "
        "trained on",
    )
    waveforms = read_all(_thinned(paths), sample_rate)
    windows = np.concatenate(
        [cut_windows(waveform, window_samples) for waveform in waveforms]
    )
    return windows[_places(len(windows))]


def _thinned(paths):
    return [paths[place] for place in _places(len(paths))]


def _places(n):
    return np.linspace(0, n - 1, min(n, _MAX_WINDOWS)).round().astype(int)
