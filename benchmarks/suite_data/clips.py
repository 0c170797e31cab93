"""The clips of one task, as they are written: mono FLAC, each sound once."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError

_QUIETEST = 1e-3  # least peak, full scale is 1
_OTHER = re.compile(r"[^A-Za-z0-9]+")


class ClipFolder:
    """Writes the clips of a task, and counts them and what is passed over.

    Args:
        folder: Folder of the task.
        sample_rate: Rate of the clips, Hz.
        shortest: Least length, seconds; what is shorter is passed over.
        longest: Longest length, seconds; what is longer is cut.

    Attributes:
        written: {(label, group): clips}, a Counter.
        passed_over: {reason: sounds}, a Counter.
    """

    def __init__(
        self, folder: Path, sample_rate: int, shortest: float, longest: float
    ) -> None:
        self.folder = folder
        self.sample_rate = sample_rate
        self.shortest = shortest
        self.longest = longest
        self.written: Counter[tuple[str, str]] = Counter()
        self.passed_over: Counter[str] = Counter()
        self._sounds: set[bytes] = set()

    def add_files(
        self, label: str, group: str, paths: Iterable[Path], most: int | None = None
    ) -> None:
        """Writes clips of audio files.

        Args:
            label: Label of all of them.
            group: Their group.
            paths: The files.
            most: Clips to write at most; of the others nothing is read.
        """
        n = 0
        for path in paths:
            if n == most:
                return
            n += self.add_file(label, group, path)

    def add_file(self, label: str, group: str, path: Path) -> bool:
        """Writes a clip of an audio file, unless it is passed over.

        Returns:
            Whether it was written.
        """
        try:
            waveform, _ = read_clip(path, self.sample_rate)
        except UserError:
            self.passed_over["unreadable"] += 1
            return False
        return self.add(label, group, waveform) is not None

    def add(
        self, label: str, group: str, waveform: np.ndarray, start: str | None = None
    ) -> Path | None:
        """Writes a clip, unless it is passed over.

        Args:
            label: Its label.
            group: Its group.
            waveform: (samples,) at the rate of the clips.
            start: Path of the clip up to its id. Defaults to "label/group__".

        Returns:
            Its path, relative to the folder; None if it was passed over.
        """
        waveform = waveform[: round(self.longest * self.sample_rate)]
        fault = self._fault(waveform)
        if fault:
            self.passed_over[fault] += 1
            return None
        sound = _digest(waveform)
        if sound in self._sounds:
            self.passed_over["copies of others"] += 1
            return None
        self._sounds.add(sound)
        prefix = f"{label}/{group}__" if start is None else start
        path = Path(f"{prefix}{sound.hex()[:8]}.flac")
        write_clip(self.folder / path, waveform, self.sample_rate)
        self.written[label, group] += 1
        return path

    def _fault(self, waveform):
        if waveform.size < self.shortest * self.sample_rate:
            return f"shorter than {self.shortest:g} s"
        if np.abs(waveform).max() < _QUIETEST:
            return "silent"
        return None


def _digest(waveform):
    samples = np.clip(np.round(waveform * 32768.0), -32768, 32767).astype("<i2")
    return hashlib.sha256(samples.tobytes()).digest()


def shuffled(paths: Iterable[Path], root: Path) -> list[Path]:
    """Paths in an order that is arbitrary, but the same everywhere.

    Args:
        paths: The paths, below `root`.
        root: Folder whose place doesn't matter.

    >>> shuffled([Path("/a/0.wav"), Path("/a/1.wav")], Path("/a"))
    [PosixPath('/a/1.wav'), PosixPath('/a/0.wav')]
    """

    def rank(path):
        name = path.relative_to(root).as_posix()
        return hashlib.sha256(name.encode(errors="surrogateescape")).digest()

    return sorted(paths, key=rank)


def as_name(text: str) -> str:
    """A group's name for the name of a file: letters, digits and single "_".

    >>> as_name("Millo-Drums_v.1")
    'Millo_Drums_v_1'
    """
    return _OTHER.sub("_", text).strip("_")
