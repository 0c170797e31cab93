"""Clips of the user's own, from what a folder or a table says of them to a task's data.

A kind of task lists `Entry`s; here they are heard, split and opened.
"""

import abc
import contextlib
import dataclasses
import functools
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from leaf_files.clips import read_clip, read_stretch
from leaf_files.command_line import a_few, note, one_line, warn
from leaf_files.errors import UserError
from leaf_files.fingerprints import near_duplicates, unpacked
from leaf_files.labels import label_faults, similar_labels, spelled_as
from leaf_files.oddities import warn_of_all, warn_of_silent_classes
from leaf_files.run_folder import LABEL_SEPARATOR
from leaf_files.walk import cannot_be_used
from training.tasks import leakage
from training.tasks.assigning import Assigned, Unsplit
from training.tasks.clip_sets import SPLITS, ClipSet, ListedClip, TaskData
from training.tasks.entries import Entry
from training.tasks.hearing import WHOLE, Heard, Stretch, hear_all
from training.tasks.index import USE, open_index
from training.tasks.sounds import Sounds
from training.tasks.splits import SOUND_DIGITS
from training.tasks.splitting import Splitting

_BAD_CLIPS_NAMED = 3
_ROUNDED_SECONDS = 0.01
_MANY = 10_000  # clips


@dataclasses.dataclass(frozen=True)
class Listing:
    """Content of a folder or a table, before any clip is opened.

    Attributes:
        entries: The clips, in an order that no locale and no file system changes.
        labels: Names of all classes, with or without clips, sorted; of a multi-label
            task without the background.
        multi_label: Whether a clip may have several labels, or none.
        background: The class that stands for none of the classes, or None.
        bad: Lines on what was meant to be a clip, and can't be one.
        faults: Lines on what forbids the use of the whole, before clips are opened.
        warnings: Lines on what may not be meant, for a task that is learned.
        notes: Lines on what the data was taken for.
        passed_over: Line on what is no clip; "" if there is nothing.

    >>> Listing([Entry(Path("dog/a.wav"), ("dog",))], ("cat", "dog")).multi_label
    False
    """

    entries: Sequence[Entry]
    labels: tuple[str, ...]
    multi_label: bool = False
    background: str | None = None
    bad: Sequence[str] = ()
    faults: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    passed_over: str = ""


@dataclasses.dataclass(frozen=True)
class Opening:
    """The way in which clips are opened; what comes of it is the same.

    Attributes:
        index: Use of the index of what was heard before, see `FitConfig.index`.
        sample_rate: Rate in Hz at which waveforms are kept in memory as they are
            heard, as long as they fit; None for not at all.

    >>> Opening.of(None)
    Opening(index='use', sample_rate=None)
    """

    index: str = USE
    sample_rate: int | None = None

    @classmethod
    def of(cls, config):
        """The `Opening` by a `FitConfig`, or None."""
        if config is None:
            return cls()
        keeps = config.cache != "none"
        return cls(config.index, config.sample_rate if keeps else None)


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
        return _stretch(self.entry)

    def name(self, folder):
        """Path below a folder, or an absolute one, and the seconds of a stretch."""
        name = _name_below(self.path, folder)
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
        assigned: Their splits, `training.tasks.assigning.Assigned`; None if they can't
            be split.
        splitting: `Splitting` by which they were.
        sounds: `Sounds` that hold waveforms of the clips, or None.

    >>> from training.tasks.folder import FolderTask
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
        return _groups(self.clips)

    @functools.cached_property
    def near_duplicates(self):
        """Pairs that sound alike, see `leaf_files.fingerprints.near_duplicates`."""
        return alike([unpacked(clip.heard.landmarks) for clip in self.clips])

    @property
    def leaks(self):
        """Lines on each kind of leakage that a model's score won't tell."""
        splits = self.assigned and self.assigned.splits
        entries = [clip.entry for clip in self.clips]
        lines = [_name_lines(entries, self.names, self.splitting)]
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


def _name_below(path, folder):
    """A path relative to a folder, with "/"; as it is if it is located elsewhere."""
    # Of a million clips, several times; `relative_to` takes ten times as long.
    return path.as_posix().removeprefix(folder.as_posix().rstrip("/") + "/")


class OwnTask(abc.ABC):
    """A task of the user's own clips; each kind lists them in its own way.

    Attributes:
        path: Path of the folder or the file that lists them.
        folder: Folder that names of clips are relative to.
        metric: Main metric of the task.
        skip_bad_clips: Whether clips that can't be used are named and left out.
        splitting: `Splitting` by the settings of the run.
        opening: `Opening` by them.

    >>> from training.tasks.folder import FolderTask
    >>> FolderTask(Path("drums")).is_same(FolderTask(Path("drums/../drums")))
    True
    """

    path: Path
    metric: str
    skip_bad_clips: bool
    splitting: Splitting
    opening: Opening
    why_not_split = ""  # they can be split in any way
    can_be_multi_label = False
    needs = "at least two subfolders of clips"

    @property
    @abc.abstractmethod
    def name(self) -> str:
        """Name of the task, as in `--task`."""

    @property
    @abc.abstractmethod
    def folder(self) -> Path: ...

    @abc.abstractmethod
    def listing(self, multi_label: bool | None = None) -> Listing:
        """The `Listing` of the clips; raises a `UserError` if there can be none.

        Args:
            multi_label: True for clips that may have several labels, or none, in any
                case; None for what the data says.
        """

    @abc.abstractmethod
    def tell_passed_over(self) -> None:
        """Names on stderr what is no clip, without reading clips."""

    def is_same(self, other):
        """Whether another task is this one, however its path is spelled."""
        return self.is_kind_of(other) and self.path.resolve() == other.path.resolve()

    def is_kind_of(self, other):
        """Whether another task is this one but for its path."""
        return type(self) is type(other)

    def require_outside(self, path):
        """Refuses a place for files inside the task's folder.

        Raises:
            UserError: It is there.
        """
        if path.resolve().is_relative_to(self.path.resolve()):
            raise UserError(
                f"{path} lies in the folder of the clips, where it would be taken for "
                "a class; name an --output outside of it"
            )

    @property
    def multi_label(self):
        """Whether a clip may have several labels, or none, as `Listing` says."""
        return self.listing().multi_label

    @property
    def tells_of_clips(self):
        """Whether it says what is said of clips, where several tasks have the same."""
        return True

    def tell_groups_in_names(self):
        """Says on stderr what groups names suggest if none are known; reads no clips.

        Says nothing of clips that can't be listed.
        """
        with contextlib.suppress(UserError):
            entries, fault = self._with_groups(self.listing())
            names = [_name_below(entry.path, self.folder) for entry in entries]
            if entries and not fault:
                leakage.tell(_name_lines(entries, names, self.splitting))

    def load(self, data_dir=None, seed=0):
        """Opens all clips and splits them, see `Splitting.assign`.

        Args:
            data_dir: Ignored: the path is the data.
            seed: Seed of the split, an int.

        Returns:
            A `TaskData`.

        Raises:
            UserError: The clips can't be listed, one class, names that can't be labels,
                too few clips to split, clips that can't be used unless they are to be
                skipped: all of it in one message.
        """
        return self.load_clips(seed)[0]

    def load_clips(self, seed=0):
        """Opens all clips and splits them, as `load` does.

        Returns:
            (the `TaskData`, {split: its `OwnClip`s}).
        """
        survey = self.survey(seed)
        listing, clips, assigned = survey.listing, survey.clips, survey.assigned
        labels = listing.labels
        if assigned is None or survey.faults:
            self._refuse(survey.faults, listing, clips)
        _tell(listing)
        _warn(similar_labels(labels), *listing.warnings, _shared_words(listing, clips))
        assigned.tell()
        leaks = survey.leaks if self.tells_of_clips else []
        for lines in leaks:
            leakage.tell(lines)
        of_split = {
            split: [clip for clip, s in zip(clips, assigned.splits) if s == split]
            for split in SPLITS
        }
        data = TaskData(
            tuple(labels),
            {
                split: self._clip_set(
                    members, labels, listing.multi_label, survey.sounds
                )
                for split, members in of_split.items()
            },
            listing.multi_label,
            background=listing.background,
            given_splits=tuple(
                s for s in SPLITS if any(c.entry.split == s for c in clips)
            ),
            notes=(
                *assigned.notes,
                *assigned.warnings,
                *("; ".join(lines) for lines in leaks),
            ),
        )
        return data, of_split

    def survey(self, seed=0):
        """Opens all clips and splits them, whether they can be learned or not.

        Args:
            seed: Seed of the split, an int.

        Returns:
            A `Survey`.

        Raises:
            UserError: The clips can't be listed, or have one class or no groups where
                some are asked for.
        """
        listing = self.listing()
        labels = listing.labels
        faults = [*listing.faults, *_label_faults(labels)]
        if len(labels) < 2 and not listing.faults:
            one = f"one class only, {labels[0]!r}" if labels else "no classes"
            faults.append(f"{self.path} has {one}; a classifier needs {self.needs}")
        if len(labels) < 2:
            if listing.bad:
                n_clips = len(listing.entries) + len(listing.bad)
                few = a_few(listing.bad, _BAD_CLIPS_NAMED, "; ")
                faults.append(f"{cannot_be_used(listing.bad, n_clips)}: {few}")
            self._refuse(faults, listing)
        entries, fault = self._with_groups(listing)
        if fault:
            self._refuse([*faults, fault], listing)
        usable, bad, sounds = self._hear(entries, listing)
        faults += [bad] if bad else []
        assigned = None
        try:
            assigned = self.splitting.assign(
                [clip.unsplit(self.folder) for clip in usable],
                labels,
                seed,
                listing.multi_label,
            )
        except UserError as error:
            faults.append(str(error))
        names = [clip.name(self.folder) for clip in usable]
        how = self.splitting
        return Survey(listing, usable, names, faults, assigned, how, sounds)

    def load_all(self, labels, multi_label=None):
        """Opens all clips as one set, for a model that knows its labels.

        Args:
            labels: Labels of the model; the clips may lack some of them.
            multi_label: Whether the model gives a clip several labels, or none; None
                for one that does as the clips have it.

        Returns:
            A `ClipSet`.

        Raises:
            UserError: See `load`, though one clip of one class is enough here; also a
                class that isn't among `labels`.
        """
        listing = self.listing(True) if multi_label else self.listing()
        spelled = spelled_as(labels)
        named = dict.fromkeys(label for e in listing.entries for label in e.labels)
        unknown = [label for label in sorted(named) if spelled(label) not in labels]
        faults = [*listing.faults]
        if listing.multi_label and multi_label is False:
            faults.append(
                f"clips of {self.path} have several labels, and the model gives one"
            )
        if unknown:
            faults.append(
                f"{self.path} has classes that the model doesn't know: "
                f"{', '.join(unknown)}; it knows {', '.join(labels)}"
            )
        elif not listing.entries and not listing.bad:
            faults.append(f"{self.path} holds no audio files")
        if faults:
            self._refuse(faults, listing)
        entries, _ = self._with_groups(listing)
        usable, bad, sounds = self._hear(entries, listing)
        if bad:
            self._refuse([bad], listing, usable)
        if not usable:
            self._refuse([f"{self.path} holds no clip that can be used"], listing)
        _tell(listing)
        _warn(_shared_words(listing, usable))
        known = [_spelled(clip, spelled) for clip in usable]
        return self._clip_set(known, labels, listing.multi_label, sounds)

    def _refuse(self, faults, listing, usable=()):
        """Raises all faults as one `UserError`.

        Args:
            faults: Lines, at least one.
            listing: The `Listing`; the message names what it passed over.
            usable: `OwnClip`s; the message names those in several classes.
        """
        refuse(faults, self.path, listing.passed_over, _shared_words(listing, usable))

    def _with_groups(self, listing):
        """(entries with the groups that the run's settings say, a line of faults)."""
        names = [_name_below(entry.path, self.folder) for entry in listing.entries]
        given = _told_groups(listing.entries)
        groups, fault = self.splitting.groups(names, given)
        entries = [
            dataclasses.replace(entry, group=groups[n] if groups else None)
            for n, entry in enumerate(listing.entries)
        ]
        return entries, fault

    def _hear(self, entries, listing):
        """Reads each file once, before any long work.

        Args:
            entries: `Entry`s with their groups.
            listing: The `Listing` that they are of.

        Returns:
            (`OwnClip`s that can be used, a line about the others, `Sounds` or None):
            the line is "" if there are none, or they are to be skipped.
        """
        wanted = defaultdict(list)
        for entry in entries:
            wanted[entry.path].append(_stretch(entry))
        sounds = None
        if self.opening.sample_rate is not None:
            sounds = Sounds.in_free_memory(self.opening.sample_rate)
        index = open_index(self.opening.index)
        try:
            heard_of = hear_all(wanted, index, sounds)
        finally:
            if index is not None:
                index.close()
        heard = {path: iter(of_path) for path, of_path in heard_of.items()}
        results = [(entry, next(heard[entry.path])) for entry in entries]
        usable = [OwnClip(e, one) for e, one in results if isinstance(one, Heard)]
        _warn_of_sound(usable)
        errors = [
            *listing.bad,
            *(str(error) for _, error in results if isinstance(error, UserError)),
        ]
        if not errors:
            return usable, "", sounds
        n_clips = len(entries) + len(listing.bad)
        summary = cannot_be_used(errors, n_clips)
        errors = list(dict.fromkeys(errors))  # one of a file counts for all its clips
        if not self.skip_bad_clips:
            fault = (
                f"{summary}; mend or remove them, or leave them out with "
                f"--skip-bad-clips: {a_few(errors, _BAD_CLIPS_NAMED, '; ')}"
            )
            return usable, fault, sounds
        lines = map(one_line, errors)
        print(f"{summary} and are skipped:", *lines, sep="\n  ", file=sys.stderr)
        return usable, "", sounds

    def _clip_set(self, clips, labels, multi_label, sounds):
        targets = _targets(clips, labels, multi_label)
        reading = _Reading(clips, targets, self.folder, sounds)
        return ClipSet.by_index(
            len(clips),
            reading.at,
            lambda: targets,
            [clip.listed(self.folder) for clip in clips],
            groups=_groups(clips),
            weighted=reading.weighted,
            waveforms=reading,
        )


def refuse(faults, path, *beside):
    """Raises all faults as one `UserError`.

    Args:
        faults: Lines, at least one.
        path: Path of the folder or the file that lists the clips.
        beside: Lines to add, or "".

    >>> refuse(["no labels", "no groups"], "notes.csv")
    Traceback (most recent call last):
    leaf_files.errors.UserError: notes.csv can't be used: (1) no labels; (2) no groups
    """
    if len(faults) > 1:
        numbered = [f"({i}) {fault}" for i, fault in enumerate(faults, 1)]
        faults = [f"{path} can't be used: {'; '.join(numbered)}"]
    raise UserError("; ".join([*faults, *filter(None, beside)]))


def _stretch(entry):
    return Stretch(entry.start, entry.end)


def _name_lines(entries, names, splitting):
    """`leakage.name_lines` where neither groups nor splits are known; else []."""
    is_known = any(entry.group is not None or entry.split for entry in entries)
    if is_known or splitting.group_by is not None:
        return []
    labels = [LABEL_SEPARATOR.join(entry.labels) for entry in entries]
    return leakage.name_lines(names, labels)


def _told_groups(entries):
    """The group that each entry tells, or None.

    That of a stretch is its recording, unless it tells another one; so it is of whole
    recordings beside stretches, where no groups are told.
    """
    are_stretches = [_stretch(entry) != WHOLE for entry in entries]
    is_told = any(entry.group is not None for entry in entries)
    by_recording = any(are_stretches) and not is_told
    return [
        entry.path.as_posix()
        if entry.group is None and (is_stretch or by_recording)
        else entry.group
        for entry, is_stretch in zip(entries, are_stretches)
    ]


def _groups(clips):
    """The group of each clip; None where groups aren't known."""
    groups = [clip.entry.group for clip in clips]
    return None if None in groups else groups


def _spelled(clip, spelled):
    """A clip with its labels spelled as a model does."""
    labels = tuple(map(spelled, clip.labels))
    entry = dataclasses.replace(clip.entry, labels=labels)
    return dataclasses.replace(clip, entry=entry)


def _targets(clips, labels, multi_label):
    """Class indices, int64 (n_clips,), or float32 (n_clips, n_classes) of 0 and 1."""
    place = {label: n for n, label in enumerate(labels)}
    if not multi_label:
        return np.array([place[clip.labels[0]] for clip in clips], np.int64)
    hot = np.zeros((len(clips), len(labels)), np.float32)
    for row, clip in zip(hot, clips):
        row[[place[label] for label in clip.labels]] = 1
    return hot


class _Reading:
    """Reads clips, in a graph and outside: `ClipSet.at` and `ClipSet.waveforms`.

    Args:
        clips: `OwnClip`s.
        targets: Their labels.
        folder: Folder that names of clips are relative to.
        sounds: `Sounds` of them, or None.
    """

    def __init__(self, clips, targets, folder, sounds):
        self._clips = clips
        self._targets = targets
        self._folder = folder
        keys = [(clip.path, clip.stretch) for clip in clips]
        if sounds is None or not all(key in sounds.places for key in keys):
            sounds = None
        self._sounds = sounds
        self._places = sounds and np.array([sounds.places[k] for k in keys], np.int64)
        self.weighted = any(clip.entry.weight != 1 for clip in clips)

    def in_memory(self, sample_rate):
        """Whether the waveforms of a rate in Hz are in memory."""
        return self._sounds is not None and self._sounds.sample_rate == sample_rate

    def read(self, sample_rate, index):
        """The waveform of the clip at an index, an int; from any thread."""
        if self.in_memory(sample_rate):
            return self._sounds.waveform(*self._places[index])
        clip = self._clips[index]
        if clip.stretch == WHOLE:
            return read_clip(clip.path, sample_rate)[0]
        first, last = clip.heard.first, clip.heard.last
        return read_stretch(clip.path, first, last, sample_rate)[0]

    def at(self, sample_rate):
        """See `ClipSet.at`."""
        waveform = self._waveform(sample_rate)
        tensors = {"label": self._labels, "clip": self._names}
        if self.weighted:
            tensors["weight"] = self._weights

        def clip(index):
            parts = {key: tensor[index] for key, tensor in tensors.items()}
            return {"waveform": waveform(index), **parts}

        return clip

    def _waveform(self, sample_rate):
        import tensorflow as tf

        from training.tasks import decoding

        if self.in_memory(sample_rate):
            everything, places = self._sounds.tensor(), tf.constant(self._places)

            def kept(index):
                start, samples = places[index, 0], places[index, 1]
                return everything[start : start + samples]

            return kept
        paths, encodings, rates = self._files

        def whole(index):
            return decoding.from_file(
                paths[index], encodings[index], rates[index], sample_rate
            )

        is_stretch = np.array([clip.stretch != WHOLE for clip in self._clips], bool)
        if not is_stretch.any():
            return whole
        firsts = tf.constant([clip.heard.first for clip in self._clips], tf.int64)
        lasts = tf.constant([clip.heard.last for clip in self._clips], tf.int64)
        which = tf.constant(is_stretch)
        return lambda index: tf.cond(
            which[index],
            lambda: decoding.from_stretch(
                paths[index], firsts[index], lasts[index], sample_rate
            ),
            lambda: whole(index),
        )

    # Made once for all that read the clips: of a million, each takes a second.

    @functools.cached_property
    def _files(self):
        """Tensors: paths, encodings, rates."""
        import tensorflow as tf

        clips = self._clips
        return (
            tf.constant([os.fsencode(clip.path) for clip in clips], tf.string),
            tf.constant([clip.heard.encoding for clip in clips], tf.string),
            tf.constant([clip.heard.sample_rate for clip in clips], tf.int64),
        )

    @functools.cached_property
    def _names(self):
        import tensorflow as tf

        names = [os.fsencode(clip.name(self._folder)) for clip in self._clips]
        return tf.constant(names, tf.string)

    @functools.cached_property
    def _labels(self):
        import tensorflow as tf

        return tf.constant(self._targets)

    @functools.cached_property
    def _weights(self):
        import tensorflow as tf

        return tf.constant([clip.entry.weight for clip in self._clips], tf.float32)


def _warn_of_sound(clips):
    """Says on stderr what is odd about clips, one line a kind."""
    names = {
        clip.path if clip.stretch == WHOLE else clip.name(Path()): clip.heard.oddities
        for clip in clips
    }
    warn_of_all(names, len(clips))
    cut = [clip.name(Path()) for clip in clips if clip.heard.is_cut]
    if cut:
        warn(
            f"{len(cut)} of {len(clips)} clips are stretches that end after their "
            f"recordings do, and are cut there: {a_few(cut)}"
        )
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


def _label_faults(labels):
    """A line about names of classes that can't be labels, in a list; or []."""
    faults = label_faults(labels)
    return faults and [
        f"names of classes that can't be labels, rename them: {', '.join(faults)}"
    ]


def _tell(listing):
    for line in filter(None, [listing.passed_over, *listing.notes]):
        note(line)


def _warn(*lines):
    for line in filter(None, lines):
        warn(line)


def _shared_words(listing, clips):
    """A line that names clips of one sound under several labels; or ""."""
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
        f"{a_few(pairs, _BAD_CLIPS_NAMED)}"
    )
