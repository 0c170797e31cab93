"""Stretches of recordings that nobody annotated."""

import bisect
import collections

from leaf_files.clips import seconds_of
from leaf_files.errors import UserError
from training.tasks.own.entries import name_below
from training.tasks.own.tables.clips import TableClip

_LEAST_SHARE = 0.1  # of a piece's length


def add_background(table, merged, annotated, name, length):
    """Adds clips of the stretches of annotated recordings that no clip covers.

    Args:
        table: `Table`, to add notes and faults to.
        merged: `Merged` clips, to add to.
        annotated: Paths of recordings that are annotated, maybe by no row.
        name: Name of their class.
        length: Length of a clip, seconds.

    Returns:
        Their number.

    >>> from types import SimpleNamespace
    >>> clip = TableClip(Path("drums/kick/0.wav"), 0.02, 0.06, "line 2", [["hit"]])
    >>> merged = SimpleNamespace(clips=[clip], several=[False])
    >>> table = SimpleNamespace(bad=[], notes=[], folder=Path())
    >>> add_background(table, merged, [], "rest", length=0.05)
    2
    >>> [(clip.start, clip.end) for clip in merged.clips[1:]]
    [(0.0, 0.02), (0.06, 0.1)]
    """
    of_file = collections.defaultdict(list)
    for clip in merged.clips:
        of_file[clip.path].append(clip)
    for path in annotated:
        of_file[merged.files.find(str(path.absolute()))]
    added = []
    for path, clips in of_file.items():
        if not all(clip.is_segment for clip in clips):
            continue
        try:
            stretches = _background_of(path, clips, length)
        except UserError as error:
            table.bad.append(str(error))
            continue
        for start, end, near in stretches:
            place = f"{name_below(path, table.folder)} from {start:g} to {end:g} s"
            labels = [[name] for _ in merged.several]
            added.append(TableClip(path, start, end, place, labels, _said(near)))
    merged.clips += added
    if added:
        table.notes.append(
            f"{len(added)} stretches that nobody annotated, of {length:g} s or less, "
            f"are of the class {name!r}"
        )
    return len(added)


def _said(near):
    """Group and split of a piece of background: those of the annotation beside it."""
    said = dict(near.said) if near else {}
    said.pop("weight", None)
    return said


def gaps(segments, seconds):
    """The stretches of a recording beside segments.

    Args:
        segments: (start, end) of each, seconds, in any order; they may overlap.
        seconds: Length of the recording.

    Returns:
        [(start, end)], in order.

    >>> gaps([(4.0, 5.0), (1.0, 2.0), (1.5, 3.0)], 6.0)
    [(0.0, 1.0), (3.0, 4.0), (5.0, 6.0)]
    """
    stretches, at = [], 0.0
    for start, end in sorted(segments):
        if start > at:
            stretches.append((at, min(start, seconds)))
        at = max(at, end)
        if at >= seconds:
            return stretches
    return [*stretches, (at, seconds)]


def pieces(start, end, length):
    """A stretch cut into pieces.

    Args:
        start, end: The stretch, seconds.
        length: Length of a piece, seconds; the last one may be shorter, down to a
            tenth of it.

    Returns:
        [(start, end)], in order.

    >>> pieces(1.0, 3.5, 1.0)
    [(1.0, 2.0), (2.0, 3.0), (3.0, 3.5)]
    """
    n_pieces = int((end - start) / length) + 1
    edges = [start + n * length for n in range(n_pieces)] + [end]
    return [
        (first, min(last, end))
        for first, last in zip(edges, edges[1:])
        if min(last, end) - first >= _LEAST_SHARE * length
    ]


def _background_of(path, clips, length):
    """The stretches of a recording in none of its clips, in pieces.

    Args:
        path: Path of the recording.
        clips: `TableClip`s of it, segments in order or not, maybe none.
        length: Length of a piece, seconds.

    Returns:
        [(start, end, the nearest clip, or None)].

    Raises:
        UserError: The recording can't be read.
    """
    seconds = seconds_of(path)
    segments = sorted(
        ((clip.start or 0.0, seconds if clip.end is None else clip.end, n)
         for n, clip in enumerate(clips))
    )  # fmt: skip
    starts = [start for start, _, _ in segments]
    background = []
    for first, last in gaps([(start, end) for start, end, _ in segments], seconds):
        for start, end in pieces(first, last, length):
            near = _nearest(segments, starts, start, end)
            background.append((start, end, None if near is None else clips[near]))
    return background


def _nearest(segments, starts, start, end):
    """Number of the segment beside a piece of background; None without segments."""
    after = bisect.bisect_left(starts, start)
    beside = segments[max(0, after - 1) : after + 1]
    if not beside:
        return None
    return min(beside, key=lambda s: max(s[0] - end, start - s[1]))[2]
