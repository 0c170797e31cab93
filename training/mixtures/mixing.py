"""`python -m training mix`: long recordings with known events."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from tqdm import tqdm

from leaf_files.atomic import replacing_folder, write_json, write_rows
from leaf_files.command_line import counted, note
from leaf_files.errors import UserError
from training.mixtures.backgrounds import Background, make_background
from training.mixtures.levels import Sounding, faded, find_sounding
from training.mixtures.planning import Deck, Placed, place
from training.mixtures.settings import ALL_CLIPS
from training.tasks.own.task import OwnTask

MARKER = "mixtures.json"
TABLE = "table.csv"
_TITLES = ("path", "label", "start", "end", "clip", "snr")
_LEVEL = 0.01  # of the background, -40 dB of full scale
_MOST = 0.99  # of full scale
_BLOCK_SECONDS = 5.0
# What seeds are for, so that one draw doesn't move another.
_OF_DECK, _OF_PLACES, _OF_BACKGROUND = range(3)


@dataclasses.dataclass(frozen=True)
class _Clips:
    """The clips that are mixed.

    Attributes:
        clip_set: `ClipSet` of them and others.
        numbers: Their numbers in it.
        sample_rate: Hz.
        trim_db: See `find_sounding`.
        soundings: {place in `numbers`: its `Sounding`, or None}, of those that were
            asked for.
    """

    clip_set: Any
    numbers: Sequence[int]
    sample_rate: int
    trim_db: float
    soundings: dict[int, Sounding | None] = dataclasses.field(default_factory=dict)

    def read(self, clip):
        return self.clip_set.waveforms.read(self.sample_rate, self.numbers[clip])

    def listed(self, clip):
        return self.clip_set.clips[self.numbers[clip]]

    def sounding(self, clip):
        if clip not in self.soundings:
            waveform = self.read(clip)
            self.soundings[clip] = find_sounding(
                waveform, self.sample_rate, self.trim_db
            )
        return self.soundings[clip]

    def samples(self, clip):
        sounding = self.sounding(clip)
        return sounding.samples if sounding else 0

    def sound(self, clip):
        """Its sound at mean square 1, with ends that fade."""
        first, last, rms, _ = self.sounding(clip)
        return faded(self.read(clip)[first:last], self.sample_rate) / rms


def mix(task, settings, output, say, split_seed=0):
    """Writes recordings with events at known places, and a table of these.

    The background is at -40 dB of full scale, softer in recordings that would exceed
    full scale; an event's level is above that by its signal-to-noise ratio. Memory
    doesn't grow with the length of the recordings.

    Args:
        task: `OwnTask`, whose clips are the events; those of its background class are
            none.
        settings: `MixSettings`.
        output: Folder to write, new, empty, or of mixtures, which are replaced: audio
            files, `table.csv` with path, label, start and end in seconds, the clip and
            its signal-to-noise ratio in dB, and `mixtures.json` with the settings.
        say: Function that is called with a line on what was written.
        split_seed: Seed by which the task is split, as that of `fit`.

    Raises:
        UserError: The clips can't be used or don't fit, or the folder holds something
            else.

    >>> from training.mixtures.settings import MixSettings
    >>> from training.tasks.registry import get_task
    >>> settings = MixSettings(minutes=0.5, events_per_minute=20.0, sample_rate=8000)
    >>> mix(get_task("folder:drums"), settings, "mixed", print)
    1 recording, 0.5 min, with 10 events of 2 labels, in mixed
    >>> Path("mixed/table.csv").read_text().split()[0]
    'path,label,start,end,clip,snr'
    """
    if not isinstance(task, OwnTask):
        raise UserError(
            "clips of folder:PATH or table:FILE are mixed; those of another task have "
            f"to be written as files first. Received: {task.name}"
        )
    task.require_outside(Path(output))
    clips = _clips(task, settings, split_seed)
    lengths = settings.recording_samples
    deck = Deck(
        [clips.listed(n).label for n in range(len(clips.numbers))],
        _random(settings, _OF_DECK),
    )
    plans = [
        place(
            deck,
            clips.samples,
            samples,
            settings,
            _random(settings, _OF_PLACES, n),
        )
        for n, samples in enumerate(lengths)
    ]
    with replacing_folder(output, MARKER) as folder:
        background = make_background(
            settings.background,
            settings.sample_rate,
            sum(lengths),
            _random(settings, _OF_BACKGROUND),
        )
        block = max(1, round(_BLOCK_SECONDS * settings.sample_rate))
        stream = _Stream(background)
        names = [f"mixture_{n:04d}.{settings.format}" for n in range(len(lengths))]
        shown = tqdm(names, desc="mixing", unit=" files", leave=False, disable=None)
        for name, samples, plan in zip(shown, lengths, plans):
            blocks = _mixed(stream, samples, plan, clips, block, background.peak)
            _write(folder / name, blocks, samples, settings)
        write_rows(folder / TABLE, _TITLES, _rows(names, plans, clips, settings))
        write_json(
            folder / MARKER,
            {
                "task": task.name,
                "split_seed": split_seed,
                **settings.to_dict(),
                "background_files": [str(path) for path in background.files],
            },
        )
    n_events = sum(map(len, plans))
    labels = {clips.listed(placed.clip).label for plan in plans for placed in plan}
    minutes = sum(lengths) / settings.sample_rate / 60
    say(
        f"{counted(len(lengths), 'recording')}, {minutes:g} min, with "
        f"{counted(n_events, 'event')} of {counted(len(labels), 'label')}, in {output}"
    )


def _clips(task, settings, split_seed):
    listing = task.listing()
    if settings.split == ALL_CLIPS:
        clip_set = task.load_all(listing.labels, listing.multi_label)
    else:
        clip_set = task.load(None, split_seed).splits[settings.split]
    nothing = {"", listing.background}
    numbers = [n for n, clip in enumerate(clip_set.clips) if clip.label not in nothing]
    if len(numbers) < clip_set.n_examples:
        note(
            f"{clip_set.n_examples - len(numbers)} clips of {task.name} are of no "
            "class, and are no events"
        )
    if not numbers and settings.events_per_minute:
        raise UserError(f"{task.name} has no clips of a class in {settings.split}")
    return _Clips(clip_set, numbers, settings.sample_rate, settings.trim_db)


def _random(settings, *kind):
    return np.random.default_rng([settings.seed, *kind])


class _Stream:
    """The samples of a background, however many are asked for."""

    def __init__(self, background: Background):
        self._blocks = background.blocks
        self._waiting = np.zeros(0)

    def take(self, samples):
        pieces, n = [self._waiting], self._waiting.size
        while n < samples:
            pieces.append(next(self._blocks))
            n += pieces[-1].size
        whole = np.concatenate(pieces)
        self._waiting = whole[samples:]
        return whole[:samples]


def _mixed(stream, samples, plan: Sequence[Placed], clips, block, peak):
    """Yields the blocks of a recording, (at most `block`,)."""
    gains = [_LEVEL * 10.0 ** (placed.snr / 20) for placed in plan]
    peaks = [
        gain * clips.sounding(placed.clip).peak / clips.sounding(placed.clip).rms
        for gain, placed in zip(gains, plan)
    ]
    scale = min(1.0, _MOST / (_LEVEL * peak + _highest_sum(plan, peaks)))
    waiting = list(zip(plan, gains))
    sounding: list[tuple[int, np.ndarray]] = []
    for first in range(0, samples, block):
        n = min(block, samples - first)
        mixed = _LEVEL * stream.take(n)
        while waiting and waiting[0][0].start < first + n:
            placed, gain = waiting.pop(0)
            sounding.append((placed.start, gain * clips.sound(placed.clip)))
        for start, sound in sounding:
            low, high = max(start, first), min(start + sound.size, first + n)
            mixed[low - first : high - first] += sound[low - start : high - start]
        sounding = [(s, x) for s, x in sounding if s + x.size > first + n]
        yield scale * mixed


def _highest_sum(plan, peaks):
    """The largest sum of the peaks of events that sound at once."""
    ends = [(placed.end, -peak) for placed, peak in zip(plan, peaks)]
    starts = [(placed.start, peak) for placed, peak in zip(plan, peaks)]
    steps = sorted([*starts, *ends])
    return max(np.cumsum([step for _, step in steps]), default=0.0)


def _write(path, blocks, samples, settings):
    try:
        with soundfile.SoundFile(
            path,
            "w",
            settings.sample_rate,
            channels=1,
            subtype="PCM_16",
            format=settings.format.upper(),
        ) as file:
            for mixed in blocks:
                pcm = np.clip(np.round(mixed * 32768.0), -32768, 32767)
                file.write(pcm.astype(np.int16))
        # libsndfile doesn't say of a full disk that it is full.
        n_written = soundfile.info(path).frames
    except soundfile.LibsndfileError as error:
        raise UserError(f"cannot write {path.name}: {error}") from error
    if n_written != samples:
        raise UserError(f"cannot write {path.name}: the disk may be full")


def _rows(names, plans, clips, settings):
    for name, plan in zip(names, plans):
        for placed in plan:
            listed = clips.listed(placed.clip)
            yield (
                name,
                listed.label,
                f"{placed.start / settings.sample_rate:.6f}",
                f"{placed.end / settings.sample_rate:.6f}",
                listed.file,
                f"{placed.snr:.2f}",
            )
