"""What the clips of a table say together: weights, splits, groups."""

from leaf_files.command_line import a_few
from training.tasks.own.entries import name_below


def weightless(clips):
    """A line on clips that all weigh nothing, a list.

    >>> from training.tasks.own.tables.clips import TableClip
    >>> said = {"weight": 0.0}
    >>> weightless([TableClip(Path("a.wav"), None, None, "line 2", [["dog"]], said)])
    ['all clips have the weight 0: nothing would be learned']
    """
    if not clips or any(clip.said.get("weight", 1.0) for clip in clips):
        return []
    return ["all clips have the weight 0: nothing would be learned"]


def fill_splits(clips, table):
    """Lets clips without a split train, where others have one.

    Args:
        clips: `TableClip`s, which change.
        table: `Table`, to add notes to.

    >>> from training.tasks.own.tables.clips import TableClip
    >>> from types import SimpleNamespace
    >>> table = SimpleNamespace(notes=[])
    >>> clips = [TableClip(Path(), n, n + 1, f"line {n}", [["dog"]]) for n in (2, 3)]
    >>> clips[0].said["split"] = "test"
    >>> fill_splits(clips, table)
    >>> clips[1].said["split"], table.notes
    ('train', ['1 of 2 clips have no split, and train (line 3)'])
    """
    unsaid = [clip for clip in clips if "split" not in clip.said]
    if not unsaid or len(unsaid) == len(clips):
        return
    for clip in unsaid:
        clip.said["split"] = "train"
    table.notes.append(
        f"{len(unsaid)} of {len(clips)} clips have no split, and train "
        f"({a_few([clip.place for clip in unsaid])})"
    )


def groups_of(clips, table, are_given):
    """The group of each clip, a list; of segments, by default, their recording.

    Args:
        clips: `TableClip`s.
        table: `Table`, to add warnings to.
        are_given: Whether it has a column of groups.

    >>> from training.tasks.own.tables.clips import TableClip
    >>> from types import SimpleNamespace
    >>> table = SimpleNamespace(folder=Path("/data"))
    >>> clip = TableClip(Path("/data/dawn.wav"), 0.5, 1.5, "line 2", [["wren"]])
    >>> groups_of([clip], table, are_given=False)
    ['dawn.wav']
    """
    if are_given:
        return _given_groups(clips, table)
    if not any(clip.is_segment for clip in clips):
        return [None] * len(clips)
    return [name_below(clip.path, table.folder) for clip in clips]


def _given_groups(clips, table):
    unknown = [clip for clip in clips if "group" not in clip.said]
    if unknown:
        table.warnings.append(
            f"{len(unknown)} of {len(clips)} clips have no group, and each recording "
            "of them is taken for a group of its own "
            f"({a_few([clip.place for clip in unknown])})"
        )
    return [
        clip.said.get("group") or name_below(clip.path, table.folder) for clip in clips
    ]
