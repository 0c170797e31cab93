"""What `--background` adds to a task: clips of the class of none of its classes."""

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from leaf_files.command_line import a_few, counted, note
from leaf_files.errors import UserError
from leaf_files.threads import in_threads
from leaf_files.walk import cannot_be_used, find_clips
from training.settings.config import SYNTHETIC, UNLABELLED
from training.tasks.background.recordings import Recording, drawn, heard, measured
from training.tasks.background.recordings import most_windows as _most_windows
from training.tasks.background.synthetic import SyntheticReading, SyntheticSound
from training.tasks.clip_sets import SPLITS, ClipSet, ListedClip
from training.tasks.identity import fingerprint
from training.tasks.joining import joined
from training.tasks.own.entries import Entry, name_below
from training.tasks.own.hearing import Heard
from training.tasks.own.reading import ClipReading, targets_of
from training.tasks.own.surveying import OwnClip
from training.tasks.splits.groups import split_groups
from training.tasks.splits.splitting import Splitting

LABEL = "background"
_LEAST = 3  # clips of a source: one a split
_FEW = 3  # recordings, of which none can be held out whole
_PARTS = 10  # of few recordings
_NAMED = 3
_BLOCK = 2**20  # bytes


class Known(NamedTuple):
    """What is known of a task before its background is added.

    Attributes:
        n_clips: Number of its clips.
        n_classes: Number of their classes.
        paths: Real paths of its files, or an empty set.
        annotated: {path of a recording: ((start, end) of its events, seconds, its
            group or None)}, of recordings of which all events are known.
        placed: {group: split} of its clips, or {}.
        sounds: Identities of its clips, or an empty set.

    >>> Known(100, 10).placed
    {}
    """

    n_clips: int
    n_classes: int
    paths: frozenset[str] = frozenset()
    annotated: Mapping[Path, tuple[Sequence[tuple[float, float]], str | None]] = {}
    placed: Mapping[str, str] = {}
    sounds: frozenset[str] = frozenset()


class Added(NamedTuple):
    """A clip of the background.

    Attributes:
        name: Name for people.
        sound: Identity of the sound, as `ListedClip` has it.
        group: Where it comes from.
        made: A `SyntheticSound`, or an `OwnClip` of a recording.

    >>> sound = SyntheticSound(0, 1.0)
    >>> Added(sound.name, sound.sound(8000), sound.name, sound).group
    'synthetic/0000 silence'
    """

    name: str
    sound: str
    group: str
    made: SyntheticSound | OwnClip


@dataclasses.dataclass(frozen=True)
class BackgroundSources:
    """Where the background of a task comes from; the settings of a run say it.

    The clips are the same whatever the run's seed, which splits them.

    Attributes:
        names: "synthetic", "unlabelled", and paths of folders of recordings.
        share: Share of a task's clips that are added; None for as many clips as its
            classes have in the mean.
        window_seconds: Length of a window.
        sample_rate: Rate of made-up sounds, Hz.
        skip_bad: Whether recordings that can't be read are left out.
        splitting: `Splitting`, which may find groups in names of recordings.

    >>> sources = BackgroundSources(("synthetic", "/data/street"))
    >>> sources.wanted(Known(100, 10)), sources.folders
    (10, ['/data/street'])
    """

    names: tuple[str, ...]
    share: float | None = None
    window_seconds: float = 1.0
    sample_rate: int = 16000
    skip_bad: bool = False
    splitting: Splitting = Splitting()

    @classmethod
    def of(cls, config):
        """Those of a `FitConfig`, or None."""
        if config is None or config.background is None:
            return None
        return cls(
            tuple(config.background.split(",")),
            config.background_share,
            config.window_seconds,
            config.sample_rate,
            config.skip_bad_clips,
            Splitting.of(config),
        )

    @property
    def folders(self):
        """Paths of the folders of recordings, a list of str."""
        return [name for name in self.names if name not in (SYNTHETIC, UNLABELLED)]

    @property
    def takes_unlabelled(self):
        """Whether stretches of recordings between their events are used."""
        return UNLABELLED in self.names

    def require(self, task):
        """Checks that a task can have this background; reads no clips.

        Args:
            task: Task, from `training.tasks.registry.get_task`.

        Raises:
            UserError: It can't.

        >>> from training.tasks.registry import get_task
        >>> BackgroundSources(("drums/kick",)).require(get_task("folder:drums"))
        Traceback (most recent call last):
        leaf_files.errors.UserError: the folder drums/kick of --background ...
        """
        own = Path(task.path) if hasattr(task, "path") else None
        if self.takes_unlabelled and not hasattr(task, "column"):
            raise UserError(
                f"--background {UNLABELLED} is what is annotated in no row of a table "
                f"with columns start and end, and {task.name} is none: name folders, "
                f"or {SYNTHETIC}"
            )
        for name in self.folders:
            folder = Path(name)
            if not folder.is_dir():
                what = "is a file" if folder.exists() else "isn't there"
                raise UserError(
                    f"the folder {name} of --background {what}: name {SYNTHETIC}, "
                    f"{UNLABELLED}, or folders of recordings, separated by commas"
                )
            if own is None or not own.is_dir():
                continue
            one, other = folder.resolve(), own.resolve()
            if one.is_relative_to(other) or other.is_relative_to(one):
                raise UserError(
                    f"the folder {name} of --background holds clips of {task.name}, or "
                    "lies among them: its recordings must be of none of the classes; "
                    "move them elsewhere, or leave out --background if they are a "
                    "class already"
                )

    def wanted(self, known):
        """How many clips are added to a task, at most.

        Args:
            known: `Known` of the task.
        """
        if self.share is None:
            return round(known.n_clips / max(1, known.n_classes))
        return round(known.n_clips * self.share / (1 - self.share))

    def added(self, known):
        """The clips that are added, whatever their split.

        Args:
            known: `Known` of the task.

        Returns:
            ([`Added`] of each source, lines on them).

        Raises:
            UserError: A source has none, has recordings that can't be read, or has
                clips of the task itself.
        """
        each = max(_LEAST, round(self.wanted(known) / len(self.names)))
        clips, lines = [], []
        for name in self.names:
            of_source, line = self._of(name, each, known)
            clips.append(of_source)
            lines.append(line)
        return clips, lines

    def split(self, clips, known, seed):
        """The splits of added clips.

        Recordings are never in two splits, where there are three or more; made-up
        sounds are split by their kinds. Recordings of a group that the task has, too,
        are where that is.

        Args:
            clips: [`Added`] of each source.
            known: `Known` of the task.
            seed: Seed of the split, an int.

        Returns:
            {split: its `Added`}.

        >>> sources = BackgroundSources(("synthetic",))
        >>> clips, _ = sources.added(Known(100, 10))
        >>> splits = sources.split(clips, Known(100, 10), seed=0)
        >>> {split: len(clips) for split, clips in splits.items()}
        {'train': 8, 'validation': 1, 'test': 1}
        """
        of_split: dict = {split: [] for split in SPLITS}
        for of_source in clips:
            open_ones = [c for c in of_source if c.group not in known.placed]
            kinds = [[getattr(c.made, "kind", LABEL)] for c in open_ones]
            drawn_splits = open_ones and split_groups([c.group for c in open_ones], kinds, seed)
            place = dict(zip((c.group for c in open_ones), drawn_splits))
            for clip in of_source:
                split = known.placed.get(clip.group) or place[clip.group]
                of_split[split].append(clip)
        return of_split

    def clip_set(self, clips, label, labels):
        """The `ClipSet` of added clips.

        Args:
            clips: `Added`s.
            label: Their label.
            labels: Labels of the task, this one among them.
        """
        index = list(labels).index(label)
        kinds = (
            [c for c in clips if isinstance(c.made, OwnClip)],
            [c for c in clips if isinstance(c.made, SyntheticSound)],
        )
        sets = []
        for of_kind, is_synthetic in zip(kinds, (False, True)):
            made = [c.made for c in of_kind]
            if not made:
                continue
            reading: SyntheticReading | ClipReading
            if is_synthetic:
                reading = SyntheticReading(made, index)
            else:
                relabelled = [
                    dataclasses.replace(
                        m, entry=dataclasses.replace(m.entry, labels=(label,))
                    )
                    for m in made
                ]
                targets = targets_of(relabelled, list(labels), False)
                reading = ClipReading(relabelled, targets, Path(), None)
            sets.append(_indexed(of_kind, reading, label, index))
        return sets[0] if len(sets) == 1 else joined(*sets)

    def _of(self, name, n_clips, known):
        """([`Added`] of a source, a line on them)."""
        if name == SYNTHETIC:
            seconds = _most_windows(self.window_seconds) * self.window_seconds
            sounds = [SyntheticSound(n, seconds) for n in range(n_clips)]
            return [
                Added(s.name, s.sound(self.sample_rate), s.name, s) for s in sounds
            ], f"{len(sounds)} made up"
        if name == UNLABELLED:
            recordings, groups = self._between(known)
            where = "the recordings of the table, between their events"
        else:
            recordings, groups = self._in_folder(Path(name), known)
            where = name
        pieces = self._heard(recordings, n_clips, where)
        clips = [
            Added(c.name(Path()), c.listed(Path()).sound, g, c)
            for c, g in _grouped(pieces, groups, known)
        ]
        clips = list({clip.sound: clip for clip in clips}.values())
        same = [clip.name for clip in clips if clip.sound in known.sounds]
        if same:
            raise UserError(
                f"{counted(len(same), 'recording')} of --background {name} "
                f"{'is' if len(same) == 1 else 'are'} among the clips of the task, "
                f"too: {a_few(same)}; take out what is of its classes"
            )
        used = len({clip.made.path for clip in clips})
        few = f", of {n_clips} wanted" if len(clips) < n_clips else ""
        whole = "" if used >= _FEW else ", cut in time, as they are fewer than three"
        return clips, (
            f"{len(clips)}{few} from {used} of the {len(recordings)} in {where}{whole}"
        )

    def _in_folder(self, folder, known):
        """(`Recording`s of a folder without copies, the group of each by its path)."""
        paths = _without_copies(find_clips(folder, "recordings for --background"))
        own = [p for p in paths if known.paths and os.path.realpath(p) in known.paths]
        if own:
            raise UserError(
                f"{counted(len(own), 'recording')} of --background {folder} "
                f"{'is' if len(own) == 1 else 'are'} of the task itself: "
                f"{a_few(own)}; its recordings must be of none of the classes"
            )
        names = [name_below(path, folder) for path in paths]
        groups = None
        if self.splitting.group_pattern or self.splitting.group_by == "parent":
            groups, _ = self.splitting.groups(names)
        told = dict(zip(paths, groups or [path.as_posix() for path in paths]))
        return [Recording(p, n) for p, n in zip(paths, names)], told

    def _between(self, known):
        """(`Recording`s without their events, the group of each by its path)."""
        annotated = {
            Recording(path, path.name, tuple(events)): group or path.as_posix()
            for path, (events, group) in known.annotated.items()
        }
        good, errors = measured(annotated)
        self._require(errors, len(annotated))
        recordings = [
            dataclasses.replace(each, parts=gaps(each.parts, each.seconds))
            for each in good
        ]
        groups = {path: g or path.as_posix() for path, (_, g) in known.annotated.items()}
        return recordings, groups

    def _heard(self, recordings, n_clips, where):
        """`OwnClip`s of pieces of recordings."""
        good, errors = measured(recordings)
        pieces = drawn(good, n_clips, self.window_seconds)
        results = list(in_threads(lambda piece: heard(piece[0].path, piece[1]), pieces))
        errors += [one for one in results if not isinstance(one, Heard)]
        self._require(errors, len(recordings))
        if not pieces:
            raise UserError(
                f"there is nothing for --background in {where}: none of "
                f"{counted(len(recordings), 'recording')} has a stretch of "
                f"{self.window_seconds:g} s without an event"
            )
        return [
            OwnClip(Entry(r.path, (LABEL,), start=s.start, end=s.end), one)
            for (r, s), one in zip(pieces, results)
            if isinstance(one, Heard)
        ]

    def _require(self, errors, n_recordings):
        """Refuses recordings that can't be read, or names them."""
        if not errors:
            return
        summary = cannot_be_used(errors, n_recordings)
        named = a_few([str(error) for error in errors], _NAMED, "; ")
        if not self.skip_bad:
            raise UserError(
                f"--background: {summary}; mend or remove them, or leave them out with "
                f"--skip-bad-clips: {named}"
            )
        note(f"--background: {summary} and are skipped: {named}")


def background_label(labels, background):
    """The class that added clips are of: the task's own, or "background".

    Args:
        labels: Labels of the task.
        background: Its background, or None.

    >>> background_label(("kick", "noise"), "noise"), background_label(("kick",), None)
    ('noise', 'background')
    """
    if background in labels:
        return background
    return next((label for label in labels if label.lower() == LABEL), LABEL)


def with_background(data, sources, seed, known=None, name="the task"):
    """A task's data with the clips of its background.

    Args:
        data: `TaskData`.
        sources: `BackgroundSources`; None to add none.
        seed: Seed of the split, an int.
        known: `Known` of the task, without what `data` tells; or None.
        name: Name of the task, for messages.

    Returns:
        A `TaskData`.

    Raises:
        UserError: Its clips have several labels, or see `BackgroundSources.added`.

    >>> from training.tasks.registry import get_task
    >>> data = get_task("folder:drums").load()
    >>> sources = BackgroundSources(("synthetic",), window_seconds=0.1)
    >>> more = with_background(data, sources, seed=0)
    >>> more.labels, more.background, more.splits["test"].n_examples
    (('kick', 'snare', 'background'), 'background', 3)
    """
    if sources is None:
        return data
    if data.multi_label:
        raise UserError(
            f"clips of {name} may have several labels, or none, which --background "
            "can't add to: leave it out, and put such sounds among the clips without "
            "a label, or into a folder background"
        )
    known = _told(data, known)
    clips, lines = sources.added(known)
    of_split = sources.split(clips, known, seed)
    label = background_label(data.labels, data.background)
    labels = (*data.labels, *(() if label in data.labels else (label,)))
    splits = {
        split: joined(data.splits[split], sources.clip_set(added, label, labels))
        if added
        else data.splits[split]
        for split, added in of_split.items()
    }
    counts = ", ".join(f"{len(of_split[split])} {split}" for split in SPLITS)
    line = (
        f"the class {label!r} has {counted(sum(map(len, clips)), 'clip')} "
        f"by --background ({counts}): {'; '.join(lines)}"
    )
    note(line)
    mark = data.fingerprint
    if mark is not None:
        mark = fingerprint([mark, *sorted(c.sound for some in clips for c in some)])
    return dataclasses.replace(
        data,
        labels=labels,
        splits=splits,
        fingerprint=mark,
        background=label,
        notes=(*data.notes, line),
    )


def all_added(clip_set, labels, background, sources, known):
    """A set of all clips of a task, with all of its background behind them.

    Args:
        clip_set: `ClipSet` of all clips.
        labels: Labels of it, the background's among them.
        background: Background of the task itself, or None.
        sources: `BackgroundSources`.
        known: `Known` of the task.
    """
    clips, _ = sources.added(known)
    label = background_label(labels, background)
    added = [clip for of_source in clips for clip in of_source]
    return joined(clip_set, sources.clip_set(added, label, labels))


def gaps(events, seconds):
    """The parts of a recording beside events, [(start, end)] in order.

    Args:
        events: (start, end) of each, seconds, in any order; they may overlap.
        seconds: Length of the recording.

    >>> gaps([(4.0, 5.0), (1.0, 2.0), (1.5, 3.0)], 6.0)
    [(0.0, 1.0), (3.0, 4.0), (5.0, 6.0)]
    """
    from training.tasks.own.tables.background import gaps as beside

    return beside(events, seconds)


def _told(data, known):
    """What `TaskData` tells, beside what is known without it."""
    known = known or Known(0, 0)
    placed = {
        group: split
        for split, clips in data.splits.items()
        for group in clips.groups or ()
    }
    sounds = frozenset(
        clip.sound for clips in data.splits.values() for clip in clips.clips or ()
    )
    n_clips = sum(clips.n_examples for clips in data.splits.values())
    return known._replace(
        n_clips=n_clips, n_classes=len(data.labels), placed=placed, sounds=sounds
    )


def _grouped(pieces, groups, known):
    """Pairs of clips and their groups: of few recordings, parts of each."""
    of_clips = [groups[clip.path] for clip in pieces]
    open_groups = {group for group in of_clips if group not in known.placed}
    if len({*of_clips}) >= _FEW or len(open_groups) < len({*of_clips}):
        return zip(pieces, of_clips)
    seconds: dict[Path, float] = {}
    for clip in pieces:
        end = clip.heard.last / clip.heard.sample_rate
        seconds[clip.path] = max(end, seconds.get(clip.path, 0.0))
    parts = [
        int(_PARTS * clip.heard.first / clip.heard.sample_rate / seconds[clip.path])
        for clip in pieces
    ]
    return [
        (clip, f"{group}, part {part + 1} of {_PARTS}")
        for clip, group, part in zip(pieces, of_clips, parts)
    ]


def _without_copies(paths):
    """Paths without files whose content an earlier one has, too."""
    of_size: dict[int, list[Path]] = {}
    for path in paths:
        of_size.setdefault(path.stat().st_size, []).append(path)
    copies = set()
    for same_size in of_size.values():
        contents = set()
        for path in same_size if len(same_size) > 1 else ():
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
            content = digest.digest()
            if content in contents:
                copies.add(path)
            contents.add(content)
    return [path for path in paths if path not in copies]


def _indexed(clips, reading, label, index):
    """The `ClipSet` of `Added`s that a reading reads."""
    import numpy as np

    return ClipSet.by_index(
        len(clips),
        reading.at,
        lambda: np.full(len(clips), index, np.int64),
        [ListedClip(clip.sound, label, clip.name) for clip in clips],
        groups=[clip.group for clip in clips],
        waveforms=reading,
    )
