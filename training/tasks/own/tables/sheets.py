"""Files of rows: CSV, TSV and JSON lines, whoever wrote them."""

import csv
import dataclasses
import io
import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from leaf_files.clips import is_audio_path
from leaf_files.errors import UserError
from leaf_files.json_files import parse_json
from leaf_files.text import read_text, separated
from training.tasks.own.tables.faults import Faults, cell

_SEPARATOR_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}
# What other files begin with, and what to do about them.
_OTHER_KINDS = (
    (b"PK\x03\x04", "a spreadsheet or an archive, not text: save it as CSV"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet, not text: save it as CSV"),
    (b"PAR1", "Parquet, not text: write it as CSV or as JSON lines"),
    (b"SQLite format 3", "a database, not text: write it as CSV"),
    (b"\x1f\x8b", "compressed: unpack it"),
)
_OF_UTF_8 = (
    "as UTF-8 (a spreadsheet offers it as CSV UTF-8; of a file from Windows: iconv -f "
    "WINDOWS-1252 -t UTF-8 OLD > NEW)"
)


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        place: Name of its place, for messages, such as "line 7".
        cells: {column: content}, a str without blanks around it, "" for none; of JSON
            it may be a tuple of them.

    >>> Row("line 2", {"path": "a.wav", "label": "dog"}).cells["label"]
    'dog'
    """

    place: str
    cells: dict[str, Any]


@dataclasses.dataclass
class Sheet:
    """A table that was read as text.

    Attributes:
        path: Path of the file, or of the folder of several ones.
        columns: Names of its columns, in order.
        rows: Iterable of `Row`s, to be read once, which adds to `faults`.
        faults: `Faults` of rows that aren't such.
        notes: Lines on how it was read, without its name.

    >>> Sheet(Path("notes.csv"), ["path", "label"], rows=()).columns
    ['path', 'label']
    """

    path: Path
    columns: list[str]
    rows: Iterable[Row]
    faults: Faults = dataclasses.field(default_factory=Faults)
    notes: list[str] = dataclasses.field(default_factory=list)


def text_of(path):
    r"""The text of a table, its lines ended by "\n".

    Args:
        path: A Path.

    Raises:
        UserError: The file can't be read, is no text, or is of no known encoding.

    >>> _ = Path("notes.csv").write_text("path,label")
    >>> text_of(Path("notes.csv"))
    'path,label'
    """
    try:
        with path.open("rb") as file:
            beginning = file.read(max(len(start) for start, _ in _OTHER_KINDS))
        for start, kind in _OTHER_KINDS:
            if beginning.startswith(start):
                raise UserError(f"{path} is {kind}")
        text = read_text(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        reason = str(error).replace("as UTF-8", _OF_UTF_8)
        raise UserError(f"cannot read {path}: {reason}") from error
    text = text.removesuffix("\x1a")  # ends a file of DOS
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UserError(
            f"{path} holds NUL bytes, the first in line {line}: it is damaged, or no "
            "text; write it anew"
        )
    return text


def read_sheet(path, text, quoted=True):
    """The `Sheet` of a file with a header, or of JSON lines.

    Args:
        path: Path of the file; its name says what is expected of it.
        text: Text of the file, from `text_of`.
        quoted: Whether quotes around a field are none of its characters.

    Raises:
        UserError: There is nothing in it, or no header.

    >>> sheet = read_sheet(Path("notes.csv"), "path,label\\na.wav,dog")
    >>> [*sheet.rows]
    [Row(place='line 2', cells={'path': 'a.wav', 'label': 'dog'})]
    """
    if not text.strip():
        raise UserError(f"{path} is empty; its first line must name the columns")
    if path.suffix.lower() in (".jsonl", ".ndjson") or text.lstrip()[0] in "{[":
        return _json_lines(path, text)
    return _separated(path, text, quoted)


def require_rows(sheet, n_rows):
    """Raises a `UserError` if a `Sheet` had no rows.

    >>> require_rows(Sheet(Path("notes.csv"), ["path", "label"], ()), n_rows=0)
    Traceback (most recent call last):
    leaf_files.errors.UserError: notes.csv has a header and no rows: it lists no clips
    """
    if not n_rows and not sheet.faults:
        raise UserError(f"{sheet.path} has a header and no rows: it lists no clips")


def _separated(path, text, quoted):
    n_before = len(text) - len(text.lstrip("\n"))
    expected = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    separator, rest = separated(text[n_before:], expected)
    n_before += text[n_before:].count("\n") - rest.count("\n")
    quoting: dict[str, Any] = (
        {"strict": True} if quoted else {"quoting": csv.QUOTE_NONE}
    )
    reader = csv.reader(io.StringIO(rest, newline=""), delimiter=separator, **quoting)
    lines = _numbered(reader, n_before, path)
    columns = next(lines)[1]
    _require_header(path, columns)
    sheet = Sheet(path, columns, ())
    sheet.rows = _rows(lines, sheet)
    if separator != expected:
        name = _SEPARATOR_NAMES.get(separator, f"{separator!r}")
        sheet.notes.append(f"{name} separate its columns")
    return sheet


def _numbered(reader, n_before, path):
    """(number of its first line, fields) of each row that isn't blank."""
    while True:
        number = n_before + reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(
                f"cannot read {path} from line {number} on: {error}; a quote that is "
                "part of a text is written twice, and the text put into quotes"
            ) from error
        fields = [field.strip() for field in fields]
        if any(fields):
            yield number, fields


def _require_header(path, columns):
    if not any(map(is_audio_path, columns)):
        return
    raise UserError(
        f"{path} has no header: its first line must name the columns, such as "
        f"path,label. Received: {cell(','.join(columns))}"
    )


def _rows(lines, sheet):
    n_columns = len(sheet.columns)
    for number, fields in lines:
        if any(fields[n_columns:]):
            sheet.faults.add(
                f"more fields than the header's {n_columns}",
                f"line {number}: {len(fields)}",
                "put texts that hold a separator into quotes",
            )
            continue
        # Spreadsheets leave out empty cells at the end of a row.
        cells = itertools.zip_longest(sheet.columns, fields[:n_columns], fillvalue="")
        yield Row(f"line {number}", dict(cells))


def _json_lines(path, text):
    """The `Sheet` of a text with an object in each line."""
    sheet = Sheet(path, [], [])
    known: dict[str, None] = {}
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        values = _object(line, number, sheet.faults)
        if values is not None:
            known.update(dict.fromkeys(values))
            rows.append((number, values))
    sheet.columns = list(known)
    sheet.rows = (
        Row(f"line {number}", {name: _json_cell(value) for name, value in row.items()})
        for number, row in rows
    )
    return sheet


def _object(line, number, faults):
    """{column: value} of a line, or None and a fault."""
    try:
        values = parse_json(line)
    except ValueError as error:
        reason = f"what is no JSON: {error}"
    else:
        if isinstance(values, dict):
            return values
        reason = f"a {type(values).__name__}"
    faults.add(
        "no JSON object",
        f"line {number} holds {reason:.100}",
        'each line must be one, such as {"path": "a.wav", "label": "dog"}',
    )
    return None


def _json_cell(value):
    """A value of JSON as a cell: text, or a tuple of texts."""
    if isinstance(value, list):
        return tuple(filter(None, map(_json_text, value)))
    return _json_text(value)


def _json_text(value):
    if value is None or isinstance(value, float) and math.isnan(value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip()
