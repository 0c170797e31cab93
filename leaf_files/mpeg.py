"""Frames of MPEG audio: where an MP3 file really ends.

Its decoder takes the length of a file without a Xing header from its size and the bit
rate of the first frame, and that of a joined file from the first Xing header.
"""

import dataclasses
import re
import struct

from leaf_files.sources import Content
from leaf_files.tags import after_tags

_KBITS = {
    # (MPEG 1, layer): of the bit rate's index, from 1 to 14.
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_SYNC = 0xFFE00000
_USED_BITS = 0xFFFEFEC0  # of a header: those that determine a frame's length and kind
_IN_A_ROW = 3  # frames of one kind: no coincidence
_MONO = 3
_SYNC_BYTES = re.compile(rb"\xff[\xe2-\xff]")
_XING = re.compile(rb"Xing|Info")

_headers: dict[int, "_Header | None"] = {}


@dataclasses.dataclass(frozen=True)
class _Header:
    """The header of a frame.

    Attributes:
        length: Length of the frame, bytes.
        kind: Properties that frames of one sound share.
        samples: Number of samples in the frame.
        xing_at: Place of a Xing header in the frame.
    """

    length: int
    kind: tuple
    samples: int
    xing_at: int


@dataclasses.dataclass
class Run:
    """Frames that follow each other and are of one kind.

    Attributes:
        kind: (version, layer, rate, whether mono).
        stretches: list of [start, stop] of its frames.
        n_frames: Number of frames, without the one that holds the Xing header.
        header_bytes: Length of that frame, 0 if there is none.
        promised: Number of frames by the Xing header; None if it doesn't say.
        first: Its first frame's header, an int.
        samples: Number of samples in a frame.
        junk: Bytes between its frames that are no frames.

    >>> frame = bytes.fromhex("fffb9064") + bytes(413)
    >>> [run], _ = runs(8 * frame, 0, 8 * len(frame))
    >>> run.kind, run.stretches, run.n_frames, run.samples, run.promised
    ((3, 3, 44100, False), [[0, 3336]], 8, 1152, None)
    """

    kind: tuple
    stretches: list
    n_frames: int
    header_bytes: int
    promised: int | None
    first: int
    samples: int
    junk: int = 0


def mpeg_frames(content: Content, n_frames: int) -> bool:
    """Whether bytes begin with `n_frames` frames of MPEG audio; the last may be cut.

    >>> frame = bytes.fromhex("fffb9064") + bytes(413)
    >>> mpeg_frames(3 * frame, 3), mpeg_frames(bytes(9999), 3)
    (True, False)
    """
    return _verified(content, 0, len(content), n_frames)


def adts_frames(content: Content, n_frames: int) -> bool:
    """Whether bytes begin with `n_frames` frames of AAC.

    >>> frame = bytes.fromhex("fff15080010000")[:7] + b"."
    >>> adts_frames(3 * frame, 3), adts_frames(bytes(99), 3)
    (True, False)
    """
    place = 0
    for number in range(n_frames):
        if place + 7 > len(content):
            return number >= 2
        head = content[place : place + 7]
        if head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or (head[2] >> 2) & 15 > 12:
            return False
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if length < 7:
            return False
        place += length
    return True


def runs(content: Content, start: int, stop: int) -> tuple[list[Run], int]:
    """The runs of frames in a part of a file.

    Args:
        content: Bytes, or a mapping of them.
        start, stop: Ends of the part.

    Returns:
        (list of `Run`, bytes of a last frame that isn't whole). Tags before, between
        and after are left out.

    >>> frame = bytes.fromhex("fffb9064") + bytes(413)
    >>> found, n_left = runs(8 * frame + frame[:100], 0, 8 * len(frame) + 100)
    >>> [run.n_frames for run in found], n_left
    ([8], 100)
    """
    tables = {match.start() for match in _XING.finditer(content, start, stop)}
    all_runs: list[Run] = []
    run: Run | None = None
    place, rest = start, 0
    unpack = struct.Struct(">I").unpack_from
    while place + 4 <= stop:
        word = unpack(content, place)[0]
        header = _header(word)
        fits = header is not None and run is not None and header.kind == run.kind
        if not fits:
            after = _next_frame(content, place, stop)
            if after is None:
                break
            if after != place:
                if run is not None:
                    run.junk += after - _after_tags(content, place, after)
                place = after
                continue
        if place + header.length > stop:
            rest = stop - place
            break
        has_table = place + header.xing_at in tables
        if run is None or not fits or has_table or run.n_frames == run.promised:
            run = Run(header.kind, [], 0, 0, None, word, header.samples)
            all_runs.append(run)
        if has_table:
            run.promised = _promised(content, place + header.xing_at)
            run.header_bytes = header.length
        elif not run.n_frames and content[place + 36 : place + 40] == b"VBRI":
            run.header_bytes = header.length
        else:
            run.n_frames += 1
        end = place + header.length
        if run.stretches and run.stretches[-1][1] == place:
            run.stretches[-1][1] = end
        else:
            run.stretches.append([place, end])
        place = end
    return [run for run in all_runs if run.n_frames], rest


def pieces(run: Run) -> list:
    """Pieces of a file: the run, with its length for the decoder.

    Returns:
        list, an argument of `sources.Spliced`.

    >>> frame = bytes.fromhex("fffb9064") + bytes(413)
    >>> [run], _ = runs(8 * frame, 0, 8 * len(frame))
    >>> counting_frame, stretch = pieces(run)
    >>> b"Info" in counting_frame, stretch
    (True, (0, 3336))
    """
    stretches = [tuple(stretch) for stretch in run.stretches]
    if run.header_bytes:
        stretches[0] = (stretches[0][0] + run.header_bytes, stretches[0][1])
    _, layer, _, _ = run.kind
    return [_counting_frame(run), *stretches] if layer == 3 else stretches


def _header(word):
    """The `_Header` of four bytes, None if they are none."""
    key = word & _USED_BITS
    try:
        return _headers[key]
    except KeyError:
        pass
    if len(_headers) > 10000:  # damaged files hold any
        _headers.clear()
    _headers[key] = header = _parsed(word)
    return header


def _parsed(word):
    version, layer = (word >> 19) & 3, 4 - ((word >> 17) & 3)
    bit_rate, rate = (word >> 12) & 15, (word >> 10) & 3
    if word & _SYNC != _SYNC or version == 1 or layer == 4:
        return None
    if bit_rate in (0, 15) or rate == 3:
        return None
    is_first = version == 3
    hz = _RATES[version][rate]
    bits = 1000 * _KBITS[is_first, layer][bit_rate - 1]
    padding = (word >> 9) & 1
    mono = (word >> 6) & 3 == _MONO
    if layer == 1:
        samples, length = 384, 4 * (12 * bits // hz + padding)
    else:
        samples = 1152 if layer == 2 or is_first else 576
        length = samples // 8 * bits // hz + padding
    side = (17 if mono else 32) if is_first else (9 if mono else 17)
    return _Header(length, (version, layer, hz, mono), samples, 4 + side)


def _verified(content, place, stop, n_frames, kind=None):
    """Whether n_frames frames of one kind begin at a place, or go to the end."""
    for number in range(n_frames):
        if place == stop and number:
            return True
        if place + 4 > stop:
            return number >= 2
        header = _header(int.from_bytes(content[place : place + 4], "big"))
        if header is None or kind not in (None, header.kind):
            return False
        kind = header.kind
        place += header.length
    return True


def _next_frame(content, place, stop):
    """Where the next run of frames begins, at or after a place; None if none does."""
    place = _after_tags(content, place, stop)
    if _verified(content, place, stop, _IN_A_ROW):
        return place
    for match in _SYNC_BYTES.finditer(content, place + 1, stop):
        if _verified(content, match.start(), stop, _IN_A_ROW):
            return match.start()
    return None


def _after_tags(content, place, stop):
    return after_tags(lambda start, n: content[start : start + n], place, stop)


def _promised(content, place):
    flags, n_frames = struct.unpack(">II", content[place + 4 : place + 12])
    return n_frames if flags & 1 and n_frames else None


def _counting_frame(run):
    """A frame without sound, whose Xing header says how many come after it."""
    for bit_rate in range(1, 15):  # the smallest that has room
        word = (run.first & 0xFFFE0CC0) | 0x00010000 | bit_rate << 12
        header = _parsed(word)
        if header.length >= header.xing_at + 16:
            break
    content = bytearray(header.length)
    content[:4] = word.to_bytes(4, "big")
    table = struct.pack(">4sII", b"Info", 1, run.n_frames)
    content[header.xing_at : header.xing_at + len(table)] = table
    return bytes(content)
