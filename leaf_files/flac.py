"""FLAC: how many samples a stream holds, whatever its header says.

The decoder stops where the STREAMINFO block says, and fails where it says nothing.
"""

import dataclasses
import re

from leaf_files.sources import Content
from leaf_files.tags import before_tags

_STREAM = re.compile(rb"fLaC[\0\x80]\0\0\x22")
_FRAME_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_INFO_BYTES = 42  # "fLaC", a header of 4 bytes, STREAMINFO
_BLOCKS = {1: 192, 2: 576, 3: 1152, 4: 2304, 5: 4608} | {
    code: 256 << (code - 8) for code in range(8, 16)
}
# Where to look for the last frame: in so much from the end.
_LONGEST_FRAME = 2**20
_NEAR_END = 2**15
_MOST_TRIED = 4  # of what looks like a frame
_NO_GARBAGE = 4096  # bytes


@dataclasses.dataclass(frozen=True)
class Stream:
    """One FLAC stream of a file.

    Attributes:
        start, stop: Ends of the stream, bytes.
        promised: Number of samples by its header, 0 if that doesn't say.
        held: Number of samples to the end of its last frame; None if that isn't whole.
        is_followed: Whether more bytes follow than its last frame can have.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(5000), 8000, format="FLAC")
    >>> [stream] = streams(file.getvalue(), 0)
    >>> stream.start, stream.stop == len(file.getvalue()), stream.promised, stream.held
    (0, True, 5000, 5000)
    """

    start: int
    stop: int
    promised: int
    held: int | None
    is_followed: bool = False


def streams(content: Content, start: int) -> list[Stream]:
    """The streams of a file that begins as FLAC at a place, in order.

    Args:
        content: Bytes, or a mapping of them.
        start: Place of the first.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(5000), 8000, format="FLAC")
    >>> [stream.held for stream in streams(2 * file.getvalue(), 0)]
    [5000, 5000]
    """
    starts = [start]
    while match := _STREAM.search(content, _after_blocks(content, starts[-1])):
        starts.append(match.start())
    stops = [*starts[1:], len(content)]
    return [_stream(content, *ends) for ends in zip(starts, stops)]


def pieces(content: Content, stream: Stream, n_samples: int) -> list:
    """Pieces of a file: the stream, with its length in the header.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(5000), 8000, format="FLAC")
    >>> [stream] = streams(file.getvalue(), 0)
    >>> beginning, frames = pieces(file.getvalue(), stream, 4000)
    >>> len(beginning), frames == (42, stream.stop)
    (42, True)
    """
    beginning = counting(content[stream.start : stream.start + _INFO_BYTES], n_samples)
    return [beginning, (stream.start + _INFO_BYTES, stream.stop)]


def counting(beginning: bytes, n_samples: int) -> bytes:
    """The first bytes of a stream, with another number of samples in its header.

    >>> counting(bytes(42), 5000)[18:26].hex()
    '0000000000001388'
    """
    changed = bytearray(beginning)
    changed[21] = changed[21] & 0xF0 | n_samples >> 32
    changed[22:26] = (n_samples & 0xFFFFFFFF).to_bytes(4, "big")
    return bytes(changed)


def _after_blocks(content, start):
    """Where the frames of a stream begin: pictures may hold what looks like some."""
    place, is_last = start + 4, False
    while not is_last and place + 4 <= len(content):
        is_last = bool(content[place] & 0x80)
        place += 4 + int.from_bytes(content[place + 1 : place + 4], "big")
    return place if place < len(content) else start + _INFO_BYTES


def _stream(content, start, stop):
    info = content[start : start + _INFO_BYTES]
    if len(info) < _INFO_BYTES:
        return Stream(start, stop, 0, None)
    promised = (info[21] & 15) << 32 | int.from_bytes(info[22:26], "big")
    stop = before_tags(lambda place, n: content[place : place + n], start, stop)
    seen = []
    for place, end in _last_frames(content, start, stop):
        if end == promised:
            largest = int.from_bytes(info[15:18], "big") or _LONGEST_FRAME
            behind = content[place + largest : stop]
            is_followed = len(behind) > _NO_GARBAGE and bool(behind.strip(b"\0"))
            return Stream(start, stop, promised, promised, is_followed)
        seen.append((place, end))
        if len(seen) == _MOST_TRIED:
            break
    whole = [end for place, end in seen if not _crc16(content[place:stop])]
    return Stream(start, stop, promised, whole[0] if whole else None)


def _last_frames(content, start, stop):
    """(place, samples up to its end) of what look like frames, from the last on."""
    block = int.from_bytes(content[start + 10 : start + 12], "big")
    first = _after_blocks(content, start)
    low, high = stop, stop
    for width in (_NEAR_END, _LONGEST_FRAME):
        low, high = max(first, stop - width), low
        places = [m.start() for m in _FRAME_SYNC.finditer(content, low, high)]
        for place in reversed(places):
            end = _end_of_frame(content[place : place + 16], block)
            if end is not None:
                yield place, end


def _end_of_frame(head, stream_block):
    """Samples up to the end of the frame with this header, None if it is none."""
    if len(head) < 16:
        head = head + bytes(16 - len(head))
    code, rate = head[2] >> 4, head[2] & 15
    if not code or rate == 15 or head[3] & 1 or head[3] >> 4 > 10:
        return None
    number, length = _number(head)
    if number is None:
        return None
    end = 4 + length
    if code in (6, 7):
        block = int.from_bytes(head[end : end + code - 5], "big") + 1
        end += code - 5
    else:
        block = _BLOCKS[code]
    end += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if _crc8(head[:end]) != head[end]:
        return None
    counts_samples = head[1] & 1
    return (number if counts_samples else number * stream_block) + block


def _number(head):
    """(number, bytes it takes) of the coded number of a header."""
    first = head[4]
    if first < 0x80:
        return first, 1
    length = 8 - (first ^ 0xFF).bit_length()
    if not 2 <= length <= 7:
        return None, 0
    number = first & (0x7F >> length)
    for byte in head[5 : 4 + length]:
        if byte >> 6 != 2:
            return None, 0
        number = number << 6 | byte & 0x3F
    return number, length


def _crc8(content):
    crc = 0
    for byte in content:
        crc = _CRC8[crc ^ byte]
    return crc


def _crc16(content):
    crc = 0
    for byte in content:
        crc = (crc << 8 & 0xFFFF) ^ _CRC16[crc >> 8 ^ byte]
    return crc


def _table(polynomial, bits):
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    table = []
    for byte in range(256):
        crc = byte << (bits - 8)
        for _ in range(8):
            crc = (crc << 1 ^ (polynomial if crc & top else 0)) & mask
        table.append(crc)
    return tuple(table)


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)
