"""Files of chunks (WAV, RF64, W64, AIFF, CAF) and AU: where their samples really are.

Recorders that are not closed, and programs that write to a pipe, leave wrong sizes. The
decoder trusts some of them, and stops at a chunk that it can't read.
"""

import dataclasses
import struct
from typing import Literal

from leaf_files import containers
from leaf_files.arithmetic import ceil_div
from leaf_files.errors import UserError
from leaf_files.sources import Source
from leaf_files.tags import after_tags

Order = Literal["little", "big"]
_W64_GUID = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
_MOST_CHUNKS = 10_000
# What writers of pipes leave as the size of the samples: these, less the header.
_PLACEHOLDERS = ((0x7FFF0000, 0x8000FFFF), (0xFFFF0000, 0xFFFFFFFF))
_UNKNOWN_64 = 2**62
_AIFF_PLACEHOLDERS = (0x7EFF0000, 0x8000FFFF)  # sox says 0x7f000000
# Bytes of a chunk that come before its samples.
_BEFORE_SAMPLES = {(b"SSND", 4): 8, (b"data", 8): 4}
# PCM, floats, A-law, mu-law: of WAV's codings those that aren't in blocks of samples.
_PCM = 1
_CODED_BY_SAMPLE = (_PCM, 3, 6, 7)
_HEADERS_AGAIN = 2**15
_NO_GARBAGE = 4096  # bytes: fewer are no lost sound


@dataclasses.dataclass(frozen=True)
class Form:
    """The structure of a kind of file.

    Attributes:
        header: Bytes before the first chunk.
        name, size: Length of both in a chunk's header, bytes.
        order: "big" or "little".
        align: Divisor of a chunk's length, bytes.
        counts_header: Whether the size of a chunk includes its header.
        samples: Name of the chunk with the samples.
        kept: Names of the chunks that describe the samples.

    >>> form = Form(12, 4, 4, "little", 2, False, b"data", (b"fmt ", b"fact"))
    >>> form.samples
    b'data'
    """

    header: int
    name: int
    size: int
    order: Order
    align: int
    counts_header: bool
    samples: bytes
    kept: tuple


@dataclasses.dataclass
class Layout:
    """Where a file's samples are.

    Attributes:
        form: Its `Form`.
        start, stop: Ends of the file, bytes; what follows is another.
        chunks: {name: (start, stop) of its content}, of those before the samples and
            after; the first of a name.
        stretches: list of (start, stop) of samples.
        is_clean: Whether the decoder finds the same samples by itself.
        is_followed: Whether more bytes follow that are no chunk.
        has_header_again: Whether the samples are followed by their header.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(500), 8000, format="WAV", subtype="PCM_16")
    >>> source = Source(file, "clip")
    >>> [layout] = layouts(source, 0, containers.WAV)
    >>> sorted(layout.chunks), layout.stretches, layout.is_clean
    ([b'fmt '], [(44, 1044)], True)
    """

    form: Form
    start: int
    stop: int
    chunks: dict
    stretches: list
    is_clean: bool = True
    is_followed: bool = False
    has_header_again: bool = False


def layouts(source: Source, start: int, kind: str) -> list[Layout]:
    """The `Layout`s of the sounds that a file holds one after the other.

    Args:
        source: `sources.Source`.
        start: Place of the first, bytes.
        kind: Kind by `containers.kind_of`.

    Raises:
        UserError: It is cut short.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(500), 8000, format="WAV", subtype="PCM_16")
    >>> source = Source(file, "clip")
    >>> [layout] = layouts(source, 0, containers.WAV)
    >>> layout.start, layout.stop, layout.stretches
    (0, 1044, [(44, 1044)])
    """
    all_layouts = []
    while start < source.size:
        head = source.at(start, 64)
        form = _au if kind == containers.AU else _form(head, kind)
        layout = form(source, start) if form is _au else _walked(source, start, form)
        all_layouts.append(layout)
        if layout.stop >= source.size:
            break
        start = layout.stop
    return all_layouts


def coding(source: Source, layout: Layout) -> int | None:
    """The number of the coding of WAV and W64, such as 1 for PCM; None for others.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(500), 8000, format="WAV", subtype="PCM_16")
    >>> source = Source(file, "clip")
    >>> [layout] = layouts(source, 0, containers.WAV)
    >>> coding(source, layout)
    1
    """
    place = _format(layout)
    if place is None:
        return None
    content = source.at(place[0], 26)
    if len(content) < 16:
        return None
    tag = int.from_bytes(content[:2], layout.form.order)
    is_extensible = tag == 0xFFFE and len(content) == 26
    return int.from_bytes(content[24:26], layout.form.order) if is_extensible else tag


def padded_bits(
    source: Source, layout: Layout, tag: int | None
) -> tuple[int, int] | None:
    """(bits, bytes) of a sample of PCM in a WAV file whose bytes hold more bits.

    Its decoder goes by the bits, and would take the other bytes for samples. None where
    the two agree.

    Args:
        source, layout: The file and its `Layout`.
        tag: Its `coding`.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(500), 8000, format="WAV", subtype="PCM_16")
    >>> source = Source(file, "clip")
    >>> [layout] = layouts(source, 0, containers.WAV)
    >>> padded_bits(source, layout, tag=1) is None
    True
    """
    if tag != _PCM:
        return None
    numbers = source.at(_format(layout)[0], 16)
    channels, block, bits = (
        int.from_bytes(numbers[at : at + 2], layout.form.order) for at in (2, 12, 14)
    )
    room = block // max(1, channels)
    return (bits, room) if 8 * room > ceil_div(bits, 8) * 8 > 0 and room <= 8 else None


def pieces(source: Source, layout: Layout) -> list:
    """Pieces of the same file with its true sizes, see `sources.Spliced`.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(500), 8000, format="WAV", subtype="PCM_16")
    >>> source = Source(file, "clip")
    >>> [layout] = layouts(source, 0, containers.WAV)
    >>> beginning, fmt, head, samples, padding = pieces(source, layout)
    >>> len(beginning + fmt + head), samples
    (44, (44, 1044))
    """
    n_bytes = sum(stop - start for start, stop in layout.stretches)
    if layout.form.name == 0:
        return _au_pieces(source, layout, n_bytes)
    format_chunks = [
        _chunk(layout.form, name, _content(source, layout, name, n_bytes))
        for name in layout.form.kept
        if name in layout.chunks
    ]
    head = _chunk_head(layout.form, layout.form.samples, n_bytes)
    length = sum(map(len, format_chunks)) + len(head) + n_bytes
    padding = bytes(-n_bytes % layout.form.align)
    if layout.form.order == "little" and layout.form.name == 4:
        if length >= 2**32 - 4096:
            return _rf64(format_chunks, layout.stretches, n_bytes)
    beginning = _beginning(source, layout, length + len(padding))
    return [beginning, *format_chunks, head, *layout.stretches, padding]


def _form(head, kind):
    if kind == containers.W64:
        names = tuple(name + _W64_GUID for name in (b"fmt ", b"fact"))
        return Form(40, 16, 8, "little", 8, True, b"data" + _W64_GUID, names)
    if kind == containers.AIFF:
        return Form(12, 4, 4, "big", 2, False, b"SSND", (b"FVER", b"COMM"))
    if kind == containers.CAF:
        names = (b"desc", b"chan", b"kuki", b"pakt")
        return Form(8, 4, 8, "big", 1, False, b"data", names)
    order: Order = "big" if head[:4] == b"RIFX" else "little"
    return Form(12, 4, 4, order, 2, False, b"data", (b"fmt ", b"fact"))


def _walked(source, start, form):
    layout = Layout(form, start, source.size, {}, [])
    place = start + form.header
    for _ in range(_MOST_CHUNKS):
        header = _header(source, place, form)
        if header is None:
            break
        name, size = header
        body = place + form.name + form.size
        if name == form.samples:
            # sox writes the header of a CAF file to a pipe twice before the samples.
            before = _BEFORE_SAMPLES.get((form.samples, form.size), 0)
            if source.at(body + before, 8) == source.at(start, 8):
                return dataclasses.replace(
                    _walked(source, body + before, form), is_clean=False
                )
            stop = _samples_stop(source, layout, body, size)
            format_name = form.kept[0]
            is_described = format_name[:4] != b"fmt " or format_name in layout.chunks
            layout.is_clean &= is_described and not layout.stretches
            if stop > body:
                layout.stretches.append((body, stop))
            if layout.has_header_again:
                return layout
        else:
            stop = min(body + size, source.size)
            layout.chunks.setdefault(name, (body, stop))
        place = stop + -(stop - start) % form.align
        # Some writers forget the byte that makes a length even.
        if place != stop and form.align == 2 and place < source.size:
            if not _header(source, place, form) and _header(source, stop, form):
                place, layout.is_clean = stop, False
    if layout.stretches and place < source.size:
        _look_behind(source, layout, place)
    return layout


def _header(source, place, form):
    """(name, size of the content) of a chunk, None if none begins there."""
    head = source.at(place, form.name + form.size)
    if len(head) < form.name + form.size:
        return None
    name = head[: form.name]
    size = int.from_bytes(head[form.name :], form.order, signed=form.size == 8)
    if form.counts_header:
        if name[4:] != _W64_GUID and name[:4] not in (b"LIST", b"bext"):
            return None
        size -= len(head) if 0 <= size < _UNKNOWN_64 else 0
    is_a_file = name[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"caff")
    if is_a_file or not all(32 <= byte < 127 for byte in name[:4]):
        return None
    if name != form.samples and not 0 <= size <= source.size - place + form.align:
        return None
    return name, size


def _samples_stop(source, layout, body, size):
    """Where the samples that begin at a place end."""
    form, rest = layout.form, source.size - body
    promised = size
    if size == 0xFFFFFFFF and b"ds64" in layout.chunks:
        place, _ = layout.chunks[b"ds64"]
        promised = int.from_bytes(source.at(place + 8, 8), "little")
        if promised == 0 or promised >= _UNKNOWN_64:
            return _unknown_stop(source, layout, body)
    before = _BEFORE_SAMPLES.get((form.samples, form.size), 0)
    if before and size in (0, before) and rest > before:
        return _unknown_stop(source, layout, body)
    if promised == 0 and rest and not _are_chunks(source, body, form):
        return _unknown_stop(source, layout, body)
    if 0 <= promised <= rest:
        return body + promised
    if _stands_for_the_end(promised, form):
        return _unknown_stop(source, layout, body)
    if promised - rest >= _may_lack(source, layout):
        raise UserError(
            f"the audio file {source.name} is cut short: it promises {promised} bytes "
            f"of samples and holds {rest}"
        )
    return source.size


def _unknown_stop(source, layout, body):
    """Where samples end whose size isn't known: with the file.

    sox, which can't go back in a pipe, writes the header again after them.
    """
    layout.is_clean = False
    start = max(body, source.size - _HEADERS_AGAIN)
    again = source.at(start, _HEADERS_AGAIN).find(source.at(layout.start, 8))
    if layout.form.size == 8 and again >= 0:
        layout.has_header_again = True
        return start + again
    return source.size


def _stands_for_the_end(size, form):
    if form.size == 8:
        return size < 0 or size >= _UNKNOWN_64
    low, high = _AIFF_PLACEHOLDERS
    is_aiff = form.samples == b"SSND" and low <= size <= high
    return is_aiff or any(low <= size <= high for low, high in _PLACEHOLDERS)


def _are_chunks(source, place, form):
    """Whether chunks go from a place to the end, or another file begins there."""
    if _begins_a_file(source, place):
        return True
    for _ in range(_MOST_CHUNKS):
        header = _header(source, place, form)
        if header is None:
            return False
        place += form.name + form.size + header[1]
        place += place % form.align
        if place >= source.size:
            return True
    return False


def _begins_a_file(source, place):
    kind = containers.kind_of(source.at(place, 32))
    chunked = (containers.WAV, containers.W64, containers.AIFF, containers.CAF)
    return kind is not None and kind[0] in (*chunked, containers.AU)


def _look_behind(source, layout, place):
    """The content after the last chunk: another file, tags, or meaningless bytes."""
    last = max(stop for _, stop in layout.stretches)
    for start in (place, last):
        if _begins_a_file(source, start):
            layout.stop, layout.is_clean = start, False
            return
    after = after_tags(source.at, place, source.size)
    layout.is_clean &= source.size - place < 8
    layout.is_followed = means_something(source, after)


def means_something(source: Source, start: int) -> bool:
    """Whether what follows a place is more than padding.

    >>> means_something(Source(io.BytesIO(bytes(9999)), "padding"), 0)
    False
    """
    behind = source.at(start, _NO_GARBAGE + 1)
    return len(behind) > _NO_GARBAGE and bool(behind.strip(b"\0"))


def _may_lack(source, layout):
    """Bytes of one sample, of which a part may be missing at the end.

    1 for codings in blocks: these must be whole.
    """
    if coding(source, layout) not in _CODED_BY_SAMPLE:
        return 1
    place = _format(layout)
    return max(1, int.from_bytes(source.at(place[0] + 12, 2), layout.form.order))


def _format(layout):
    """(start, stop) of the chunk with the coding of WAV and W64; None for others."""
    name = layout.form.kept[0] if layout.form.kept else b""
    return layout.chunks.get(name) if name[:4] == b"fmt " else None


def _content(source, layout, name, n_bytes):
    start, stop = layout.chunks[name]
    content = source.at(start, stop - start)
    if name == b"COMM":
        channels, bits = struct.unpack(">H4xH", content[:8])
        block = max(1, channels * ceil_div(bits, 8))
        # The samples come after two numbers.
        frames = max(0, n_bytes - 8) // block
        return content[:2] + struct.pack(">I", frames) + content[6:]
    return content


def _chunk(form, name, content):
    padding = bytes(-len(content) % form.align)
    return _chunk_head(form, name, len(content)) + content + padding


def _chunk_head(form, name, size):
    size += (form.name + form.size) * form.counts_header
    return name + size.to_bytes(form.size, form.order)


def _beginning(source, layout, length):
    form, start = layout.form, layout.start
    if form.samples == b"data" and form.size == 8:  # CAF
        return source.at(start, form.header)
    if form.counts_header:  # W64
        size = form.header + length
        return (
            source.at(start, 16) + struct.pack("<Q", size) + source.at(start + 24, 16)
        )
    name = source.at(start, 4)
    name = b"RIFF" if name in (b"RF64", b"BW64") else name
    return name + (4 + length).to_bytes(4, form.order) + source.at(start + 8, 4)


def _rf64(format_chunks, stretches, n_bytes):
    sizes = struct.pack("<4sIQQQI", b"ds64", 28, 0, n_bytes, 0, 0)
    beginning = b"RF64\xff\xff\xff\xffWAVE" + sizes
    return [beginning, *format_chunks, b"data\xff\xff\xff\xff", *stretches]


def _au(source, start):
    """The `Layout` of an AU file: a header, and samples to the end."""
    order: Order = "little" if source.at(start, 4) == b"dns." else "big"
    header, size = (
        int.from_bytes(source.at(start + place, 4), order) for place in (4, 8)
    )
    form = Form(header, 0, 4, order, 1, False, b"", ())
    rest = source.size - start - header
    layout = Layout(form, start, source.size, {}, [])
    if size > rest and not _stands_for_the_end(size, form):
        raise UserError(
            f"the audio file {source.name} is cut short: it promises {size} bytes of "
            f"samples and holds {max(0, rest)}"
        )
    stop = source.size if size > rest or not size else start + header + size
    layout.stretches.append((start + header, stop))
    layout.is_clean = 0 < size <= rest
    if stop < source.size:
        _look_behind(source, layout, stop)
    return layout


def _au_pieces(source, layout, n_bytes):
    header = bytearray(source.at(layout.start, layout.form.header))
    header[8:12] = min(n_bytes, 0xFFFFFFFF).to_bytes(4, layout.form.order)
    return [bytes(header), *layout.stretches]
