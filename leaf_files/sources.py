"""The bytes of an audio file: of a path, in memory, or spliced from pieces."""

import bisect
import contextlib
import io
import mmap
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from leaf_files.errors import UserError

_HEAD_BYTES = 4096
_SMALL_BYTES = 2**20  # faster read than mapped
# A pipe has to be kept, since decoders go back and forth in a file.
_MOST_PIPED_BYTES = 2**30
_PIPE_BLOCK = 2**20
_HANDED_ON = ("/dev/stdin", "/dev/fd/", "/proc/self/fd/")

# The bytes of a file, in memory or mapped.
Content: TypeAlias = bytes | mmap.mmap


class Source:
    """An audio file, opened.

    Args:
        file: Binary file that can seek.
        name: Name in messages.
        path: Its path, where it is a file on the disk.

    Attributes:
        size: Size in bytes.
        head: Its first bytes.

    >>> source = Source(io.BytesIO(b"RIFF....WAVE"), "clip")
    >>> source.size, source.at(8, 4)
    (12, b'WAVE')
    """

    def __init__(self, file: Any, name: str | Path, path: str | Path | None = None):
        self.file, self.name, self.path = file, name, path
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        self.head = file.read(_HEAD_BYTES)

    def at(self, start: int, n_bytes: int) -> bytes:
        """The bytes from `start` on, `n_bytes` at most."""
        if start + n_bytes <= len(self.head):
            return self.head[start : start + n_bytes]
        self.file.seek(start)
        return self.file.read(n_bytes)

    @contextlib.contextmanager
    def mapped(self) -> Iterator[Any]:
        """All bytes, to index and to search; mapped, not copied, where possible."""
        if self.path is None:
            yield self.file.getvalue()
            return
        if self.size < _SMALL_BYTES:
            yield self.head + self.at(len(self.head), self.size)
            return
        try:
            mapping = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # no such thing on some file systems
            self.file.seek(0)
            yield self.file.read()
            return
        with mapping:
            yield mapping


class Spliced:
    """A file for reading, made of bytes and of stretches of another file.

    Args:
        file: Binary file that can seek.
        pieces: list of bytes, or of (start, stop) in `file`.

    >>> file = Spliced(io.BytesIO(b"0123456789"), [b"head", (2, 5)])
    >>> file.read(), file.seek(2), file.read(4)
    (b'head234', 2, b'ad23')
    """

    def __init__(self, file: BinaryIO, pieces: list):
        self._file = file
        self._pieces, self._starts, self._size, self._place = [], [], 0, 0
        for piece in pieces:
            length = len(piece) if _is_bytes(piece) else piece[1] - piece[0]
            if length > 0:
                self._pieces.append(piece)
                self._starts.append(self._size)
                self._size += length

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}
        self._place = max(0, base[whence] + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, n_bytes: int = -1) -> bytes:
        if n_bytes < 0:
            n_bytes = max(0, self._size - self._place)
        blocks, missing = [], min(n_bytes, self._size - self._place)
        while missing > 0:
            block = self._some(missing)
            if not block:  # the file has become shorter
                break
            blocks.append(block)
            missing -= len(block)
            self._place += len(block)
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _some(self, n_bytes):
        """At most n_bytes bytes at the place, of one piece."""
        index = bisect.bisect_right(self._starts, self._place) - 1
        piece, within = self._pieces[index], self._place - self._starts[index]
        if _is_bytes(piece):
            return piece[within : within + n_bytes]
        self._file.seek(piece[0] + within)
        return self._file.read(min(n_bytes, piece[1] - piece[0] - within))


@contextlib.contextmanager
def opened_source(path: str | Path) -> Iterator[Source]:
    """The `Source` of a path; a pipe is read to its end.

    Raises:
        UserError: It can't be opened, or more comes out of the pipe than 1 GiB.

    >>> _ = Path("clip.wav").write_bytes(b"RIFF")
    >>> with opened_source("clip.wav") as source, source.mapped() as content:
    ...     print(source.size, content[:4])
    4 b'RIFF'
    """
    try:
        with open(path, "rb", buffering=0) as file:
            if is_stream(path, os.fstat(file.fileno()).st_mode):
                yield Source(io.BytesIO(_drained(file, path)), path)
            else:
                yield Source(file, path, path)
    except OSError as error:
        raise UserError(
            f"cannot read the audio file {path}: {error.strerror or error}"
        ) from error


def is_stream(path: str | Path, mode: int) -> bool:
    """Whether a path is that of a pipe or a device, such as /dev/stdin.

    Args:
        path: The path.
        mode: Its mode by `os.stat`.

    >>> is_stream("/dev/null", os.stat("/dev/null").st_mode)
    True
    """
    if stat.S_ISREG(mode):  # /dev/stdin may be a file, which a shell has opened
        return str(path).startswith(_HANDED_ON)
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _drained(file, path):
    """All that comes out of a pipe or a device."""
    if file.isatty():
        raise UserError(f"{path} is a terminal, not an audio file; pipe one into it")
    content = io.BytesIO()
    while block := file.read(_PIPE_BLOCK):
        content.write(block)
        if content.tell() > _MOST_PIPED_BYTES:
            raise UserError(
                f"more than {_MOST_PIPED_BYTES >> 20} MiB come out of the pipe {path}; "
                "save them in a file, and name that"
            )
    if not content.tell():
        raise UserError(f"nothing came out of the pipe {path}: 0 bytes of audio")
    return content.getvalue()


def _is_bytes(piece):
    return isinstance(piece, bytes)
