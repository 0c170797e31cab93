"""Pieces of recordings in which there is none of the classes."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

from leaf_files.clips import open_clip, seconds_of
from leaf_files.errors import UserError
from leaf_files.threads import in_threads
from training.tasks.identity import identity
from training.tasks.own.hearing import WHOLE, Heard, Stretch, hear

MOST_WINDOWS = 5  # of a piece
_MOST_SECONDS = 10.0  # of a piece of several windows
_SPARE = 1e-6  # seconds


@dataclasses.dataclass(frozen=True)
class Recording:
    """A recording of which some parts may be used.

    Attributes:
        path: Path of the file.
        name: Name of it, by which its pieces are drawn.
        parts: (start, end) of what may be used, seconds, in order; None for all of it,
            however short it is.
        seconds: Its length.

    >>> Recording(Path("drums/kick/0.wav"), "kick/0.wav", seconds=0.1).whole
    True
    """

    path: Path
    name: str
    parts: Sequence[tuple[float, float]] | None = None
    seconds: float = 0.0

    @property
    def whole(self):
        """Whether all of it may be used."""
        return self.parts is None


def most_windows(window_seconds):
    """The most windows in a piece: five, but of long windows no more than 10 s.

    >>> most_windows(1.0), most_windows(4.0), most_windows(60.0)
    (5, 2, 1)
    """
    return max(1, min(MOST_WINDOWS, int(_MOST_SECONDS / window_seconds)))


def measured(recordings):
    """Recordings with their lengths, and why the others can't be read.

    Args:
        recordings: `Recording`s.

    Returns:
        (`Recording`s, `UserError`s).

    >>> files = [Recording(Path("drums/kick/0.wav"), "kick/0.wav")]
    >>> [drum], errors = measured(files)
    >>> drum.seconds, errors
    (0.1, [])
    """

    def measure(recording):
        try:
            return dataclasses.replace(recording, seconds=seconds_of(recording.path))
        except UserError as error:
            return error

    results = list(in_threads(measure, recordings))
    good = [each for each in results if isinstance(each, Recording)]
    return good, [each for each in results if isinstance(each, UserError)]


def drawn(recordings, n_pieces, window_seconds):
    """Pieces from all over recordings, none in another, always the same.

    They are as long as there are enough of them, from five windows down to one; a
    recording that is shorter than that is one piece, unless only parts of it may be
    used: of these each piece has at least a window. Which are drawn depends on names
    and times alone, on no seed.

    Args:
        recordings: `Recording`s, measured.
        n_pieces: How many are wanted; there may be fewer.
        window_seconds: Length of a window.

    Returns:
        [(`Recording`, `Stretch`)], in order.

    >>> hour = Recording(Path("hour.wav"), "hour.wav", seconds=3600.0)
    >>> len(drawn([hour], 20, window_seconds=1.0))
    20
    >>> short = Recording(Path("word.wav"), "word.wav", seconds=0.4)
    >>> [stretch for _, stretch in drawn([short], 20, window_seconds=1.0)]
    [Stretch(start=None, end=None)]
    """
    for windows in range(most_windows(window_seconds), 0, -1):
        pieces = [
            (recording, stretch)
            for recording in recordings
            for stretch in _cut(recording, windows * window_seconds, window_seconds)
        ]
        if len(pieces) >= n_pieces:
            break
    order = sorted(range(len(pieces)), key=lambda n: _key(*pieces[n]))
    return [pieces[n] for n in sorted(order[:n_pieces])]


def heard(path, stretch):
    """A stretch of a file as `Heard`, without all that comes before it.

    Args:
        path: Path of the file.
        stretch: A `Stretch`.

    Returns:
        A `Heard`, or the `UserError` that says why it can't be read.

    >>> heard(Path("drums/kick/0.wav"), Stretch(0.025, 0.1)).seconds
    0.075
    """
    if stretch == WHOLE:
        return hear(path, [WHOLE], prints=False)[0]
    try:
        with open_clip(path) as sound:
            rate = sound.sample_rate
            first, last = stretch.samples(rate)
            waveform = sound.mono_stretch(first, last)
            encoding = sound.encoding
    except UserError as error:
        return error
    power = float(waveform @ waveform) / max(1, waveform.size)
    return Heard(
        identity(waveform, rate), encoding, rate, first, last, (), False, None, power
    )


def _cut(recording, length, window_seconds):
    """`Stretch`es of a recording, of a length in seconds; those at an end may be
    shorter, but not shorter than a window."""
    if recording.whole and recording.seconds <= length + _SPARE:
        return [WHOLE]
    stretches = []
    for start, end in recording.parts or [(0.0, recording.seconds)]:
        n_pieces = int((end - start + _SPARE) / length)
        edges = [start + n * length for n in range(n_pieces + 1)]
        stretches += [Stretch(a, min(b, end)) for a, b in zip(edges, edges[1:])]
        if end - edges[-1] >= window_seconds - _SPARE:
            stretches.append(Stretch(edges[-1], end))
    return stretches


def _key(recording, stretch):
    text = f"{recording.name} {stretch.start or 0:.3f}"
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
