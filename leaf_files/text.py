"""Text that people wrote, by any editor: UTF-8, or what Windows makes of it."""

import codecs
import csv
import io
import itertools
from pathlib import Path
from typing import Any

from leaf_files.errors import UserError

# UTF-32's first: its mark for little-endian begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TELLING_BYTES = 64
# Spreadsheets write ";" where "," is the decimal point.
_SEPARATORS = (",", ";", "\t")


def read_text(path: Any) -> str:
    r"""The content of a text file: UTF-8, or UTF-16 and UTF-32 with a byte-order mark.

    Args:
        path: A Path, or what opens as one.

    Returns:
        str, without the mark, lines ended by "\n".

    Raises:
        OSError: It can't be read.
        ValueError: It is in another encoding.

    >>> _ = Path("text").write_bytes("wren".encode("utf-16"))
    >>> read_text(Path("text"))
    'wren'
    """
    content = (Path(path) if isinstance(path, str) else path).read_bytes()
    return decode_text(content)


def decode_text(content: bytes) -> str:
    """`read_text`, of the bytes of a file.

    >>> decode_text("wren".encode("utf-16"))
    'wren'
    """
    encoding = next(
        (name for mark, name in _MARKS if content.startswith(mark)),
        _unmarked(content[:_TELLING_BYTES]),
    )
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"it is not text in {encoding.removesuffix('-sig').upper()} (byte "
            f"{error.start + 1} of {len(content)}); save it as UTF-8"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _unmarked(start):
    """The encoding of a text that begins with no mark."""
    for name, zeros, letters in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        # As Latin letters are in UTF-16; no text has so many zeros in UTF-8.
        if len(start) >= 4 and not any(start[zeros::2]) and all(start[letters::2]):
            return name
    return "utf-8"


def require_utf8(path: str | Path) -> None:
    """Checks that a path can be written down, in a text of UTF-8.

    Args:
        path: Path of a file or folder; bytes that are no UTF-8 are halves of
            characters.

    Raises:
        UserError: It can't be.

    >>> require_utf8("clips/\\udce9.wav")
    Traceback (most recent call last):
    leaf_files.errors.UserError: the path 'clips/\\udce9.wav' is not valid UTF-8, ...
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"the path {ascii(str(path))} is not valid UTF-8, and can't be written "
            "down in a run or a report; rename it, or name a link to it"
        ) from error


def read_lines(path: Any) -> list[str]:
    r"""The lines of a text file, as `read_text`; only "\n" ends one.

    >>> _ = Path("lines").write_text("one\ntwo\n")
    >>> read_lines("lines")
    ['one', 'two']
    """
    return lines_of((Path(path) if isinstance(path, str) else path).read_bytes())


def lines_of(content: bytes) -> list[str]:
    """`read_lines`, of the bytes of a file.

    >>> lines_of(b"one\\r\\ntwo")
    ['one', 'two']
    """
    lines = decode_text(content).split("\n")
    return lines[:-1] if not lines[-1] else lines


def read_table(path: Any) -> list[dict[str, str]]:
    """The rows of a CSV file with a header.

    Args:
        path: Argument of `read_text`.

    Returns:
        list of {column: field}, all without blanks around them; a field that a row
        lacks is None. Columns are separated by commas, semicolons or tabs, whichever
        comes first in the header, or by what Excel's line "sep=;" says.

    Raises:
        OSError, ValueError: It can't be read, or a row has more fields than columns.

    >>> _ = Path("table.csv").write_text("file; label\\n0.flac; wren\\n")
    >>> read_table("table.csv")
    [{'file': '0.flac', 'label': 'wren'}]
    """
    separator, text = separated(read_text(path))
    try:
        rows = [
            [field.strip() for field in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            if any(row)
        ]
    except csv.Error as error:
        raise ValueError(str(error)) from error
    columns = rows[0] if rows else []
    for number, row in enumerate(rows[1:], 2):
        if any(row[len(columns) :]):
            raise ValueError(
                f"row {number} has {len(row)} fields, the header {len(columns)}; put "
                "fields that hold a separator into quotes"
            )
    return [
        dict(itertools.zip_longest(columns, row[: len(columns)])) for row in rows[1:]
    ]


def separated(text: str, otherwise: str = ",") -> tuple[str, str]:
    r"""What separates the fields of a table, by its header or by Excel's line "sep=;".

    Args:
        text: The table, its lines ended by "\n".
        otherwise: Separator where the header has none of them.

    Returns:
        (",", ";" or a tab, whichever comes first in the header, or any other character
        that Excel's line says; the text without that line).

    >>> separated("sep=;\nfile;label\n")
    (';', 'file;label\n')
    """
    header, _, rest = text.partition("\n")
    said = header.strip('"')
    separator = said.removeprefix("sep=")  # Excel's way to say it
    if len(separator) == 1 and len(separator) < len(said):
        return separator, rest
    return next((mark for mark in header if mark in _SEPARATORS), otherwise), text
