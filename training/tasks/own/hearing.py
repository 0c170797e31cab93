"""Audio files heard once, before any long work: what each stretch of them is."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from tqdm import tqdm

from leaf_files.clips import open_clip, require_audio_rate, resample
from leaf_files.errors import UserError
from leaf_files.fingerprints import Fingerprinter, packed
from leaf_files.oddities import SILENT, STEP
from leaf_files.threads import in_threads
from training.tasks.identity import SoundHash

if TYPE_CHECKING:
    from training.tasks.own.index import Index
    from training.tasks.own.sounds import Sounds

FULL_SCALE = 1 - STEP
# Clips of which near duplicates are found: fingerprints of more would fill the memory.
MOST_COMPARED = 200_000


class Stretch(NamedTuple):
    """A stretch of a recording; all of it by default.

    Attributes:
        start, end: Limits, seconds; None for those of the recording.

    >>> Stretch(0.5, 2.0).samples(8000)
    (4000, 16000)
    """

    start: float | None = None
    end: float | None = None

    def samples(self, sample_rate):
        """(first, last) sample at a rate in Hz, the last one excluded.

        `last` is None for the end of the recording.
        """
        first = round((self.start or 0.0) * sample_rate)
        return first, None if self.end is None else round(self.end * sample_rate)


WHOLE = Stretch()


@dataclasses.dataclass(frozen=True)
class Heard:
    """A stretch of an audio file that can be used.

    Attributes:
        identity: Identity of its sound, see `training.tasks.identity.identity`.
        encoding: Format and subtype of the file, such as "WAV PCM_16".
        sample_rate: Rate of the file, Hz.
        first, last: Samples of the stretch, the last one excluded.
        oddities: Oddities of the sound, see `leaf_files.oddities`.
        is_cut: Whether the recording ends before the stretch does.
        landmarks: Fingerprint of its sound, see `leaf_files.fingerprints.packed`; None
            where clips are too many to be compared, see `MOST_COMPARED`.
        power: Mean square of the samples; full scale is 1.
        n_clipped: Samples at full scale or beyond.

    >>> Heard("9f3c", "WAV PCM_16", 8000, first=4000, last=12000).seconds
    1.0
    """

    identity: str
    encoding: str
    sample_rate: int
    first: int
    last: int
    oddities: tuple[str, ...] = ()
    is_cut: bool = False
    landmarks: bytes | None = b""
    power: float = 0.0
    n_clipped: int = 0

    @property
    def is_silent(self):
        """Whether there is nothing but digital silence."""
        return SILENT in self.oddities

    @property
    def seconds(self):
        """Its length, seconds."""
        return (self.last - self.first) / self.sample_rate


def hear_all(
    wanted: Mapping[Path, Sequence[Stretch]],
    index: "Index | None" = None,
    sounds: "Sounds | None" = None,
) -> dict[Path, list[Heard | UserError]]:
    """Hears each file once, several at a time; a terminal shows the progress.

    Args:
        wanted: {path of an audio file: stretches of it}.
        index: Index of what was heard before, which isn't heard again; what is heard
            now is kept in it.
        sounds: Place for the waveforms of the stretches, under (path, stretch), as long
            as they fit, unless the index knows some of them.

    Returns:
        {path: for each of its stretches a `Heard`, or a `UserError` that says why it
        can't be used}.

    >>> [drum] = hear_all({Path("drums/kick/0.wav"): [WHOLE, Stretch(0.025)]}).values()
    >>> [heard.seconds for heard in drum]
    [0.1, 0.075]
    """
    prints = sum(map(len, wanted.values())) <= MOST_COMPARED
    known = index.find(wanted, prints) if index is not None else {}
    if known:
        sounds = None
    unheard = [path for path in wanted if path not in known]
    stretches = [wanted[path] for path in unheard]
    hear_one = functools.partial(hear, sounds=sounds, prints=prints)
    results = in_threads(hear_one, unheard, stretches)
    shown = tqdm(
        zip(unheard, stretches, results),
        desc="checking clips",
        total=len(unheard),
        unit=" clips",
        disable=None,  # without a terminal
    )
    heard = {}
    for path, of_path, facts in shown:
        heard[path] = facts
        if index is not None:
            index.keep(path, of_path, facts)
    return {path: known[path] if path in known else heard[path] for path in wanted}


def hear(
    path: Path,
    stretches: Sequence[Stretch],
    sounds: "Sounds | None" = None,
    prints: bool = True,
) -> list[Heard | UserError]:
    """Hears one file, block by block: see `hear_all`.

    Args:
        path, stretches, sounds: See `hear_all`.
        prints: Whether to take fingerprints.

    >>> [heard] = hear(Path("drums/kick/0.wav"), [WHOLE])
    >>> heard.encoding, heard.sample_rate
    ('WAV PCM_16', 8000)
    """
    try:
        with open_clip(path) as sound:
            rate = sound.sample_rate
            require_audio_rate(rate, path)
            keeps = sounds is not None and not sounds.is_full
            listeners = [_Listener(s, rate, keeps, prints) for s in stretches]
            n_samples = 0
            for block in sound.mono_blocks():
                for listener in listeners:
                    listener.hear(block, n_samples)
                n_samples += block.size
            heard = [
                listener.heard(path, n_samples, sound.encoding, sound.oddities)
                for listener in listeners
            ]
    except UserError as error:
        return [error] * len(stretches)
    if sounds is not None and keeps:
        for stretch, listener, one in zip(stretches, listeners, heard):
            if isinstance(one, Heard) and not sounds.is_full:
                waveform = resample(listener.waveform, rate, sounds.sample_rate)
                sounds.put((path, stretch), waveform)
    return heard


class _Listener:
    """Hears one stretch of a file that is read in blocks.

    Args:
        stretch: The `Stretch`.
        sample_rate: Rate of the file, Hz.
        keeps: Whether to keep the samples.
        prints: Whether to take a fingerprint.
    """

    def __init__(self, stretch, sample_rate, keeps=False, prints=True):
        self._stretch = stretch
        self._rate = sample_rate
        self._first, self._last = stretch.samples(sample_rate)
        self._sound = SoundHash()
        self._printer = Fingerprinter(sample_rate) if prints else None
        self._low, self._high = float("inf"), float("-inf")
        self._energy, self._n_clipped = 0.0, 0
        self._keeps, self._parts = keeps, []

    @property
    def waveform(self):
        """The samples of the stretch so far, if they are kept."""
        return self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts)

    def hear(self, block, start):
        """Takes a block, (samples,), whose first sample is number `start`."""
        last = start + block.size if self._last is None else self._last
        part = block[max(0, self._first - start) : max(0, last - start)]
        if not part.size:
            return
        self._sound.update(part)
        if self._printer is not None:
            self._printer.update(part)
        low, high = float(part.min()), float(part.max())
        self._low, self._high = min(self._low, low), max(self._high, high)
        self._energy += float(np.vdot(part, part))
        if max(high, -low) >= FULL_SCALE:
            self._n_clipped += int(np.count_nonzero(np.abs(part) >= FULL_SCALE))
        if self._keeps:
            self._parts.append(part)

    def heard(self, path, n_samples, encoding, oddities):
        """The `Heard` or `UserError`, once all is read.

        Args:
            path: Path of the file.
            n_samples: Number of samples of the file.
            encoding, oddities: Encoding and oddities of the file.
        """
        start, end = self._stretch
        last = n_samples if self._last is None else min(self._last, n_samples)
        if self._first >= last:
            until = f"to {end:g} s" if end is not None else "to its end"
            return UserError(
                f"the stretch of {path} from {start or 0:g} s {until} holds no "
                f"samples: it lasts {n_samples / self._rate:g} s"
            )
        if self._stretch != WHOLE:
            oddities = tuple(kind for kind in oddities if kind != SILENT)
            if self._high - self._low <= 2 * STEP:
                oddities += (SILENT,)
        return Heard(
            self._sound.identity(self._rate),
            encoding,
            self._rate,
            self._first,
            last,
            oddities,
            self._last is not None and self._last > n_samples,
            None if self._printer is None else packed(self._printer.fingerprint()),
            self._energy / (last - self._first),
            self._n_clipped,
        )
