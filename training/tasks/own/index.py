"""The index of what was heard: a file that hasn't changed is not heard again.

One SQLite file in the user's cache folder, for all tasks. An entry holds for a file of
the same real path, size and times; whatever is wrong with the index, files are heard.
"""

import base64
import contextlib
import dataclasses
import functools
import json
import os
import sqlite3
import stat
import time
from pathlib import Path
from typing import NamedTuple

import soundfile

from leaf_files.caches import FOLDER_VARIABLE, cache_folder
from leaf_files.clips import is_audio_path
from leaf_files.command_line import note
from training.tasks.own.hearing import Heard, Stretch

USE, FRESH, NONE = "use", "fresh", "none"
# Another number makes a new index.
_FORMAT = 1
_NAME = "heard.sqlite"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS heard "
    "(file BLOB PRIMARY KEY, mark TEXT NOT NULL, facts TEXT NOT NULL) WITHOUT ROWID"
)
_ASKED_AT_ONCE = 500
_KEPT_AT_ONCE = 2000
_WAIT_SECONDS = 60.0
# A file that was written so lately may be written again without another time.
_SETTLED_NS = 2 * 10**9


class _Mark(NamedTuple):
    """A file as the system describes it.

    Attributes:
        file: Bytes of its real path.
        text: Size and times of it, and the version of what decodes it.
        written: Time of its last change, ns.
    """

    file: bytes
    text: str
    written: int


def open_index(how=USE):
    """The index of this user.

    Args:
        how: "use"; "fresh", by which nothing is found and all is kept anew; or "none".

    Returns:
        An `Index`; None for "none", and where it can't be had, which a line on stderr
        says once.

    >>> print(open_index("none"))
    None
    """
    if how == NONE:
        return None
    try:
        return Index(cache_folder() / _NAME, how == FRESH)
    except (OSError, RuntimeError, sqlite3.Error) as error:
        _say_without(str(error))
        return None


class Index:
    """The facts that were heard of files, on a disk.

    Several processes may use one at once. Its methods are called by one thread.

    Args:
        path: SQLite file; it and its folder are made if need be.
        is_fresh: Whether nothing is found, so that all is heard and kept anew.

    Raises:
        OSError, sqlite3.Error: It can't be made.

    >>> index = Index("heard.sqlite")
    >>> index.find({Path("drums/kick/0.wav"): [Stretch()]})
    {}
    >>> index.close()
    """

    def __init__(self, path, is_fresh=False):
        self._path = Path(path)
        self._is_fresh = is_fresh
        self._folders = functools.cache(os.path.realpath)
        self._marks = {}
        self._facts = {}
        self._waiting = []
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._base = self._opened()
        except sqlite3.OperationalError:  # no damage: it can't be opened
            raise
        except sqlite3.DatabaseError as error:
            self._remake(error)

    def find(self, wanted, with_landmarks=True):
        """The known facts of files.

        Args:
            wanted: {path: `Stretch`es}.
            with_landmarks: Whether facts without fingerprints are too few.

        Returns:
            {path: a `Heard` for each of its stretches}, of the files of which all of
            them are known.
        """
        known: dict = {}
        for path in wanted:
            with contextlib.suppress(OSError, ValueError):
                if _may_be_opened(path):
                    self._marks[path] = self._mark(path)
        if self._is_fresh or self._base is None:
            return known
        paths = list(self._marks)
        for first in range(0, len(paths), _ASKED_AT_ONCE):
            some = paths[first : first + _ASKED_AT_ONCE]
            for path, facts in self._read(some).items():
                keys = [_key(stretch) for stretch in wanted[path]]
                heard = [_decoded(facts[key]) for key in keys if key in facts]
                lacks = with_landmarks and any(one.landmarks is None for one in heard)
                if len(heard) == len(keys) and not lacks:
                    known[path] = heard
                    del self._marks[path]
                else:
                    self._facts[path] = facts
        return known

    def keep(self, path, stretches, heard):
        """Keeps what was heard of a file that wasn't found, unless it has changed.

        Args:
            path: Path, one of those that `find` was asked for.
            stretches: `Stretch`es of it.
            heard: A `Heard` for each, or other things, which aren't kept.
        """
        mark = self._marks.pop(path, None)
        facts = self._facts.pop(path, {})
        if mark is None or not all(isinstance(one, Heard) for one in heard):
            return
        with contextlib.suppress(OSError, ValueError):
            if self._mark(path) != mark:
                return
            if time.time_ns() - mark.written < _SETTLED_NS:
                return
            facts.update((_key(s), _encoded(one)) for s, one in zip(stretches, heard))
            text = json.dumps(facts, separators=(",", ":"))
            self._waiting.append((mark.file, mark.text, text))
        if len(self._waiting) >= _KEPT_AT_ONCE:
            self._write()

    def close(self):
        """Writes what waits; the index is not used after that."""
        self._write()
        if self._base is not None:
            self._base.close()
            self._base = None

    def _opened(self):
        base = sqlite3.connect(self._path, timeout=_WAIT_SECONDS, isolation_level=None)
        try:
            (made_by,) = base.execute("PRAGMA user_version").fetchone()
            if made_by != _FORMAT:
                base.execute("BEGIN IMMEDIATE")
                if base.execute("PRAGMA user_version").fetchone() != (_FORMAT,):
                    base.execute("DROP TABLE IF EXISTS heard")
                    base.execute(_TABLE)
                    base.execute(f"PRAGMA user_version = {_FORMAT}")
                base.execute("COMMIT")
            # It can be made anew: what a power cut leaves of it needn't be waited for.
            base.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            base.close()
            raise
        return base

    def _remake(self, error):
        """Makes it anew, empty, after damage."""
        note(
            f"note: the index of clips {self._path} is damaged ({error}); it is made "
            "anew"
        )
        self._base = None
        for path in (self._path, self._path.with_name(f"{_NAME}-journal")):
            path.unlink(missing_ok=True)
        self._base = self._opened()

    def _lose(self, error):
        """Goes on after an error of SQLite's."""
        if self._base is not None:
            self._base.close()
            self._base = None
        if isinstance(error, sqlite3.OperationalError):
            _say_without(str(error))
            return
        try:
            self._remake(error)
        except (OSError, sqlite3.Error) as another:
            _say_without(str(another))

    def _read(self, paths):
        """{path: {key of a stretch: its facts}} of files that are as they were."""
        if self._base is None:
            return {}
        files = {self._marks[path].file: path for path in paths}
        places = ",".join("?" * len(files))
        try:
            rows = self._base.execute(
                f"SELECT file, mark, facts FROM heard WHERE file IN ({places})",
                list(files),
            ).fetchall()
            known = {bytes(file): (mark, json.loads(text)) for file, mark, text in rows}
        except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
            self._lose(error)
            return {}
        facts = {}
        for path in paths:
            mark, of_file = known.get(self._marks[path].file, ("", None))
            if mark == self._marks[path].text and _is_sound(of_file):
                facts[path] = of_file
        return facts

    def _write(self):
        rows, self._waiting = self._waiting, []
        for _ in range(2):  # once more into one that was made anew
            if self._base is None or not rows:
                return
            try:
                self._base.execute("BEGIN IMMEDIATE")
                insert = "INSERT OR REPLACE INTO heard VALUES (?, ?, ?)"
                self._base.executemany(insert, rows)
                self._base.execute("COMMIT")
                return
            except sqlite3.Error as error:
                self._lose(error)

    def _mark(self, path):
        """The `_Mark` of a file; raises an OSError if there is none."""
        folder, name = os.path.split(os.path.abspath(path))
        real = os.path.join(self._folders(folder), name)
        status = os.lstat(real)
        if stat.S_ISLNK(status.st_mode):
            real = os.path.realpath(real)
            status = os.stat(real)
        text = (
            f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} "
            f"{soundfile.__libsndfile_version__}"
        )
        return _Mark(os.fsencode(real), text, status.st_mtime_ns)


@functools.cache
def _say_without(reason):
    note(
        f"note: what is heard of clips can't be kept ({reason}), so that they are "
        f"heard anew each time; name a folder for it by {FOLDER_VARIABLE}, or say "
        f"--index {NONE}"
    )


def _may_be_opened(path):
    """Whether a file may be opened by a name: what is known of it may be by another."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return is_audio_path(path)


_FIELDS = tuple(field.name for field in dataclasses.fields(Heard))


def _key(stretch):
    return "" if stretch == Stretch() else f"{stretch.start!r} {stretch.end!r}"


def _encoded(heard):
    """The values of a `Heard`, for JSON; bytes as text in a list."""
    values = [getattr(heard, name) for name in _FIELDS]
    return [
        [base64.b64encode(value).decode()] if isinstance(value, bytes) else value
        for value in values
    ]


def _decoded(values):
    """The inverse of `_encoded`."""
    heard = dict(zip(_FIELDS, values))
    for name, value in heard.items():
        if isinstance(value, list):
            is_bytes = Heard.__dataclass_fields__[name].type in (bytes, bytes | None)
            heard[name] = base64.b64decode(value[0]) if is_bytes else tuple(value)
    return Heard(**heard)


def _is_sound(facts):
    """Whether facts are of this version's fields."""
    return isinstance(facts, dict) and all(
        isinstance(values, list) and len(values) == len(_FIELDS)
        for values in facts.values()
    )
