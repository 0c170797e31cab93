"""Tags of music players, before and after the sound of a file."""

import struct
from collections.abc import Callable

_ID3_HEADER = 10
_ID3V1_BYTES = 128
_APE_BYTES = 32


def id3_bytes(head: bytes) -> int:
    """The length of the ID3v2 tag that bytes begin with, 0 if there is none.

    >>> id3_bytes(b"ID3\\x04\\0\\0\\0\\0\\0\\x20"), id3_bytes(b"RIFF")
    (42, 0)
    """
    if len(head) < _ID3_HEADER or head[:3] != b"ID3":
        return 0
    if 255 in head[3:5] or max(head[6:10]) > 127:
        return 0
    length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    has_footer = bool(head[5] & 0x10)
    return _ID3_HEADER * (1 + has_footer) + length


def after_tags(at: Callable[[int, int], bytes], place: int, stop: int) -> int:
    """The first place behind all tags that begin at a place.

    Args:
        at: (start, n_bytes) -> bytes.
        place, stop: Ends of the part to search, bytes.

    >>> content = b"ID3\\x04\\0\\0\\0\\0\\0\\x02--fLaC"
    >>> after_tags(lambda start, n: content[start : start + n], 0, len(content))
    12
    """
    while place < stop:
        start = at(place, _APE_BYTES)
        if id3_bytes(start):
            place += id3_bytes(start)
        elif start[:3] == b"TAG":
            place += _ID3V1_BYTES
        elif start[:8] == b"APETAGEX" and len(start) == _APE_BYTES:
            size, flags = struct.unpack("<I4xI", start[12:24])
            is_header = bool(flags & 1 << 29)
            place += _APE_BYTES + (size if is_header else 0)
        else:
            break
    return min(place, stop)


def before_tags(at: Callable[[int, int], bytes], start: int, place: int) -> int:
    """The last place before all tags that end at a place, not before `start`.

    Args:
        at: (start, n_bytes) -> bytes.
        start, place: Ends of the part to search, bytes.

    >>> content = b"sound" + b"TAG".ljust(128)
    >>> before_tags(lambda start, n: content[start : start + n], 0, len(content))
    5
    """
    while True:
        if at(place - _ID3V1_BYTES, 3) == b"TAG":
            length = _ID3V1_BYTES
        elif at(place - _APE_BYTES, 8) == b"APETAGEX":
            size, flags = struct.unpack("<I4xI", at(place - 20, 12))
            length = size + (_APE_BYTES if flags & 1 << 31 else 0)
        elif at(place - _ID3_HEADER, 3) == b"3DI":
            length = id3_bytes(b"ID3" + at(place - _ID3_HEADER + 3, _ID3_HEADER))
        else:
            return place
        if not length or place - length < start:
            return place
        place -= length
