"""Tables of clips, read into entries and faults."""

import dataclasses
import os
from pathlib import Path

from leaf_files.command_line import did_you_mean
from leaf_files.errors import UserError
from training.tasks.own.entries import Entry
from training.tasks.own.tables.annotations import (
    columns_read,
    is_audacity,
    is_raven,
    read_audacity,
    read_raven,
)
from training.tasks.own.tables.background import add_background
from training.tasks.own.tables.beside import read_beside
from training.tasks.own.tables.clips import Merged
from training.tasks.own.tables.columns import Columns, find_columns
from training.tasks.own.tables.files import Files
from training.tasks.own.tables.labels import LabelColumn, label_column
from training.tasks.own.tables.sheets import read_sheet, require_rows, text_of
from training.tasks.own.tables.together import fill_splits, groups_of, weightless


@dataclasses.dataclass
class Table:
    """Content of a table: its clips, label columns and faults.

    Attributes:
        source: Path of the file, or of the folder of recordings and label files.
        folder: Folder to which the paths of clips are relative, absolute.
        clips: `Entry`s without labels, each clip once.
        columns: {name: `LabelColumn`}, in the order in which they were asked for.
        n_rows: Number of its rows.
        faults: Lines on what keeps the table from being used.
        annotated: Paths of recordings that are annotated, maybe by no row.
        bad: Lines on rows whose file can't be used.
        notes: Lines on how it was read, to be said.
        warnings: Lines on what may not be meant.

    >>> _ = Path("hits.csv").write_text("path,label\\ndrums/kick/0.wav,hit")
    >>> table = read_table(Path("hits.csv"))
    >>> table.entries()[0].labels, table.n_rows
    (('hit',), 1)
    """

    source: Path
    folder: Path
    clips: list[Entry] = dataclasses.field(default_factory=list)
    columns: dict[str, LabelColumn] = dataclasses.field(default_factory=dict)
    n_rows: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)
    annotated: list[Path] = dataclasses.field(default_factory=list)
    bad: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    warnings: list[str] = dataclasses.field(default_factory=list)

    def entries(self, column=None):
        """The `Entry`s with their labels.

        Args:
            column: Name of the label column; None for the first.
        """
        labels = self.columns[column or next(iter(self.columns))]
        return [
            dataclasses.replace(clip, labels=of_clip)
            for clip, of_clip in zip(self.clips, labels.of_clips)
        ]


def read_table(
    source, columns=None, background=None, window_seconds=1.0, multi_label=None
):
    """Reads a table, whatever form it has.

    Args:
        source: Path of a CSV, TSV or JSON lines file, of a selection table of Raven, of
            a label track of Audacity, or of a folder of recordings with a label file
            beside each.
        columns: `Columns`, the names of those that aren't called by their role.
        background: Name of a class that gets the stretches of annotated recordings that
            no row names; None to leave them out.
        window_seconds: Length of the clips of that class, seconds.
        multi_label: True for a table whose clips may have several labels, or none,
            whatever is in it; None for what it says.

    Returns:
        A `Table`; nothing is opened but the table itself, and recordings of which the
        length is needed.

    Raises:
        UserError: It can't be read at all, or lacks columns.

    >>> _ = Path("hits.csv").write_text("path,label\\ndrums/kick/0.wav,hit")
    >>> table = read_table(Path("hits.csv"))
    >>> table.columns["label"].labels, table.faults
    (('hit',), [])
    """
    columns = columns or Columns()
    folder = Path(os.path.abspath(source if source.is_dir() else source.parent))
    table = Table(source, folder)
    sheet, read_by, annotated = _sheet(table, columns)
    present = find_columns(read_by, sheet)
    merged = Merged(present, Files(folder), sheet.faults)
    for row in sheet.rows:
        merged.add(row)
    if not annotated:
        require_rows(sheet, merged.n_rows)
    table.faults += weightless(merged.clips)
    table.annotated = [merged.files.find(str(p.absolute())) for p in annotated]
    if background is not None:
        added = add_background(table, merged, annotated, background, window_seconds)
        if not added and not columns.may_lack:
            table.faults.append(
                f"there is nothing for the class {background!r}: no recording has a "
                "stretch that its annotations leave out"
            )
    fill_splits(merged.clips, table)
    groups = groups_of(merged.clips, table, "group" in present.of_role)
    for n, name in enumerate(present.labels):
        table.columns[name] = label_column(
            n, name, merged, table, sheet.faults, multi_label
        )
    table.clips = [
        _entry(clip, group, source) for clip, group in zip(merged.clips, groups)
    ]
    table.n_rows = merged.n_rows
    table.bad += merged.bad
    table.faults += sheet.faults.lines()
    table.notes += _notes(sheet, merged)
    table.notes = [f"{source}: {note}" for note in table.notes]
    table.warnings = [f"{source}: {warning}" for warning in table.warnings]
    return table


def _sheet(table, columns):
    """(`Sheet`, `Columns` to read it by, paths of its annotated recordings)."""
    source = table.source
    if source.is_dir():
        sheet, read_by, annotated, table.faults[:] = read_beside(source, columns)
        return sheet, read_by, annotated
    if not source.exists():
        near = source.parent.iterdir() if source.parent.is_dir() else ()
        hint = did_you_mean([source.name], [path.name for path in near])
        raise UserError(f"there is no table {source}{hint}")
    if not source.is_file():
        raise UserError(
            f"the table {source} is a pipe or a device, which can't be read twice: "
            "write it to a file"
        )
    text = text_of(source)
    if is_raven(text):
        return *read_raven(source, text, columns), []
    if is_audacity(text):
        return read_audacity(source, text), columns_read(columns), []
    return read_sheet(source, text), columns, []


def _entry(clip, group, source):
    return Entry(
        path=clip.path,
        labels=(),
        group=group,
        split=clip.said.get("split"),
        start=clip.start,
        end=clip.end,
        weight=clip.said.get("weight", 1.0),
        place=f"{source.name}, {clip.place}",
    )


def _notes(sheet, merged):
    if not merged.n_repeated:
        return sheet.notes
    return [
        *sheet.notes,
        f"{merged.n_repeated} of its {merged.n_rows} rows say nothing that an earlier "
        "one of the same clip doesn't; each clip is used once",
    ]
