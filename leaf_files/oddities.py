"""Oddities of sounds, and of files that were not closed.

None of them keeps a file from being read; a line on stderr names it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from leaf_files.command_line import a_few, warn

SILENT = "digital silence"
OPPOSITE = "channels of opposite phase"
UNSCALED = "samples far beyond full scale"
UNCLOSED = "no end"
LOST = "bytes after the end"
DAMAGED = "damaged frames"

# The message on a file, or on several, with a remedy.
_SAID = {
    SILENT: "nothing but digital silence",
    OPPOSITE: "channels of opposite phase, whose mean, which is what is heard, is "
    "close to silence; take one of them, e.g. ffmpeg -i IN -af 'pan=mono|c0=c0' OUT",
    UNSCALED: "samples that are not scaled to [-1, 1], as if 16 bit integers were "
    "written as floats; divide them by 32768, or save them as integers",
    UNCLOSED: "no proper end, so that it may be cut short",
    LOST: "more bytes after the end that its header gives, which are skipped; if its "
    "recorder was not closed, repair the header first",
    DAMAGED: "bytes between its MP3 frames that are no frames, and are skipped",
}

STEP = 1 / 32768  # of 16 bit audio
_LOUD = 10.0  # full scale is 1; floats may go over it a little
_FEW = 256
# The mean of n uncorrelated channels has 1 / n of their average power; of less than
# this share of that, channels cancel.
_CANCELLED = 0.2


class Listener:
    """Finds the oddities of a sound, block by block, as it is decoded.

    Args:
        is_float: Whether the file holds floats, which may have any scale.

    >>> listener, block = Listener(is_float=False), np.zeros((160, 1), np.float32)
    >>> listener.hear(block, block[:, 0], 0.0, 0.0)
    >>> listener.oddities()
    ['digital silence']
    """

    def __init__(self, is_float: bool):
        self._low, self._high = np.inf, -np.inf
        self._mean_power = self._channels_power = 0.0
        self._n_channels = 1
        self._n_samples = 0
        self._is_whole = is_float
        self._is_float = is_float

    def hear(
        self, block: np.ndarray, mean: np.ndarray, low: float, high: float
    ) -> None:
        """Takes a block.

        Args:
            block: (samples, channels), float32, finite.
            mean: (samples,), the mean of its channels.
            low, high: Minimum and maximum of the mean.
        """
        self._low, self._high = min(self._low, low), max(self._high, high)
        if block.shape[1] > 1:
            self._n_channels = block.shape[1]
            self._mean_power += float(np.vdot(mean, mean))
            flat = block.reshape(-1)
            self._channels_power += float(np.vdot(flat, flat)) / block.shape[1]
            self._n_samples += mean.size
        if self._is_whole:
            self._is_whole = _is_whole(block[:_FEW]) and _is_whole(block)

    def oddities(self) -> list[str]:
        """Those of `SILENT`, `OPPOSITE` and `UNSCALED` that hold."""
        oddities = []
        peak = max(self._high, -self._low)
        threshold = _CANCELLED / self._n_channels * self._channels_power
        sounds = self._channels_power > self._n_samples * STEP**2
        if self._n_channels > 1 and sounds and self._mean_power < threshold:
            oddities.append(OPPOSITE)
        elif self._high - self._low <= 2 * STEP:
            oddities.append(SILENT)
        if self._is_float and (peak > _LOUD or (self._is_whole and peak > 1)):
            oddities.append(UNSCALED)
        return oddities


def warn_of(name: object, oddities: Iterable[str]) -> None:
    """Writes the oddities of a file to stderr, a line each.

    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     warn_of("0.wav", [SILENT])
    warning: 0.wav holds nothing but digital silence
    """
    for kind in oddities:
        warn(f"{name} holds {_SAID[kind]}")


def warn_of_all(oddities: Mapping[Any, Iterable[str]], n_files: int) -> None:
    """Writes the oddities of several files to stderr, a line a kind.

    Args:
        oddities: {name of a file: its oddities}.
        n_files: Number of all files.

    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     warn_of_all({"0.wav": [SILENT], "1.wav": []}, n_files=2)
    warning: 1 of 2 clips hold nothing but digital silence: 0.wav
    """
    for kind, words in _SAID.items():
        names = [str(name) for name, kinds in oddities.items() if kind in kinds]
        if names:
            warn(f"{len(names)} of {n_files} clips hold {words}: {a_few(names)}")


def warn_of_silent_classes(
    oddities: Iterable[Sequence[str]], labels: Iterable[str]
) -> None:
    """Writes to stderr which classes are silent.

    Args:
        oddities: Oddities of each clip.
        labels: Label of each clip.

    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     warn_of_silent_classes([[SILENT], []], ["wren", "tit"])
    warning: all clips of wren (1) are silent: ...
    """
    sounding = {
        label
        for kinds, label in zip(oddities, labels)
        if not {SILENT, OPPOSITE} & {*kinds}
    }
    silent = sorted(set(labels) - sounding)
    if silent:
        warn(
            "all clips of "
            + ", ".join(f"{label} ({list(labels).count(label)})" for label in silent)
            + " are silent: a model learns nothing from them but silence"
        )


def _is_whole(block):
    return bool(np.array_equal(block, np.rint(block)))
