"""Tables of events: those of a reference, and those that were detected."""

import dataclasses
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from leaf_files.clips import seconds_of
from leaf_files.command_line import a_few
from leaf_files.decisions import NONE_OF_THESE
from leaf_files.errors import UserError
from leaf_files.walk import find_clips
from training.evaluation.events.matching import Event
from training.tasks.own.tables import cells
from training.tasks.own.tables.columns import Columns, find_columns
from training.tasks.own.tables.faults import cell
from training.tasks.own.tables.reading import read_table
from training.tasks.own.tables.sheets import read_sheet, text_of

# What a column of scores may be called, in any case.
_SCORE_COLUMNS = ("score", "confidence", "probability")


@dataclasses.dataclass
class Recording:
    """A recording with its events.

    Attributes:
        seconds: Its length.
        reference: `Event`s that are in it.
        detected: `Event`s that were detected in it.

    >>> Recording(60.0, [Event(1.0, 2.0, "dog")]).detected
    []
    """

    seconds: float
    reference: list[Event] = dataclasses.field(default_factory=list)
    detected: list[Event] = dataclasses.field(default_factory=list)


def read_reference(
    table: Path,
    label_column: str | None = None,
    folder: Path | None = None,
    background: Collection[str] = (),
) -> dict[Path, Recording]:
    """The recordings of a table of events.

    Args:
        table: Whatever `training.tasks.own.tables.reading.read_table` reads: a row an
            event, with its path, label, start and end; without start and end it is as
            long as its recording, and without a label it is none, and says that the
            recording is to be judged all the same.
        label_column: Name of the column of labels; None for "label".
        folder: Folder whose audio files, at any depth, are judged as well: where the
            table names no event of one, there is none.
        background: Labels that are no events.

    Returns:
        {path of the audio file: `Recording`}.

    Raises:
        UserError: The table can't be read, or names recordings that aren't there.

    >>> _ = Path("hits.csv").write_text(
    ...     "path,label,start,end\\ndrums/kick/0.wav,hit,0.01,0.05\\n")
    >>> [recording] = read_reference(Path("hits.csv")).values()
    >>> recording.seconds, recording.reference[0].start
    (0.1, 0.01)
    """
    columns = Columns(label=(label_column,))
    read = read_table(table, columns, multi_label=True)
    faults = list(read.faults)
    if read.bad:
        faults.append(
            f"{len(read.bad)} of {read.n_rows} rows name a recording that can't be "
            f"found: {a_few(read.bad, between='; ')}"
        )
    if faults:
        raise UserError(f"{table} can't be used: {'; '.join(faults)}")
    entries = read.entries()
    paths = [entry.path for entry in entries]
    if folder is not None:
        known = {os.path.realpath(path) for path in paths}
        others = find_clips(folder, "recording to be judged")
        paths += [path for path in others if os.path.realpath(path) not in known]
    recordings = {path: Recording(seconds_of(path)) for path in dict.fromkeys(paths)}
    for entry in entries:
        recording = recordings[entry.path]
        start = entry.start or 0.0
        end = recording.seconds if entry.end is None else entry.end
        recording.reference += [
            Event(start, end, label)
            for label in entry.labels
            if label not in background
        ]
    return recordings


def read_detections(
    table: Path, recordings: Mapping[Path, Recording], ignored: Collection[str] = ()
) -> None:
    """Adds the events of a table of detections to their recordings.

    Args:
        table: File that `export detect` wrote, or another CSV, TSV or JSON lines file
            with columns file (or path), start, end, label and maybe score; a row
            without a label says nothing.
        recordings: {path: `Recording`}. A name in the table is that of the recording
            of this path or, wherever it is located, of the only one whose path ends as
            its does.
        ignored: Labels of detections that are none.

    Raises:
        UserError: It can't be read, or names a recording that isn't among these.

    >>> recordings = {Path("/data/dawn.wav"): Recording(60.0)}
    >>> _ = Path("found.csv").write_text("file,start,end,label\\ndawn.wav,1,2,wren\\n")
    >>> read_detections(Path("found.csv"), recordings)
    >>> recordings[Path("/data/dawn.wav")].detected
    [Event(start=1.0, end=2.0, label='wren', score=nan)]
    """
    if not table.is_file():
        raise UserError(
            f"there is no file {table}; name the table that `export detect` wrote"
        )
    sheet = read_sheet(table, text_of(table))
    found = find_columns(Columns(), sheet)
    if missing := [role for role in ("start", "end") if role not in found.of_role]:
        raise UserError(
            f"{table} has no column {' and no column '.join(missing)}: detections "
            f"have a start and an end; its columns are {', '.join(sheet.columns)}"
        )
    by_name = {c.casefold(): c for c in sheet.columns if c}
    score_column = next((by_name[n] for n in _SCORE_COLUMNS if n in by_name), None)
    names = _Names(recordings, table.parent)
    skipped = {*ignored, NONE_OF_THESE}
    for row in sheet.rows:
        label = str(row.cells.get(found.labels[0], ""))
        if not label or label in skipped:
            continue
        numbers = [found.get(row, role) for role in ("start", "end")]
        if score_column and row.cells.get(score_column):
            numbers.append(row.cells[score_column])
        try:
            start, end, *score = [cells.number(str(text)) for text in numbers]
        except ValueError as error:
            named = ", ".join(map(cell, numbers))
            sheet.faults.add(
                "a time or a score that is no number",
                f"{row.place}: {named}",
                str(error),
            )
            continue
        if end < start or start < 0:
            sheet.faults.add(
                "an end before the start, or a start before 0",
                f"{row.place}: {start:g} to {end:g}",
            )
            continue
        path = names.find(str(found.get(row, "path")))
        if path is not None:
            recordings[path].detected.append(Event(start, end, label, *score))
    if names.unknown:
        sheet.faults.add(
            "a recording that the reference doesn't name",
            a_few(list(names.unknown)),
            "name it in a row without a label if there is no event in it, or give the "
            "folder of all recordings by --recordings",
            "detection",
        )
    if names.ambiguous:
        sheet.faults.add(
            "a name that several recordings have",
            a_few(list(names.ambiguous)),
            "give them paths",
            "detection",
        )
    if sheet.faults:
        raise UserError(f"{table} can't be judged: {'; '.join(sheet.faults.lines())}")


class _Names:
    """Finds recordings by how a table of detections calls them."""

    def __init__(self, paths, folder):
        self._folder = folder
        self._of_real = {os.path.realpath(path): path for path in paths}
        self._parts = {path: Path(real).parts for real, path in self._of_real.items()}
        self._of_name: dict[str, list] = {}
        for path, parts in self._parts.items():
            self._of_name.setdefault(parts[-1], []).append(path)
        self._found: dict[str, Path | None] = {}
        self.unknown: dict[str, None] = {}
        self.ambiguous: dict[str, None] = {}

    def find(self, text):
        """The path of a recording; None where there is none, or are several."""
        if text not in self._found:
            self._found[text] = self._find(text)
        return self._found[text]

    def _find(self, text):
        for place in (Path(), self._folder):
            path = self._of_real.get(os.path.realpath(place / text))
            if path is not None:
                return path
        parts = Path(text.replace("\\", "/")).parts
        nearest = self._of_name.get(parts[-1], []) if parts else []
        n_alike = [_n_alike(self._parts[path], parts) for path in nearest]
        best = [p for p, n in zip(nearest, n_alike) if n == max(n_alike)]
        if len(best) == 1:
            return best[0]
        (self.ambiguous if best else self.unknown)[text] = None
        return None


def _n_alike(parts, others):
    """Number of parts at the end of two paths that are the same."""
    alike = [a == b for a, b in zip(reversed(parts), reversed(others))]
    return alike.index(False) if False in alike else len(alike)
