"""Annotations of recordings, as Raven and Audacity write them."""

import dataclasses
import re
from pathlib import Path, PureWindowsPath

from leaf_files.clips import is_audio_path
from leaf_files.errors import UserError
from training.tasks.own.tables.sheets import Row, Sheet, read_sheet

_BEGIN, _END = "Begin Time (s)", "End Time (s)"
# Columns that hold the labels of a selection, the likeliest first; in any case.
_LABEL_COLUMNS = (
    *("species", "common name", "annotation", "annotations", "label", "labels"),
    *("tag", "tags", "call type", "species code", "class", "type"),
)
_AUDACITY = re.compile(r"[\d.,eE+-]+\t[\d.,eE+-]+(\t.*)?")
# What label files have between the name of the recording and their own end.
_TABLE_ENDS = re.compile(
    r"(\.table\.\d+)?(\.birdnet)?(\.selections?)?(\.tables?)?\.(txt|tsv|csv)", re.I
)


def is_raven(text):
    """Whether a text is a selection table of Raven.

    >>> is_raven("Begin Time (s)\\tEnd Time (s)\\tSpecies"), is_raven("path,label")
    (True, False)
    """
    header = text.lstrip("\n").partition("\n")[0]
    return _BEGIN in header and _END in header


def is_audacity(text):
    """Whether a text is a label track of Audacity.

    >>> is_audacity("0.5\\t1.5\\twren"), is_audacity("path,label")
    (True, False)
    """
    lines = (line for line in text.split("\n") if line.strip())
    return bool(_AUDACITY.fullmatch(next(lines, "")))


def stem_of(name):
    """The name of the recording that a label file belongs to; None of other files.

    >>> stem_of("dawn.Table.1.selections.txt"), stem_of("dawn.wav.txt")
    ('dawn', 'dawn')
    """
    ended = re.search(rf"{_TABLE_ENDS.pattern}$", name, re.I)
    if ended is None or not ended.start():
        return None
    stem = name[: ended.start()]
    return Path(stem).stem if is_audio_path(stem) else stem


def _recording_of(table):
    """The recording beside a label file, of the same stem.

    Args:
        table: Path of the label file.

    Raises:
        UserError: There is none, or there are several.
    """
    stem = stem_of(table.name) or table.stem
    beside = [p for p in table.parent.iterdir() if is_audio_path(p) and p.stem == stem]
    if len(beside) == 1:
        return beside[0]
    if beside:
        names = ", ".join(sorted(path.name for path in beside))
        raise UserError(
            f"{table} may be of any of {names}; leave one of them beside it"
        )
    raise UserError(
        f"{table} is of no recording: there is no audio file {stem}.* beside it; give "
        "both the same name"
    )


def read_audacity(table, text, recording=None):
    """The `Sheet` of a label track, with columns path, start, end and label.

    Args:
        table: Path of the file.
        text: Text of the file.
        recording: Path of the recording; None for the one beside it.

    >>> text, recording = "0.5\\t1.5\\twren", Path("/data/dawn.wav")
    >>> [row] = read_audacity(Path("dawn.txt"), text, recording).rows
    >>> row.cells
    {'path': '/data/dawn.wav', 'start': '0.5', 'end': '1.5', 'label': 'wren'}
    """
    path = str((recording or _recording_of(table)).absolute())
    sheet = Sheet(table, ["path", "start", "end", "label"], ())
    sheet.rows = _labels(text, path, sheet.faults)
    return sheet


def _labels(text, path, faults):
    for number, line in enumerate(text.split("\n"), 1):
        # Of a label's frequencies, in the line after it.
        if not line.strip() or line.startswith("\\"):
            continue
        place = f"line {number}"
        if not _AUDACITY.fullmatch(line):
            faults.add(
                "no label of Audacity", place, "each line must be start, end, label"
            )
            continue
        start, end, *label = (field.strip() for field in line.split("\t", 2))
        if start == end:
            faults.add(
                "no length",
                f"{place}: {start} s",
                "drag it to a region in Audacity, or remove it",
                "label",
            )
            continue
        yield Row(
            place, {"path": path, "start": start, "end": end, "label": "".join(label)}
        )


def read_raven(table, text, columns, recording=None):
    """The `Sheet` of a selection table, with columns path, start and end.

    A selection that is listed in several views, such as Waveform 1 and Spectrogram 1,
    is taken once. Where a table is of several files in a row, a selection is located
    by its File Offset.

    Args:
        table: Path of the file.
        text: Text of the file.
        columns: `Columns` that are asked for.
        recording: Path of the recording of rows that name none that is there; None for
            the one beside the table.

    Returns:
        (`Sheet`, `Columns` to read it by).

    >>> from training.tasks.own.tables.columns import Columns
    >>> text = "Begin Time (s)\\tEnd Time (s)\\tSpecies\\n0.5\\t1.5\\twren"
    >>> sheet, read_by = read_raven(
    ...     Path("dawn.txt"), text, Columns(), Path("/data/dawn.wav"))
    >>> [(row.cells["start"], row.cells["label"]) for row in sheet.rows]
    [('0.5', 'wren')]
    """
    raw = read_sheet(table, text, quoted=False)
    label = _label_column(raw) if None in (columns.label or (None,)) else None
    roles = ["path", "start", "end", *(["label"] if label else [])]
    others = [name for name in raw.columns if name not in roles]
    sheet = Sheet(table, [*roles, *others], (), raw.faults)
    if label:
        sheet.notes.append(f"labels are those of the column {label!r}")
    sheet.rows = _selections(raw, _Recordings(table, recording), label, sheet)
    return sheet, columns_read(columns)


def columns_read(columns):
    """`Columns` by which the `Sheet` of annotations is read, of those asked for.

    >>> from training.tasks.own.tables.columns import Columns
    >>> columns_read(Columns(label=("Species",))).label
    ('Species',)
    """
    return dataclasses.replace(
        columns,
        path="path",
        label=tuple(name or "label" for name in columns.label or (None,)),
        start="start",
        end="end",
    )


def _label_column(sheet):
    by_name = {name.casefold(): name for name in reversed(sheet.columns)}
    for name in _LABEL_COLUMNS:
        if name in by_name:
            return by_name[name]
    raise UserError(
        f"{sheet.path} has no column of labels that is known by its name; name one "
        f"with --label-column: {', '.join(filter(None, sheet.columns))}"
    )


def _selections(raw, recordings, label, sheet):
    """Rows of the selections, each once."""
    views: dict = {}
    for row in raw.rows:
        cells = row.cells
        place = tuple(
            cells.get(name)
            for name in ("Selection", "Begin File", "Begin Path", _BEGIN, _END)
        )
        view = cells.get("View")
        if views.setdefault(place, view) != view:
            continue
        if cells.get("End File") and cells["End File"] != cells.get("Begin File"):
            sheet.faults.add(
                "an end in another file than the start",
                row.place,
                "cut the selection in two",
                "selection",
            )
            continue
        start, end = _times(cells)
        path = recordings.find(cells.get("Begin Path"), cells.get("Begin File"))
        of_roles = {"path": path, "start": start, "end": end}
        if label:
            of_roles["label"] = cells.get(label, "")
        yield Row(row.place, {**cells, **of_roles})


def _times(cells):
    """(start, end) in the file of a selection, as texts."""
    start, end = cells.get(_BEGIN, ""), cells.get(_END, "")
    offset = cells.get("File Offset (s)")
    if offset:
        try:
            length = float(end) - float(start)
            # As precise as Raven writes, at most.
            return offset, f"{float(offset) + length:.9f}"
        except ValueError:
            pass  # the times are judged with those of all rows
    return start, end


class _Recordings:
    """Finds the recordings of selections.

    Args:
        table: Path of the selection table.
        recording: Path of the recording where none is named; None for the one beside
            the table.
    """

    def __init__(self, table, recording):
        self._table, self._recording = table, recording
        self._found = {}

    def find(self, begin_path, begin_file):
        """The path of a recording, a text; of one that isn't there, its name."""
        key = (begin_path, begin_file)
        if key not in self._found:
            self._found[key] = str(self._find(begin_path, begin_file))
        return self._found[key]

    def _find(self, begin_path, begin_file):
        folder = self._table.parent.absolute()
        # The path is of the machine on which Raven ran, Windows for the most part.
        names = [
            begin_path,
            begin_file,
            begin_path and PureWindowsPath(begin_path).name,
        ]
        names = [name for name in names if name]
        for name in names:
            path = folder / name
            if is_audio_path(path) and path.is_file():
                return path
        try:
            return (self._recording or _recording_of(self._table)).absolute()
        except UserError:
            if not names:
                raise
            return begin_file or begin_path
