"""The audio files that a table names."""

import os
import re
import stat
from pathlib import Path

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_DRIVE = re.compile(r"[a-zA-Z]:[\\/]|\\\\")


class Files:
    r"""Finds the files of a table by what its cells say.

    A path is absolute, or relative to the folder of the table; "~" is the user's own
    folder; "\" is taken for "/" where only that names a file.

    Args:
        folder: Folder of the table, a Path.

    >>> Files(Path("drums")).find("kick/0.wav").as_posix()
    'drums/kick/0.wav'
    """

    def __init__(self, folder):
        self._folder = folder
        self._found = {}
        self._by_number = {}

    def find(self, text):
        """The path of the file that a cell names; two spellings of one file give one.

        Raises:
            ValueError: There is no such file; the message says what to do.
        """
        if text not in self._found:
            self._found[text] = self._find(text)
        found = self._found[text]
        if isinstance(found, ValueError):
            raise found
        return found

    def _find(self, text):
        spellings = [text, text.replace("\\", "/")] if "\\" in text else [text]
        for spelling in spellings:
            path = self._folder / _expanded(spelling)
            try:
                status = os.stat(path)
            except (OSError, ValueError):  # not there; or no name of a file at all
                continue
            if stat.S_ISDIR(status.st_mode):
                return ValueError("a folder, name the files in it")
            if not stat.S_ISREG(status.st_mode):
                return ValueError("a pipe or a device, which can't be read twice")
            return self._once(_plain(path, status), status)
        return ValueError(self._remedy(text))

    def _once(self, path, status):
        """The first path that was found of a file."""
        # Some file systems have no numbers of files.
        number = status.st_ino or os.path.realpath(path)
        same = self._by_number.setdefault((status.st_dev, number), [path])
        for other in same:  # hard links share the number, and are files of their own
            if other == path or os.path.realpath(other) == os.path.realpath(path):
                return other
        same.append(path)
        return path

    def _remedy(self, text):
        if _ADDRESS.match(text):
            return "files only, no addresses: copy them to this machine"
        if _DRIVE.match(text):
            return (
                "a path of a Windows machine: write paths relative to the table's "
                f"folder, {self._folder}"
            )
        return f"paths are relative to the table's folder, {self._folder}"


def _expanded(text):
    """A Path in which "~" is a user's folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError:  # no such user: a file of that name
        return Path(text)


def _plain(path, status):
    """A path of a file without "..", where that is the same file.

    So its name below a folder, from which groups are told, is one however it is
    spelled. Behind a link to a folder ".." leads elsewhere.

    Args:
        path: An absolute Path.
        status: Result of `os.stat` for it.
    """
    if ".." not in path.parts:
        return path
    plain = Path(os.path.normpath(path))
    try:
        return plain if os.path.samestat(os.stat(plain), status) else path
    except OSError:
        return path
