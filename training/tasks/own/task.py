"""Clips of the user's own, from what a folder or a table says of them to a task's data.

A kind of task lists `Entry`s; here they are heard, split and opened.
"""

import abc
import contextlib
import dataclasses
import math
import os
import sys
from collections import defaultdict
from pathlib import Path

from leaf_files.command_line import a_few, note, one_line, warn
from leaf_files.errors import UserError
from leaf_files.labels import label_faults, similar_labels, spelled_as
from leaf_files.walk import cannot_be_used
from training.tasks.background.adding import (
    all_added,
    background_label,
    with_background,
)
from training.tasks.background.clips import Known
from training.tasks.background.sources import BackgroundSources
from training.tasks.clip_sets import SPLITS, ClipSet, TaskData
from training.tasks.own.entries import name_below
from training.tasks.own.hearing import MOST_COMPARED, WHOLE, Heard, hear_all
from training.tasks.own.index import USE, open_index
from training.tasks.own.listing import Listing
from training.tasks.own.reading import ClipReading, targets_of
from training.tasks.own.sounds import Sounds
from training.tasks.own.surveying import (
    OwnClip,
    Survey,
    groups_of,
    name_lines_of,
    shared_sounds,
    stretch_of,
    warn_of_sound,
)
from training.tasks.splits import leakage
from training.tasks.splits.splitting import Splitting

_BAD_CLIPS_NAMED = 3


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


class OwnTask(abc.ABC):
    """A task of the user's own clips; each kind lists them in its own way.

    Attributes:
        path: Path of the folder or the file that lists them.
        folder: Folder that names of clips are relative to.
        metric: Main metric of the task.
        skip_bad_clips: Whether clips that can't be used are named and left out.
        splitting: `Splitting` by the settings of the run.
        opening: `Opening` by them.
        sources: `BackgroundSources` by them, or None.

    >>> from training.tasks.own.folder import FolderTask
    >>> FolderTask(Path("drums")).is_same(FolderTask(Path("drums/../drums")))
    True
    """

    path: Path
    metric: str
    skip_bad_clips: bool
    splitting: Splitting
    opening: Opening
    sources: BackgroundSources | None = None
    why_not_split = ""  # they can be split in any way
    is_multi_label = False  # as the settings say
    can_be_multi_label = False  # whatever they say, as labels are written down
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
            entries, fault = self._withgroups_of(self.listing())
            names = [name_below(entry.path, self.folder) for entry in entries]
            if entries and not fault:
                leakage.tell(name_lines_of(entries, names, self.splitting))

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
        data = self.load_clips(seed)[0]
        if self.sources is None:
            return data
        known = self._known(self.sources, 0, 0)
        return with_background(data, self.sources, seed, known)

    def load_clips(self, seed=0):
        """Opens all clips and splits them, as `load` does, without `sources`.

        Returns:
            (the `TaskData`, {split: its `OwnClip`s}).
        """
        survey = self.survey(seed)
        listing, clips, assigned = survey.listing, survey.clips, survey.assigned
        labels = listing.labels
        if assigned is None or survey.faults:
            self._refuse(survey.faults, listing, clips)
        _tell(listing)
        _warn(similar_labels(labels), *listing.warnings, shared_sounds(listing, clips))
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
        # Clips without a label are another class, in effect.
        has_none = listing.multi_label and not all(e.labels for e in listing.entries)
        least = 2 if self.sources is None and not has_none else 1
        if len(labels) < least and not listing.faults:
            one = f"one class only, {labels[0]!r}" if labels else "no classes"
            faults.append(f"{self.path} has {one}; a classifier needs {self.needs}")
        if len(labels) < least:
            if listing.bad:
                n_clips = len(listing.entries) + len(listing.bad)
                few = a_few(listing.bad, _BAD_CLIPS_NAMED, "; ")
                faults.append(f"{cannot_be_used(listing.bad, n_clips)}: {few}")
            self._refuse(faults, listing)
        entries, fault = self._withgroups_of(listing)
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

    def load_all(self, labels, multi_label=None, with_sources=False):
        """Opens all clips as one set, for a model that knows its labels.

        Args:
            labels: Labels of the model; the clips may lack some of them.
            multi_label: Whether the model gives a clip several labels, or none; None
                for one that does as the clips have it.
            with_sources: Whether to add the background of `sources`, if there is any.

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
        entries, _ = self._withgroups_of(listing)
        usable, bad, sounds = self._hear(entries, listing)
        if bad:
            self._refuse([bad], listing, usable)
        if not usable:
            self._refuse([f"{self.path} holds no clip that can be used"], listing)
        _tell(listing)
        _warn(shared_sounds(listing, usable))
        known = [_spelled(clip, spelled) for clip in usable]
        clips = self._clip_set(known, labels, listing.multi_label, sounds)
        if self.sources is None or not with_sources:
            return clips
        background = self._known(self.sources, len(known), len(listing.labels))
        label = background_label(labels, listing.background, listing.multi_label)
        return all_added(clips, labels, label, self.sources, background)

    def background_line(self, survey, seed):
        """A line on the background that `load` adds to the clips of a `Survey`, or "".

        Args:
            survey: The `Survey`, of clips that can be split.
            seed: Seed of the split, an int.
        """
        if self.sources is None:
            return ""
        listing, splits = survey.listing, survey.assigned.splits
        n_clips, n_classes = len(survey.clips), len(listing.labels)
        known = self._known(self.sources, n_clips, n_classes)._replace(
            placed=dict(zip(survey.groups or (), splits)),
            sounds=frozenset(c.listed(self.folder).sound for c in survey.clips),
        )
        label = background_label(
            listing.labels, listing.background, listing.multi_label
        )
        return self.sources.drawn(known, label, seed)[1]

    def _known(self, sources, n_clips, n_classes):
        """What is `Known` of the task before it is split."""
        listing = self.listing()
        known = Known(n_clips, n_classes)
        if sources.folders:
            paths = {os.path.realpath(entry.path) for entry in listing.entries}
            known = known._replace(paths=frozenset(paths))
        if not sources.takes_unlabelled:
            return known
        entries, _ = self._withgroups_of(listing)
        return known._replace(annotated=_annotated(entries, listing))

    def _refuse(self, faults, listing, usable=()):
        """Raises all faults as one `UserError`.

        Args:
            faults: Lines, at least one.
            listing: The `Listing`; the message names what it passed over.
            usable: `OwnClip`s; the message names those in several classes.
        """
        refuse(faults, self.path, listing.passed_over, shared_sounds(listing, usable))

    def _withgroups_of(self, listing):
        """(entries with the groups that the run's settings say, a line of faults)."""
        names = [name_below(entry.path, self.folder) for entry in listing.entries]
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
            wanted[entry.path].append(stretch_of(entry))
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
        if len(entries) > MOST_COMPARED:
            note(
                f"note: near duplicates are looked for among {MOST_COMPARED} clips at "
                f"most, and these are {len(entries)}: only exact copies are found"
            )
        warn_of_sound(usable)
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
        targets = targets_of(clips, labels, multi_label)
        reading = ClipReading(clips, targets, self.folder, sounds)
        return ClipSet.by_index(
            len(clips),
            reading.at,
            lambda: targets,
            [clip.listed(self.folder) for clip in clips],
            groups=groups_of(clips),
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


def _annotated(entries, listing):
    """{path of a recording of segments: ((start, end) of its events, its group)}."""
    events: dict = {path: [] for path in listing.annotated}
    groups: dict = defaultdict(set)
    whole = set()
    for entry in entries:
        if stretch_of(entry) == WHOLE:
            whole.add(entry.path)
        end = math.inf if entry.end is None else entry.end
        events.setdefault(entry.path, []).append((entry.start or 0.0, end))
        groups[entry.path].add(entry.group)
    return {
        path: (tuple(of_path), *(groups[path] if len(groups[path]) == 1 else {None}))
        for path, of_path in events.items()
        if path not in whole
    }


def _told_groups(entries):
    """The group that each entry tells, or None.

    That of a stretch is its recording, unless it tells another one; so it is of whole
    recordings beside stretches, where no groups are told.
    """
    are_stretches = [stretch_of(entry) != WHOLE for entry in entries]
    is_told = any(entry.group is not None for entry in entries)
    by_recording = any(are_stretches) and not is_told
    return [
        entry.path.as_posix()
        if entry.group is None and (is_stretch or by_recording)
        else entry.group
        for entry, is_stretch in zip(entries, are_stretches)
    ]


def _spelled(clip, spelled):
    """A clip with its labels spelled as a model does."""
    labels = tuple(map(spelled, clip.labels))
    entry = dataclasses.replace(clip.entry, labels=labels)
    return dataclasses.replace(clip, entry=entry)


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
