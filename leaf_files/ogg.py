"""Pages of OGG: the streams that a file holds one after the other.

Decoders stop after the first.
"""

import dataclasses
import struct

from leaf_files import flac
from leaf_files.sources import Content

_PAGE = struct.Struct("<4sBBqIIIB")
_CODECS = (
    (b"\x01vorbis", "Vorbis"),
    (b"OpusHead", "Opus"),
    (b"\x7fFLAC", "FLAC"),
    (b"Speex   ", "Speex"),
)
READ = ("Vorbis", "Opus", "FLAC")
_BEGINS, _ENDS = 2, 4
_FLAC_HEADER = 9  # before "fLaC"


@dataclasses.dataclass
class Logical:
    """One sound of a file.

    Attributes:
        codec: Name of the codec, such as "Vorbis"; None if it isn't known.
        pages: list of (start, start of the body, stop).
        granule: Granule position of its last page: the end of its sound.
        has_end: Whether its last page says that it is the last.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(5000), 8000, format="OGG")
    >>> [[sound]], is_cut = links(file.getvalue(), 0)
    >>> sound.codec, sound.granule, sound.has_end
    ('Vorbis', 5000, True)
    """

    codec: str | None
    pages: list
    granule: int = 0
    has_end: bool = False


def links(content: Content, start: int) -> tuple[list[list[Logical]], bool]:
    """The links of a chain, which play one after the other.

    Args:
        content: Bytes, or a mapping of them.
        start: Place of the first page.

    Returns:
        (links, whether the last page isn't whole): each link is a list of `Logical`,
        which sound at once.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(5000), 8000, format="OGG")
    >>> chain, is_cut = links(2 * file.getvalue(), 0)
    >>> len(chain), is_cut
    (2, False)
    """
    by_serial: list[dict[int, Logical]] = []
    place, size, is_cut, begins_before = start, len(content), False, False
    while (place := content.find(b"OggS", place)) >= 0:
        page = _page(content, place, size)
        if page is None:
            is_cut = True
            break
        flags, granule, serial, body, stop = page
        begins = bool(flags & _BEGINS)
        if begins and not begins_before:
            by_serial.append({})
        begins_before = begins
        if by_serial and begins:
            by_serial[-1][serial] = Logical(_codec(content[body : body + 16]), [])
        if by_serial and serial in by_serial[-1]:
            logical = by_serial[-1][serial]
            logical.pages.append((place, body, stop))
            logical.granule = granule if granule > 0 else logical.granule
            logical.has_end = bool(flags & _ENDS)
        place = stop
    return [list(link.values()) for link in by_serial], is_cut


def pieces(content: Content, logical: Logical) -> list:
    """Pieces of a file of one sound: its pages; of FLAC, a FLAC file.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(5000), 8000, format="OGG")
    >>> [[sound]], is_cut = links(file.getvalue(), 0)
    >>> pieces(file.getvalue(), sound) == [(0, len(file.getvalue()))]
    True
    """
    if logical.codec != "FLAC":
        return _joined([(start, stop) for start, _, stop in logical.pages])
    (_, body, stop), *others = logical.pages
    beginning = content[body + _FLAC_HEADER : stop]
    return [
        flac.counting(beginning, max(0, logical.granule)),
        *_joined([(body, stop) for _, body, stop in others]),
    ]


def _page(content, place, size):
    """(flags, granule, serial, start of the body, stop), or None if it is cut."""
    if place + _PAGE.size > size:
        return None
    _, _, flags, granule, serial, _, _, n = _PAGE.unpack(
        content[place : place + _PAGE.size]
    )
    body = place + _PAGE.size + n
    stop = body + sum(content[place + _PAGE.size : body])
    return (flags, granule, serial, body, stop) if stop <= size else None


def _codec(start):
    return next((name for magic, name in _CODECS if start.startswith(magic)), None)


def _joined(stretches):
    joined: list[tuple[int, int]] = []
    for start, stop in stretches:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined
