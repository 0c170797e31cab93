"""A task's clips with those of its background."""

import dataclasses

from leaf_files.command_line import note
from training.tasks.background.clips import Known, clip_set
from training.tasks.background.sources import LABEL
from training.tasks.identity import fingerprint
from training.tasks.joining import joined


def background_label(labels, background, multi_label):
    """The class that added clips are of: the task's own, "background", or None.

    Args:
        labels: Labels of the task.
        background: Its background, or None.
        multi_label: Whether a clip may have several labels, or none: added clips then
            have none.

    >>> background_label(("kick", "noise"), "noise", multi_label=False)
    'noise'
    >>> background_label(("kick",), None, multi_label=False)
    'background'
    """
    if multi_label:
        return None
    if background in labels:
        return background
    return next((label for label in labels if label.lower() == LABEL), LABEL)


def with_background(data, sources, seed, known=None):
    """A task's data with the clips of its background.

    Args:
        data: `TaskData`.
        sources: `BackgroundSources`; None to add none.
        seed: Seed of the split, an int.
        known: `Known` of the task, without what `data` tells; or None.

    Returns:
        A `TaskData`.

    Raises:
        UserError: See `BackgroundSources.added`.

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
    known = _told(data, known)
    label = background_label(data.labels, data.background, data.multi_label)
    of_split, line = sources.drawn(known, label, seed)
    is_new = label is not None and label not in data.labels
    labels = (*data.labels, *((label,) if is_new else ()))
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
        background=label or data.background,
        notes=(*data.notes, line),
    )


def all_added(clips, labels, label, sources, known):
    """A set of all clips of a task, with all of its background behind them.

    Args:
        clips: `ClipSet` of all clips.
        labels: Labels of it, the background's among them.
        label: That of the background; None for clips without a label.
        sources: `BackgroundSources`.
        known: `Known` of the task.

    >>> from training.tasks.background.sources import BackgroundSources
    >>> from training.tasks.registry import get_task
    >>> clips = get_task("folder:drums").load_all(("kick", "snare"))
    >>> labels = ("kick", "snare", "background")
    >>> sources = BackgroundSources(("synthetic",))
    >>> all_added(clips, labels, "background", sources, Known(10, 2)).n_examples
    15
    """
    sources_clips, _ = sources.added(known)
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
