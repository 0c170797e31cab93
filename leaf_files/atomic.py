"""Files and folders that appear whole or not at all."""

import contextlib
import csv
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from leaf_files.errors import UserError


@contextlib.contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Writes a file beside its place and moves it there once complete.

        with replacing("model.keras") as temporary:
            model.save(temporary)

    Args:
        path: The file to write; its folder is made if need be.

    Yields:
        A path that doesn't exist yet, in the same folder, with the same
        extension. If the block fails, it is removed, and a file that was at
        `path` before is untouched.

    Raises:
        UserError: The folder can't be made.

    >>> with replacing("notes.txt") as temporary:
    ...     n_written = temporary.write_text("whole")
    >>> Path("notes.txt").read_text()
    'whole'
    """
    path = Path(path)
    make_folder(path.parent)
    temporary = _beside(path)
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replacing_folder(path: str | Path, marker: str) -> Iterator[Path]:
    """Fills a folder beside its place and moves it there once complete.

    Args:
        path: The folder to write. If it exists and holds anything, it must
            hold a file named `marker`; it is replaced as a whole.
        marker: Name of a file that each such folder holds, so that a folder of
            the user's own is never replaced.

    Yields:
        A new empty folder. If the block fails, it is removed, and a folder
        that was at `path` before is untouched.

    Raises:
        UserError: The folder can't be made, or holds something else.

    >>> with replacing_folder("artifacts", marker="report.json") as folder:
    ...     write_json(folder / "report.json", {})
    >>> [path.name for path in Path("artifacts").iterdir()]
    ['report.json']
    """
    path = Path(path).resolve()
    _check_replaceable(path, marker)
    temporary = make_folder(_beside(path))
    try:
        yield temporary
        _swap(temporary, path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text file, whole or not at all.

    Raises:
        UserError: The text holds a name, such as that of a file, that is not valid
            UTF-8.

    >>> write_text("labels.txt", "wren\\n")
    >>> Path("labels.txt").read_text()
    'wren\\n'
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        named = text[max(0, error.start - 20) : error.end + 20]
        raise UserError(
            f"cannot write {path}: {ascii(named)} in it is not valid UTF-8; rename the "
            "file or folder of that name"
        ) from error
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Writes a JSON file for people and programs, whole or not at all.

    Raises:
        ValueError: A number that is not finite; JSON has none.

    >>> write_json("metrics.json", {"accuracy": 0.5})
    >>> print(Path("metrics.json").read_text())
    {
      "accuracy": 0.5
    }
    """
    text = json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False)
    write_text(path, text + "\n")


def write_csv(path: str | Path, rows: list[dict[str, Any]]) -> None:
    """Writes a CSV file with a header, whole or not at all.

    Args:
        path: The file.
        rows: A list of dicts, at least one; the keys of the first are the titles. What
            is None or missing stays empty.

    Raises:
        ValueError: A row has a key that the first hasn't.

    >>> write_csv("history.csv", [{"epoch": 0, "loss": 1.5}])
    >>> Path("history.csv").read_text().split()
    ['epoch,loss', '0,1.5']
    """
    titles = list(rows[0])
    others = sorted({key for row in rows for key in row} - set(titles))
    if others:
        raise ValueError(f"`rows` must have the keys of the first. Received: {others}")
    write_rows(path, titles, ([row.get(title) for title in titles] for row in rows))


def write_rows(
    path: str | Path, titles: Sequence[str], rows: Iterable[Iterable[Any]]
) -> None:
    """Writes a CSV file of rows as they come, whole or not at all.

    Args:
        path: The file.
        titles: Names of the columns.
        rows: Cells of each row; None stays empty. Names of files may be no UTF-8.

    >>> write_rows("clips.csv", ("file", "label"), [("0.flac", "wren")])
    >>> Path("clips.csv").read_text().split()
    ['file,label', '0.flac,wren']
    """
    with (
        replacing(path) as temporary,
        temporary.open(
            "w", newline="", encoding="utf-8", errors="surrogateescape"
        ) as file,
    ):
        writer = csv.writer(file)
        writer.writerow(titles)
        writer.writerows(rows)


def make_folder(path: str | Path) -> Path:
    """Makes a folder and its parents, if they are not there.

    Returns:
        The folder, a Path.

    Raises:
        UserError: It can't be made; the message says why.

    >>> make_folder("runs/birds").is_dir()
    True
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error
    return path


def writable_folder(path: str | Path) -> Path:
    """Checks, before any long work, that files can be written to a folder.

    The folder is made, written to, and left as it was: not there, if it wasn't.

    Returns:
        The folder, a Path.

    Raises:
        UserError: It can't be made or written to; the message says why.

    >>> writable_folder("runs").is_dir()
    False
    """
    path = Path(path)
    missing = []
    try:
        missing = [part for part in (path, *path.parents) if not part.exists()]
        path.mkdir(parents=True, exist_ok=True)
        probe = _beside(path / "probe")
        probe.write_bytes(b"probe")
        probe.unlink()
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        for part in missing:
            with contextlib.suppress(OSError):
                part.rmdir()
    return path


def _beside(path):
    """An unused hidden name in the same folder, with the same extension."""
    return path.with_name(f".{uuid.uuid4().hex}{path.suffix}")


def _check_replaceable(path, marker):
    if path.exists() and not path.is_dir():
        raise UserError(
            f"cannot write to the folder {path}: it is a file; name a folder"
        )
    if path.exists() and any(path.iterdir()) and not (path / marker).exists():
        raise UserError(
            f"will not replace the folder {path}: it holds other files, and "
            f"no {marker}; name a new or an empty folder"
        )


def _swap(folder, path):
    """Moves a folder to `path`; what was there goes last."""
    if not path.exists():
        os.rename(folder, path)
        return
    previous = _beside(path)
    os.rename(path, previous)
    try:
        os.rename(folder, path)
    except BaseException:
        os.rename(previous, path)
        raise
    shutil.rmtree(previous, ignore_errors=True)


def _cannot_write(path, error):
    return UserError(
        f"cannot write to the folder {path}: {error.strerror or error}; "
        "name a folder that can be made and written to"
    )
