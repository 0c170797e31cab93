"""The kind of a file, by its first bytes."""

import re

from leaf_files.mpeg import adts_frames, mpeg_frames
from leaf_files.tags import id3_bytes

# Formats whose end we look for ourselves.
WAV, W64, AIFF = "a WAV file", "a W64 file", "an AIFF file"
AU, CAF = "an AU file", "a CAF file"
FLAC, OGG, MPEG = "a FLAC file", "an OGG file", "an MP3 file"

_LARGEST_BOX = 4096
LONGEST_GARBAGE = 2**16

# What libsndfile reads.
_READ = (
    (re.compile(rb"(RIFF|RIFX|RF64|BW64)....WAVE", re.DOTALL), WAV),
    (re.compile(rb"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb"), W64),
    (re.compile(rb"FORM....AIF[FC]", re.DOTALL), AIFF),
    (re.compile(rb"\.snd\0.{7}\0\0\0[\x01-\x1b]", re.DOTALL), AU),
    (re.compile(rb"dns\..{3}\0.{4}[\x01-\x1b]\0\0\0", re.DOTALL), AU),
    (re.compile(rb"caff\0\x01"), CAF),
    (re.compile(rb"fLaC"), FLAC),
    (re.compile(rb"OggS\0"), OGG),
)
# What it also reads, and finds the end of; asked of pipes alone.
_ALSO_READ = (
    (re.compile(rb"NIST_1A\n"), "a NIST SPHERE file"),
    (re.compile(rb"Creative Voice File\x1a"), "a VOC file"),
    (re.compile(rb"FORM....(8SVX|16SV)VHDR", re.DOTALL), "an SVX file"),
    (re.compile(rb"PVF1\n"), "a PVF file"),
    (re.compile(rb"( paf|fap )\0{4}[\0\1]\0{2}[\0\1]"), "a PAF file"),
    (re.compile(rb"ALawSoundFile\*\*"), "a Psion file"),
    (re.compile(rb"Extended Instrument: "), "an instrument of FastTracker"),
    (re.compile(rb"MATLAB 5\.0 MAT-file"), "a MATLAB file"),
)
# What it doesn't read, by the usual name.
_UNREAD = (
    (re.compile(rb"\x1aE\xdf\xa3"), "a Matroska or WebM file"),
    (re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "a WMA (ASF) file"),
    (re.compile(rb"#!AMR"), "an AMR file"),
    (re.compile(rb"RIFF....AVI ", re.DOTALL), "an AVI video"),
    (re.compile(rb"wvpk"), "a WavPack file"),
    (re.compile(rb"MAC [\x80-\xff\0-\x7f]\x0f"), "a Monkey's Audio file"),
    (re.compile(rb"TTA[12]"), "a TTA file"),
    (re.compile(rb"MPCK|MP\+[\x07\x17]"), "a Musepack file"),
    (re.compile(rb"DSD \x1c\0"), "a DSF file"),
    (re.compile(rb"FRM8\0\0"), "a DSDIFF file"),
    (re.compile(rb"ajkg[\x01-\x03]"), "a Shorten file"),
    (re.compile(rb"\.RMF\0\0|\.ra\xfd"), "a RealAudio file"),
    (re.compile(rb"MThd\0\0\0\x06"), "a MIDI file, which holds notes and no sound"),
    (re.compile(rb"ADIF"), "an AAC file"),
    (re.compile(rb"\.SoX.\0\0\0|XoS\.\0\0\0", re.DOTALL), "a SoX file"),
    (re.compile(rb"\x0bw.{3}[\x08-\x50]", re.DOTALL), "an AC-3 file"),
    (re.compile(rb"\x7f\xfe\x80\x01"), "a DTS file"),
    (re.compile(rb"FLV\x01"), "a Flash video"),
    (re.compile(rb"\0\0\x01\xba"), "an MPEG video"),
    (re.compile(rb"G.{187}G.{187}G", re.DOTALL), "an MPEG transport stream"),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive"),
    (re.compile(rb"PK\x03\x04"), "a ZIP archive"),
    (re.compile(rb"\x1f\x8b\x08"), "a gzip archive"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7z archive"),
    (re.compile(rb"Rar!\x1a\x07"), "a RAR archive"),
    (re.compile(rb"\x89PNG\r\n|\xff\xd8\xff[\xe0\xe1\xdb]"), "a picture"),
    (re.compile(rb"%PDF-"), "a PDF file"),
    (re.compile(rb"\s*<(!doctype html|html)", re.IGNORECASE), "a web page"),
    (
        re.compile(rb"version https://git-lfs"),
        "a pointer of Git LFS (git lfs pull brings the file itself)",
    ),
)
# Some of these are no media: ffmpeg can't convert them.
_NO_MEDIA = ("MIDI", "archive", "picture", "PDF", "page", "pointer")
# Raw sound may well begin like these.
_WEAK = (
    *("an AC-3 file", "a DTS file", "an MPEG transport stream", "an MPEG video"),
    *("a tar archive", "a gzip archive", "a picture"),
)


def kind_of(head: bytes) -> tuple[str, bool] | None:
    """The kind of a file, or None if it is unknown.

    Args:
        head: Its first bytes, without an ID3 tag.

    Returns:
        (kind, whether libsndfile reads it).

    >>> kind_of(b"fLaC"), kind_of(b"wvpk"), kind_of(b"text")
    (('a FLAC file', True), ('a WavPack file', False), None)
    """
    for pattern, kind in _READ:
        if pattern.match(head):
            return kind, True
    box = _box(head)
    if box:
        return box, False
    for pattern, kind in _UNREAD:
        if pattern.match(head):
            return kind, False
    if adts_frames(head, 3):
        return "an AAC (ADTS) file", False
    if mpeg_frames(head, 3):
        return MPEG, True
    return None


def kind_of_raw(head: bytes) -> str | None:
    """The kind of a file that begins with these bytes; None if it may be raw sound.

    >>> kind_of_raw(b"RIFF....WAVE"), kind_of_raw(bytes(16))
    ('a WAV file', None)
    """
    if id3_bytes(head) and head[3] in (2, 3, 4):
        return "an MP3 file, or another with an ID3 tag before it"
    for pattern, kind in _ALSO_READ:
        if pattern.match(head):
            return kind
    answer = kind_of(head)
    return answer[0] if answer and answer[0] not in _WEAK else None


def hidden_start(content: bytes) -> int | None:
    """The start of an audio file behind other bytes; None if there is none.

    >>> hidden_start(b"HTTP/1.1 200 OK" + b"fLaC\\0\\0\\0\\x22"), hidden_start(b"text")
    (15, None)
    """
    content = content[:LONGEST_GARBAGE]
    place = re.search(
        rb"RI(FF|FX)....WAVEfmt |RF64....WAVEds64|fLaC[\0\x80]\0\0\x22|OggS\0\x02"
        rb"|FORM....AIF[FC]",
        content,
        re.DOTALL,
    )
    return place.start() if place else None


def what_to_do(kind: str) -> str:
    """What to do about a file that can't be read: the end of a message.

    >>> what_to_do("a WavPack file"), what_to_do("a picture")
    ('convert it first, e.g. ffmpeg -i IN OUT.flac', 'name an audio file')
    """
    if any(word in kind for word in _NO_MEDIA):
        return "name an audio file"
    return "convert it first, e.g. ffmpeg -i IN OUT.flac"


def _box(head):
    """MP4 and its relatives: a length, then the name of a box."""
    length = int.from_bytes(head[:4], "big")
    name, brand = head[4:8], head[8:12]
    if name == b"ftyp" and 8 <= length <= _LARGEST_BOX:
        if brand[:2] == b"M4":
            return "an M4A (AAC or ALAC) file"
        return "a QuickTime file" if brand == b"qt  " else "an MP4 or 3GP file"
    # Older ones begin with the sound or with an index.
    is_old = name in (b"moov", b"mdat", b"wide") and length >= 8
    return "a QuickTime file" if is_old and head[8:12] != b"\0" * 4 else None
