"""Clips of the user's own that were heard and can be used, and a survey of them."""

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from leaf_files.command_line import a_few, warn
from leaf_files.fingerprints import near_duplicates, unpacked
from leaf_files.oddities import warn_of_all, warn_of_silent_classes
from leaf_files.run_folder import LABEL_SEPARATOR
from training.tasks.clip_sets import ListedClip
from training.tasks.identity import SOUND_DIGITS
from training.tasks.own.entries import Entry, name_below
from training.tasks.own.hearing import WHOLE, Heard, Stretch
from training.tasks.own.listing import Listing
from training.tasks.own.sounds import Sounds
from training.tasks.splits import leakage
from training.tasks.splits.assigning import Assigned, Unsplit
from training.tasks.splits.splitting import Splitting

_NAMED = 3  # sounds
_ROUNDED_SECONDS = 0.01
_MANY = 10_000  # clips


@dataclasses.dataclass(frozen=True)
class OwnClip:
    """A clip that can be used.

    Attributes:
        entry: `Entry` of the folder or the table.
        heard: `Heard` facts of the sound.

    >>> heard = Heard("9f3c", "WAV PCM_16", 8000, first=4000, last=12000)
    >>> entry = Entry(Path("/data/a.wav"), ("dog",), start=0.5, end=1.5)
    >>> OwnClip(entry, heard).name(Path("/data"))
    'a.wav@0.5-1.5'
    """

    entry: Entry
    heard: Heard

    @property
    def path(self):
        """Path of the file."""
        return self.entry.path

    @property
    def labels(self):
        """Names of the classes."""
        return self.entry.labels

    @property
    def stretch(self):
        """The `Stretch` of the file."""
        return stretch_of(self.entry)

    def name(self, folder):
        """Path below a folder, or an absolute one, and the seconds of a stretch."""
        name = name_below(self.path, folder)
        start, end = self.stretch
        if self.stretch == WHOLE:
            return name
        return f"{name}@{start or 0:g}-{'' if end is None else format(end, 'g')}"

    def unsplit(self, folder):
        """The `Unsplit`, named as below a folder."""
        entry, heard = self.entry, self.heard
        return Unsplit(
            self.name(folder),
            heard.identity,
            entry.labels,
            entry.group,
            entry.split,
            heard.is_silent,
            entry.balance,
        )

    def listed(self, folder):
        """The `ListedClip`, named as below a folder."""
        sound = self.heard.identity[:SOUND_DIGITS]
        return ListedClip(sound, LABEL_SEPARATOR.join(self.labels), self.name(folder))


@dataclasses.dataclass(frozen=True)
class Survey:
    """Clips of a task, heard and split.

    Attributes:
        listing: The `Listing`.
        clips: `OwnClip`s, those that can be used.
        names: Name of each.
        faults: Lines on what forbids to learn from them.
        assigned: Their splits, `training.tasks.splits.assigning.Assigned`; None if they
            can't be split.
        splitting: `Splitting` by which they were.
        sounds: `Sounds` that hold waveforms of the clips, or None.

    >>> from training.tasks.own.folder import FolderTask
    >>> survey = FolderTask(Path("drums")).survey()
    >>> survey.names[0], survey.labels[0], survey.groups
    ('kick/0.wav', 'kick', None)
    """

    listing: Listing
    clips: Sequence[OwnClip]
    names: Sequence[str]
    faults: Sequence[str]
    assigned: Assigned | None
    splitting: Splitting
    sounds: Sounds | None = None

    @property
    def groups(self):
        """The group of each clip; None where groups aren't known."""
        return groups_of(self.clips)

    @functools.cached_property
    def near_duplicates(self):
        """Pairs that sound alike, see `leaf_files.fingerprints.near_duplicates`.

        None are found among more clips than `hearing.MOST_COMPARED`.
        """
        if any(clip.heard.landmarks is None for clip in self.clips):
            return []
        return alike([unpacked(clip.heard.landmarks or b"") for clip in self.clips])

    @property
    def leaks(self):
        """Lines on each kind of leakage that a model's score won't tell."""
        splits = self.assigned and self.assigned.splits
        entries = [clip.entry for clip in self.clips]
        lines = [name_lines_of(entries, self.names, self.splitting)]
        if splits:
            pairs, groups = self.near_duplicates, self.groups
            lines.append(leakage.duplicate_lines(pairs, self.names, splits, groups))
        return [some for some in lines if some]

    @property
    def labels(self):
        """The label of each clip, as a run's `clips.csv` has it."""
        return [LABEL_SEPARATOR.join(clip.labels) for clip in self.clips]


def alike(fingerprints):
    """`near_duplicates` of clips; of many a terminal shows the progress.

    >>> from leaf_files.fingerprints import fingerprint
    >>> noise = np.random.default_rng(0).standard_normal(16000)
    >>> [pair] = alike([fingerprint(noise, 16000), fingerprint(noise / 2, 16000)])
    >>> pair.first, pair.second
    (0, 1)
    """
    if len(fingerprints) < _MANY:
        return near_duplicates(fingerprints)
    shown = functools.partial(tqdm, desc="comparing clips", disable=None)
    return near_duplicates(fingerprints, shown)


def stretch_of(entry):
    """The `Stretch` of an `Entry`.

    >>> stretch_of(Entry(Path("a.wav"), ("dog",), end=2.0))
    Stretch(start=None, end=2.0)
    """
    return Stretch(entry.start, entry.end)


def name_lines_of(entries, names, splitting):
    """`leakage.name_lines` where neither groups nor splits are known; else [].

    >>> name_lines_of([Entry(Path("a.wav"), ("dog",), group="ann")], ["a.wav"], None)
    []
    """
    is_known = any(entry.group is not None or entry.split for entry in entries)
    if is_known or splitting.group_by is not None:
        return []
    labels = [LABEL_SEPARATOR.join(entry.labels) for entry in entries]
    return leakage.name_lines(names, labels)


def groups_of(clips):
    """The group of each clip, a list; None where groups aren't known.

    >>> heard = Heard("9f3c", "WAV PCM_16", 8000, first=0, last=8000)
    >>> groups_of([OwnClip(Entry(Path("a.wav"), ("dog",), group="ann"), heard)])
    ['ann']
    """
    groups = [clip.entry.group for clip in clips]
    return None if None in groups else groups


def warn_of_sound(clips):
    """Says on stderr what is odd about the sound of clips, one line a kind.

    >>> import contextlib, sys
    >>> entry = Entry(Path("a.wav"), ("dog",), start=1, end=3)
    >>> heard = Heard("9f3c", "WAV PCM_16", 8000, first=8000, last=16000, is_cut=True)
    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     warn_of_sound([OwnClip(entry, heard)])
    warning: 1 of 1 clips end after their recordings do, and are cut there (a.wav@1-3)
    """
    names = {
        clip.path if clip.stretch == WHOLE else clip.name(Path()): clip.heard.oddities
        for clip in clips
    }
    warn_of_all(names, len(clips))
    pairs = [(clip.heard.oddities, label) for clip in clips for label in clip.labels]
    warn_of_silent_classes([kinds for kinds, _ in pairs], [label for _, label in pairs])
    late = [clip.entry.place or clip.name(Path()) for clip in clips if _is_late(clip)]
    if late:
        warn(
            f"{len(late)} of {len(clips)} clips end after their recordings do, and are "
            f"cut there ({a_few(late)})"
        )


def _is_late(clip):
    """Whether a clip ends after its recording, by more than times are rounded."""
    heard = clip.heard
    beyond = (clip.stretch.end or 0.0) - heard.last / heard.sample_rate
    return heard.is_cut and beyond > _ROUNDED_SECONDS


def shared_sounds(listing, clips):
    """A line that names clips of one sound under several labels; or "".

    >>> heard = Heard("9f3c", "WAV PCM_16", 8000, first=0, last=8000)
    >>> entries = [Entry(Path(f"{label}/0.wav"), (label,)) for label in ("cat", "dog")]
    >>> clips = [OwnClip(entry, heard) for entry in entries]
    >>> shared_sounds(Listing(entries, ("cat", "dog")), clips)
    '1 sound is in several classes, ... can be right: cat/0.wav = dog/0.wav'
    """
    if listing.multi_label:
        return ""
    by_sound: dict = defaultdict(dict)
    for clip in clips:
        by_sound[clip.heard.identity].setdefault(clip.labels[0], clip.name(Path()))
    shared = [list(paths.values()) for paths in by_sound.values() if len(paths) > 1]
    if not shared:
        return ""
    count = "1 sound is" if len(shared) == 1 else f"{len(shared)} sounds are"
    pairs = [" = ".join(map(str, paths)) for paths in shared]
    return (
        f"{count} in several classes, and at most one label of each can be right: "
        f"{a_few(pairs, _NAMED)}"
    )
