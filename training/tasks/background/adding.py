"""A task's clips with those of its background."""

import dataclasses

from leaf_files.command_line import note
from leaf_files.errors import UserError
from training.tasks.background.clips import Known, clip_set
from training.tasks.background.sources import LABEL
from training.tasks.identity import fingerprint
from training.tasks.joining import joined


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
    >>> from training.tasks.background.sources import BackgroundSources
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
    label = background_label(data.labels, data.background)
    of_split, line = sources.drawn(known, label, seed)
    labels = (*data.labels, *(() if label in data.labels else (label,)))
    splits = {
        split: joined(data.splits[split], clip_set(added, label, labels))
        if added
        else data.splits[split]
        for split, added in of_split.items()
    }
    note(line)
    mark = data.fingerprint
    if mark is not None:
        mark = fingerprint(
            [mark, *sorted(c.sound for s in of_split.values() for c in s)]
        )
    return dataclasses.replace(
        data,
        labels=labels,
        splits=splits,
        fingerprint=mark,
        background=label,
        notes=(*data.notes, line),
    )


def all_added(clips, labels, background, sources, known):
    """A set of all clips of a task, with all of its background behind them.

    Args:
        clips: `ClipSet` of all clips.
        labels: Labels of it, the background's among them.
        background: Background of the task itself, or None.
        sources: `BackgroundSources`.
        known: `Known` of the task.

    >>> from training.tasks.background.sources import BackgroundSources
    >>> from training.tasks.registry import get_task
    >>> clips = get_task("folder:drums").load_all(("kick", "snare"))
    >>> labels = ("kick", "snare", "background")
    >>> sources = BackgroundSources(("synthetic",))
    >>> all_added(clips, labels, None, sources, Known(10, 2)).n_examples
    15
    """
    sources_clips, _ = sources.added(known)
    label = background_label(labels, background)
    added = [clip for of_source in sources_clips for clip in of_source]
    return joined(clips, clip_set(added, label, labels))


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
