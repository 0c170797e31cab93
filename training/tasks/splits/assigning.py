"""Clips put into splits: given ones kept, groups whole, folds dealt, the rest drawn."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from leaf_files.command_line import a_few, counted, note, warn
from leaf_files.errors import UserError
from training.settings.config import LEAVE_ONE_GROUP_OUT
from training.tasks.clip_sets import SPLITS
from training.tasks.splits.at_random import split_clips, too_few
from training.tasks.splits.groups import (
    TEST,
    TRAIN,
    VALIDATION,
    dealt_groups,
    fold_groups,
    split_fold,
    split_groups,
)

_HELD_OUT = (TEST, VALIDATION)  # the more important one first
_OTHERWISE = (
    "name groups that are smaller with --group-pattern, or split without groups by "
    "--group-by none"
)


class Unsplit(NamedTuple):
    """A clip that is to be put into a split.

    Attributes:
        name: Name for people.
        identity: Identity of its sound: copies are never in two splits.
        labels: Names of its classes.
        group: Group, or None where groups aren't known, for all clips alike.
        given: Split that the data gives, or None.
        is_silent: Whether there is nothing but silence, whose copies are no matter.
        balance: Labels that splits balance, if not `labels`, such as those of all
            columns.

    >>> Unsplit("a.wav", "9f3c", ("dog",), group="ann").group
    'ann'
    """

    name: str
    identity: str
    labels: tuple[str, ...]
    group: str | None = None
    given: str | None = None
    is_silent: bool = False
    balance: tuple[str, ...] = ()


class Assigned(NamedTuple):
    """The splits of clips.

    Attributes:
        splits: Split of each clip.
        notes: Lines on how it was done.
        warnings: Lines on what may not be meant.

    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     Assigned(["test"], ["fold 0 of 5 tests"], ["no class trains"]).tell()
    fold 0 of 5 tests
    warning: no class trains
    """

    splits: list[str]
    notes: list[str]
    warnings: list[str]

    def tell(self):
        """Says on stderr how it was done, and what may not be meant."""
        for line in self.notes:
            note(line)
        for line in self.warnings:
            warn(line)


class Assigning:
    """The work of `Splitting.assign`.

    Args:
        how: The `Splitting`, whose folds count here.
        clips, labels, seed, multi_label: See `Splitting.assign`.

    >>> from training.tasks.splits.splitting import Splitting
    >>> clips = [Unsplit(f"{n}.wav", f"{n}", ("cat" if n < 10 else "dog",))
    ...          for n in range(20)]
    >>> assigned = Assigning(Splitting(), clips, ("cat", "dog"), 0, False).run()
    >>> assigned.splits.count("test")
    2
    """

    def __init__(self, how, clips, labels, seed, multi_label):
        self._how = how
        self._clips = clips
        self._labels = labels
        self._seed = seed
        self._multi_label = multi_label
        self._has_groups = bool(clips) and clips[0].group is not None
        # Random splits within each class balance nothing else.
        self._is_plain = not (multi_label or any(clip.balance for clip in clips))
        self._notes: list[str] = []
        self._warnings: list[str] = []

    def run(self):
        """The `Assigned`; raises `UserError`s as `Splitting.assign`."""
        given = {clip.given for clip in self._clips} - {None}
        if given or self._has_groups:
            self._require_clips()
        if given:
            self._require_use_of(given)
        self._units = self._bound()
        splits = [clip.given for clip in self._clips]
        if given:
            self._follow(splits)
            missing = [split for split in _HELD_OUT if split not in given]
            self._draw_missing(splits, missing)
        else:
            self._draw(splits, range(len(splits)), list(_HELD_OUT))
        if given or self._has_groups or not self._is_plain or self._how.folds:
            self._check(splits)
        return Assigned(splits, self._notes, self._warnings)

    def _require_clips(self):
        used = {label for clip in self._clips for label in clip.labels}
        empty = [label for label in self._labels if label not in used]
        if empty:
            raise UserError(
                f"{_classes(empty)} no clips: add some, or leave {_it(empty)} out"
            )

    def _require_use_of(self, given):
        """Refuses folds of clips whose splits are given, and groups in two splits."""
        if self._how.folds is not None:
            raise UserError(
                f"the data says which clips are of {_listed(given)}, and --folds "
                "draws other splits: leave it out, or take the splits out of the data"
            )
        split_of = defaultdict(set)
        for clip in self._clips:
            if clip.given and clip.group is not None:
                split_of[clip.group].add(clip.given)
        torn = [
            f"{g} ({_listed(s)})" for g, s in sorted(split_of.items()) if len(s) > 1
        ]
        if torn:
            raise UserError(
                f"{counted(len(torn), 'group is', 'groups are')} in two of the splits "
                f"that the data gives: {a_few(torn)}; put each into one, or go without "
                "groups by --group-by none"
            )
        places: dict[str, dict[str, str]] = defaultdict(dict)
        for clip in self._clips:
            if clip.given and not clip.is_silent:
                places[clip.identity].setdefault(clip.given, clip.name)
        twice = [
            " = ".join(names.values()) for names in places.values() if len(names) > 1
        ]
        if twice:
            self._warnings.append(
                f"{counted(len(twice), 'sound is', 'sounds are')} in two of the splits "
                f"that the data gives, so that scores say less: {a_few(twice)}"
            )

    def _bound(self):
        """The group or the sound of each clip, which goes to one split as a whole.

        Groups that share a sound are one.
        """
        if not self._has_groups:
            return [clip.identity for clip in self._clips]
        first: dict[str, str] = {}
        parent: dict[str, str] = {}

        def root(group):
            while parent.setdefault(group, group) != group:
                parent[group] = group = parent[parent[group]]
            return group

        pairs = []
        for clip in self._clips:
            group = root(clip.group)
            if clip.is_silent:
                continue
            other = root(first.setdefault(clip.identity, clip.group))
            if group != other:
                pairs.append(f"{clip.group} and {first[clip.identity]}")
                low, high = sorted((group, other))
                parent[high] = low
        if pairs:
            self._warnings.append(
                f"groups share copies of a sound, and are split as one: {a_few(pairs)}"
            )
        return [root(clip.group) for clip in self._clips]

    def _follow(self, splits):
        """Puts clips without a given split where their group or their copies are."""
        # By their own groups first: those that share a sound may be given two splits.
        for units in ([clip.group for clip in self._clips], self._units):
            given = defaultdict(set)
            for unit, split in zip(units, splits):
                if split and unit is not None:
                    given[unit].add(split)
            for n, (unit, split) in enumerate(zip(units, splits)):
                if not split and given[unit]:
                    splits[n] = next(s for s in SPLITS if s in given[unit])

    def _draw_missing(self, splits, missing):
        """Draws the splits that the data doesn't give out of what trains."""
        pool = [n for n, split in enumerate(splits) if split in (None, TRAIN)]
        if not missing or not pool:
            for n in pool:
                splits[n] = TRAIN
            return
        self._draw(splits, pool, missing)
        for split in missing:
            self._notes.append(
                f"the data gives no {split} split: {splits.count(split)} of "
                f"{len(pool)} clips are drawn for it"
            )

    def _draw(self, splits, pool, held_out):
        """Splits the clips of some numbers; changes `splits`."""
        clips = [self._clips[n] for n in pool]
        units = [self._units[n] for n in pool]
        balance = [clip.balance or clip.labels for clip in clips]
        is_plain = self._is_plain and held_out == list(_HELD_OUT)
        if self._has_groups:
            self._require_groups(units, len(held_out) + 1)
        if self._how.folds is not None:
            drawn = self._fold(clips, units, balance)
        elif self._has_groups or not is_plain:
            drawn = split_groups(units, balance, self._seed, held_out)
        else:
            sounds = [(clip.identity, clip.labels[0]) for clip in clips]
            drawn = split_clips(sounds, self._labels, self._seed, held_out)
        for n, split in zip(pool, drawn):
            splits[n] = split

    def _require_groups(self, units, least):
        names = sorted(set(units))
        if len(names) < least:
            what = "validate and test" if least == 3 else "validate or test"
            raise UserError(
                f"the clips come from {counted(len(names), 'group', 'groups')} "
                f"({a_few(names)}); at least {least} are needed, one each to train, "
                f"{what}: {_OTHERWISE}"
            )

    def _fold(self, clips, units, balance):
        how = self._how
        if not (self._has_groups or self._multi_label):
            sounds = [(unit, clip.labels[0]) for unit, clip in zip(units, clips)]
            few = too_few(sounds, self._labels)
            if few:
                raise UserError(few)
        dealt = dealt_groups(units, balance)
        what = "groups" if self._has_groups else "distinct clips"
        is_one_out = how.folds == LEAVE_ONE_GROUP_OUT
        n_folds = len(dealt) if is_one_out else how.folds
        if is_one_out and not self._has_groups:
            raise UserError(
                "--folds groups leaves one group out, and the groups of these clips "
                "aren't known; say them with --group-pattern"
            )
        if n_folds > len(dealt) or n_folds < 2:
            raise UserError(
                f"--folds {how.folds} needs at least {max(2, n_folds)} {what} whose "
                f"classes others have, too. Received: {len(dealt)}; choose fewer folds"
            )
        fold = self._seed % n_folds if how.fold is None else how.fold
        if fold >= n_folds:
            raise UserError(
                f"--fold must be below {n_folds}, the number of folds, counted from 0. "
                f"Received: {fold}"
            )
        if is_one_out:
            place = {unit: n for n, unit in enumerate(dealt)}
            folds = [place.get(unit, -1) for unit in units]
        else:
            folds = fold_groups(units, balance, n_folds)
        tests = f" ({dealt[fold]})" if is_one_out else ""
        self._notes.append(
            f"fold {fold} of {n_folds}{tests} tests, counted from 0; "
            + (
                f"fold {(fold + 1) % n_folds} validates"
                if n_folds > 2
                else "a tenth of the other one validates"
            )
        )
        return split_fold(folds, units, balance, fold, self._seed)

    def _check(self, splits):
        """Refuses splits that can't be used; warns of classes that some lack."""
        held = {
            split: {
                label
                for clip, s in zip(self._clips, splits)
                if s == split
                for label in clip.labels
            }
            for split in SPLITS
        }
        empty = [split for split in SPLITS if split not in splits]
        if empty:
            raise UserError(
                f"no clips are left to {' and '.join(map(_verb, empty))}: "
                + (_OTHERWISE if self._has_groups else "add clips")
            )
        alone = self._of_one_group() if self._has_groups else {}
        least = 1 if self._multi_label else min(2, len(self._labels))
        if len(held[TEST]) < least:
            why = ""
            if len(self._labels) - len(alone) < least:
                pairs = [f"{label!r} ({group})" for label, group in alone.items()]
                why = (
                    f"{counted(len(alone), 'class comes', 'classes come')} from one "
                    f"group only, which trains, such as {a_few(pairs)}, and "
                )
            raise UserError(
                f"{why}the test split has "
                f"{counted(len(held[TEST]), 'class', 'classes')} of "
                f"{len(self._labels)} ({a_few(sorted(held[TEST])) or 'none'}), which "
                "says nothing about telling classes apart: "
                + (_OTHERWISE if self._has_groups else "add clips of other classes")
            )
        trained_only = {
            label: group
            for label, group in alone.items()
            if label not in held[TEST] | held[VALIDATION]
        }
        if trained_only:
            listed = [f"{label!r} ({group})" for label, group in trained_only.items()]
            self._warnings.append(
                f"{counted(len(listed), 'class comes', 'classes come')} from one group "
                f"only, which trains and tests nothing: {a_few(listed)}"
            )
        for split in SPLITS:
            lacking = [
                label
                for label in self._labels
                if label not in held[split] and label not in trained_only
            ]
            if lacking:
                self._warnings.append(
                    f"{counted(len(lacking), 'class is', 'classes are')} not in the "
                    f"{split} split: {a_few([repr(label) for label in lacking])}"
                )

    def _of_one_group(self):
        """{class: its only group} of the classes that have one."""
        groups = defaultdict(set)
        for clip, unit in zip(self._clips, self._units):
            for label in clip.labels:
                groups[label].add(unit)
        return {
            label: next(iter(groups[label]))
            for label in self._labels
            if len(groups[label]) == 1
        }


def _classes(labels):
    named = a_few([repr(label) for label in labels])
    return f"class {named} has" if len(labels) == 1 else f"classes {named} have"


def _it(labels):
    return "it" if len(labels) == 1 else "them"


def _listed(splits: Iterable[str]):
    """Names of splits, "train, validation and test"."""
    *others, last = sorted(splits, key=SPLITS.index)
    return f"{', '.join(others)} and {last}" if others else last


def _verb(split):
    return {TRAIN: "train", VALIDATION: "validate", TEST: "test"}[split]
