"""The parts of an audio file, up to its last byte, to decode one by one.

Decoders trust the length in a file's header. Here it is determined where the sound
really ends; a file whose header is right goes to its decoder as it is.
"""

import dataclasses
import math
import re

from leaf_files import chunked, containers, flac, mpeg, ogg
from leaf_files.errors import UserError
from leaf_files.oddities import DAMAGED, LOST, UNCLOSED
from leaf_files.sources import Source
from leaf_files.tags import after_tags

_MPEG_CODINGS = (0x50, 0x55)
_CODINGS = {
    **{0x08: "DTS", 0x2001: "DTS", 0x92: "AC-3", 0x2000: "AC-3"},
    **{tag: "WMA" for tag in (0x160, 0x161, 0x162, 0x163)},
    **{tag: "AAC" for tag in (0xFF, 0x1600, 0x1601, 0x1610, 0x706D, 0xA106)},
    **{tag: "Vorbis" for tag in (0x674F, 0x6750, 0x6751, 0x676F, 0x6770, 0x6771)},
    **{0x270: "ATRAC", 0x704F: "Opus", 0xF1AC: "FLAC", 0x22: "TrueSpeech"},
}


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a file that is decoded in one go.

    Attributes:
        pieces: Argument of `sources.Spliced`; None for the file as it is.
        least: Number of samples that it must hold; 0 if the decoder checks that itself.

    >>> Part([b"head", (44, 1044)], least=500).least
    500
    """

    pieces: list | None = None
    least: int = 0


@dataclasses.dataclass(frozen=True)
class Parts:
    """A file's parts.

    Attributes:
        parts: list of `Part`, one at least.
        is_mpeg: Whether its decoder may be that of MP3, which writes to stderr.
        oddities: Faults of how the file was made, of `leaf_files.oddities`.
        kind: Kind by `containers.kind_of`, None if it isn't known.

    >>> Parts([Part()]).is_plain, Parts([Part([(0, 99)])]).is_plain
    (True, False)
    """

    parts: list
    is_mpeg: bool = False
    oddities: tuple = ()
    kind: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the file is decoded as it is."""
        return self.parts == [_AS_IT_IS]


_AS_IT_IS = Part()


def parts_of(source: Source) -> Parts:
    """The `Parts` of an audio file.

    Args:
        source: `sources.Source`.

    Raises:
        UserError: It is cut short, or holds what no decoder here reads.

    >>> import soundfile
    >>> file = io.BytesIO()
    >>> soundfile.write(file, np.zeros(5000), 8000, format="FLAC")
    >>> parts = parts_of(Source(file, "clip"))
    >>> parts.kind, parts.is_plain
    ('a FLAC file', True)
    """
    start = after_tags(source.at, 0, source.size)
    start = start if start < source.size else 0
    head = source.at(start, 4096)
    answer = containers.kind_of(head)
    if answer is None:
        with source.mapped() as content:
            start, answer = _searched(content, start)
    if answer is None:
        _require_all_of_nist(source)
        return Parts([_AS_IT_IS], is_mpeg=True)  # the decoder knows more kinds
    kind, is_read = answer
    if not is_read:
        raise UserError(
            f"cannot read the audio file {source.name}: it holds {kind}; "
            f"{containers.what_to_do(kind)}"
        )
    if kind in _FINDERS:
        with source.mapped() as content:
            parts = _FINDERS[kind](source, content, start)
    else:
        parts = _chunked(source, start, kind)
    return dataclasses.replace(parts, kind=kind)


def _searched(content, start):
    """(start, what `containers.kind_of` says) of a file after other bytes."""
    hidden = containers.hidden_start(content)
    if hidden is not None:
        return hidden, containers.kind_of(content[hidden : hidden + 4096])
    near = min(len(content), start + containers.LONGEST_GARBAGE)
    runs, _ = mpeg.runs(content, start, near)
    return start, (containers.MPEG, True) if runs else None


def _chunked(source, start, kind):
    layouts = [
        layout for layout in chunked.layouts(source, start, kind) if layout.stretches
    ]
    if not layouts:
        return Parts([_AS_IT_IS])
    tag = chunked.coding(source, layouts[0])
    if tag in _CODINGS:
        raise UserError(
            f"cannot read the audio file {source.name}: it is {kind} whose sound is "
            f"coded as {_CODINGS[tag]}; {containers.what_to_do(kind)}"
        )
    padded = chunked.padded_bits(source, layouts[0], tag)
    if padded:
        bits, room = padded
        raise UserError(
            f"cannot read the audio file {source.name}: its header contradicts itself, "
            f"with samples of {bits} bits in {room} bytes each; write it anew with "
            f"{8 * room} bits a sample"
        )
    if tag in _MPEG_CODINGS:
        with source.mapped() as content:
            runs = [mpeg.runs(content, *layouts[0].stretches[0])]
        return _mpeg_parts(source, runs[0], is_plain=False, is_file=False)
    oddities = (LOST,) if any(layout.is_followed for layout in layouts) else ()
    if len(layouts) == 1 and layouts[0].is_clean and start == 0:
        parts = [_AS_IT_IS]
    else:
        parts = [Part(chunked.pieces(source, layout)) for layout in layouts]
    return Parts(parts, oddities=oddities)


def _flac(source, content, start):
    streams = flac.streams(content, start)
    parts = []
    for stream in streams:
        if not stream.promised and stream.held is None:
            raise UserError(
                f"the audio file {source.name} is cut short: its last FLAC frame is "
                "not whole, or none is there"
            )
        if stream.held and stream.held > stream.promised:
            parts.append(Part(flac.pieces(content, stream, stream.held)))
        else:
            parts.append(Part([(stream.start, stream.stop)]))
    oddities = (LOST,) if any(stream.is_followed for stream in streams) else ()
    is_plain = len(streams) == 1 and streams[0].promised >= (streams[0].held or 0)
    if is_plain and _is_first(source, start):
        parts = [_AS_IT_IS]
    return Parts(parts, oddities=oddities)


def _ogg(source, content, start):
    links, is_cut = ogg.links(content, start)
    if is_cut:
        raise UserError(
            f"the audio file {source.name} is cut short: its last OGG page is not whole"
        )
    if not links:
        return Parts([_AS_IT_IS])
    sounds = [_only_sound(source, link) for link in links]
    oddities = () if sounds[-1].has_end else (UNCLOSED,)
    oddities += _lost(source, max(sound.pages[-1][2] for sound in links[-1]))
    is_plain = len(links) == 1 == len(links[0]) and sounds[0].codec != "FLAC"
    if is_plain and _is_first(source, start):
        return Parts([_AS_IT_IS], oddities=oddities)
    parts = [Part(ogg.pieces(content, sound)) for sound in sounds]
    return Parts(parts, oddities=oddities)


def _only_sound(source, link):
    """The pages with sound of a link of an OGG file."""
    sounds = [logical for logical in link if logical.codec in ogg.READ]
    if len(sounds) == 1:
        return sounds[0]
    held = "no sound in Vorbis, Opus or FLAC"
    if sounds:
        held = f"{len(sounds)} sounds that play at once"
    elif any(logical.codec for logical in link):
        held = "sound in Speex"
    raise UserError(
        f"cannot read the audio file {source.name}: it is an OGG file with {held}; "
        f"{containers.what_to_do(containers.OGG)}"
    )


def _mpeg(source, content, start):
    runs = mpeg.runs(content, start, source.size)
    begins = runs[0] and runs[0][0].stretches[0][0] == start
    return _mpeg_parts(source, runs, begins and _is_first(source, start))


def _mpeg_parts(source, runs_and_rest, is_plain, is_file=True):
    runs, rest = runs_and_rest
    if not runs:
        return Parts([_AS_IT_IS], is_mpeg=True)
    # Some writers of Xing headers count one frame less.
    runs = [
        run
        for before, run in zip([None, *runs], runs)
        if before is None or run.n_frames > 1 or before.n_frames != before.promised
    ]
    for run in runs:
        _require_frames(source, run)
    oddities = (DAMAGED,) * any(run.junk for run in runs)
    if rest and runs[-1].n_frames < (runs[-1].promised or math.inf):
        oddities += (UNCLOSED,)
    elif is_file:
        oddities += _lost(source, runs[-1].stretches[-1][1])
    is_right = runs[0].promised == runs[0].n_frames and not runs[0].junk
    if is_plain and len(runs) == 1 and is_right:
        return Parts([_AS_IT_IS], True, oddities)
    parts = []
    for run in runs:
        if run.promised:
            parts.append(Part([tuple(stretch) for stretch in run.stretches]))
        else:
            is_counted = run.kind[1] == 3
            least = 0 if is_counted else (run.n_frames - 1) * run.samples
            parts.append(Part(mpeg.pieces(run), least))
    return Parts(parts, True, oddities)


def _lost(source, stop):
    """`LOST`, in a tuple, if more follows a place than tags and padding."""
    after = after_tags(source.at, stop, source.size)
    return (LOST,) if chunked.means_something(source, after) else ()


def _require_frames(source, run):
    """Checks the frames that a Xing header promises; damaged ones may be missing."""
    if not run.promised:
        return
    held_bytes = sum(stop - start for start, stop in run.stretches)
    damaged = run.junk / max(1, held_bytes / run.n_frames) + 2 * bool(run.junk)
    if run.promised - run.n_frames > damaged + 1:
        raise UserError(
            f"the audio file {source.name} is cut short: it promises {run.promised} "
            f"frames of MP3 and holds {run.n_frames}"
        )


def _require_all_of_nist(source):
    """Refuses a NIST SPHERE file that is cut short: its decoder takes what is there."""
    if not source.head.startswith(b"NIST_1A\n"):
        return
    numbers = [
        re.search(rb"^" + name + rb" -(?:i|s\d+) (\d+)", source.head, re.MULTILINE)
        for name in (b"sample_count", b"channel_count", b"sample_n_bytes")
    ]
    header = re.match(rb"NIST_1A\n *(\d+)\n", source.head)
    if header is None or None in numbers:
        return
    promised = math.prod(int(match[1]) for match in numbers if match)
    held = source.size - int(header[1])
    if held < promised:
        raise UserError(
            f"the audio file {source.name} is cut short: it promises {promised} bytes "
            f"of samples and holds {max(0, held)}"
        )


def _is_first(source, start):
    """Whether a file begins so early that its decoder finds it: after one tag."""
    return start == 0 or start == containers.id3_bytes(source.head)


_FINDERS = {containers.FLAC: _flac, containers.OGG: _ogg, containers.MPEG: _mpeg}
