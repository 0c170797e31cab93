"""The labels of a table's clips, by column."""

import dataclasses

from leaf_files.command_line import a_few
from leaf_files.run_folder import LABEL_SEPARATOR
from training.tasks.own.tables.cells import ordered
from training.tasks.own.tables.faults import cell


@dataclasses.dataclass
class LabelColumn:
    """The labels that a table gives its clips in one column.

    Attributes:
        name: Name of the column.
        labels: The classes, in a model's order.
        of_clips: Labels of each clip, tuples, in the order of the table's clips.
        multi_label: Whether a clip may have several labels, or none.

    >>> LabelColumn("family", ("bass", "reed"), [("reed",)], multi_label=False).labels
    ('bass', 'reed')
    """

    name: str
    labels: tuple[str, ...]
    of_clips: list[tuple[str, ...]]
    multi_label: bool


def label_column(n, name, merged, table, faults, multi_label=None):
    """The `LabelColumn` of a table.

    Args:
        n: Number of the column among the label columns.
        name: Name of the column.
        merged: `Merged` clips of the table.
        table: `Table`, to add notes to.
        faults: `Faults` to add to.
        multi_label: True for what is a multi-label task in any case.

    >>> from types import SimpleNamespace
    >>> clips = [SimpleNamespace(labels=[[label]]) for label in ("reed", "bass")]
    >>> merged = SimpleNamespace(clips=clips, several=[False])
    >>> label_column(0, "family", merged, table=None, faults=None).labels
    ('bass', 'reed')
    """
    of_clips = [tuple(clip.labels[n]) for clip in merged.clips]
    labels = ordered({label for labels in of_clips for label in labels})
    several = [clip for clip in merged.clips if len(clip.labels[n]) > 1]
    if multi_label:
        return LabelColumn(name, labels, of_clips, True)
    if merged.several[n] or several:
        named = [
            f"{c.place}: {cell(LABEL_SEPARATOR.join(c.labels[n]))}" for c in several
        ]
        shown = f" ({a_few(named)})" if named else ""
        table.notes.append(
            f"{len(several)} of {len(of_clips)} clips have several labels in the "
            f"column {name!r}{shown}: it is learned as a multi-label task"
        )
        return LabelColumn(name, labels, of_clips, True)
    for clip in merged.clips:
        if not clip.labels[n]:
            remedy = "fill it in, or remove the row"
            faults.add(f"no label in the column {name!r}", clip.place, remedy)
    return LabelColumn(name, labels, of_clips, False)
