"""Clips of the background, whatever they are made of, and what they are added to."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.tasks.background.synthetic import SyntheticReading, SyntheticSound
from training.tasks.clip_sets import ClipSet, ListedClip
from training.tasks.joining import joined
from training.tasks.own.reading import ClipReading, targets_of
from training.tasks.own.surveying import OwnClip


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


def clip_set(clips, label, labels):
    """The `ClipSet` of added clips.

    Args:
        clips: `Added`s.
        label: Their label; None for clips without one, of a task of several labels.
        labels: Labels of the task, this one among them.

    >>> sound = SyntheticSound(0, 1.0)
    >>> added = Added(sound.name, sound.sound(8000), sound.name, sound)
    >>> clip_set([added], "rest", ("dog", "rest")).read_labels()
    array([1])
    """
    target: np.int64 | np.ndarray = np.zeros(len(labels), np.float32)
    if label is not None:
        target = np.int64(list(labels).index(label))
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
            reading = SyntheticReading(made, target)
        else:
            own = () if label is None else (label,)
            relabelled = [
                dataclasses.replace(m, entry=dataclasses.replace(m.entry, labels=own))
                for m in made
            ]
            targets = targets_of(relabelled, list(labels), label is None)
            reading = ClipReading(relabelled, targets, Path(), None)
        sets.append(_indexed(of_kind, reading, label or "", target))
    return sets[0] if len(sets) == 1 else joined(*sets)


def _indexed(clips, reading, label, target):
    """The `ClipSet` of `Added`s that a reading reads."""
    return ClipSet.by_index(
        len(clips),
        reading.at,
        lambda: np.stack([target] * len(clips)),
        [ListedClip(clip.sound, label, clip.name) for clip in clips],
        groups=[clip.group for clip in clips],
        waveforms=reading,
    )
