"""Tables of events: for people, spreadsheets, programs, Raven and Audacity."""

import csv
import dataclasses
import io
import json
from collections.abc import Sequence

from export.contract.detections import AUDACITY, CSV, JSONL, RAVEN, TEXT
from leaf_files.walk import shown

# A table of one recording alone: it doesn't name it.
OF_ONE = (RAVEN, AUDACITY)
# What follows a recording's name in that of its own table.
ENDINGS = {
    TEXT: ".events.txt",
    CSV: ".csv",
    JSONL: ".jsonl",
    RAVEN: ".selections.txt",
    AUDACITY: ".txt",
}
_COLUMNS = ("file", "start", "end", "head", "label", "score")
_RAVEN_COLUMNS = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"),
    *("Low Freq (Hz)", "High Freq (Hz)", "Species", "Confidence"),
)


@dataclasses.dataclass(frozen=True)
class FoundEvent:
    """An event in the time of its recording.

    Attributes:
        start, end: Seconds from the start of the recording.
        head: Name of the head, "" of the only one.
        label: The label.
        score: Its probability where that was highest, smoothed.

    Example:

    >>> FoundEvent(start=12.4, end=15.1, head="", label="wren", score=0.9).label
    'wren'
    """

    start: float
    end: float
    head: str
    label: str
    score: float


@dataclasses.dataclass(frozen=True)
class Found:
    """What was found in a recording.

    Attributes:
        recording: Its path, as the user gave it.
        seconds: Its length.
        sample_rate: Its own rate, Hz.
        events: By their start.

    Example:

    >>> Found("dawn.wav", 3600.0, 48000, ()).events
    ()
    """

    recording: str
    seconds: float
    sample_rate: int
    events: tuple[FoundEvent, ...]


def header(form: str) -> str:
    """The first line of a table, with its end; "" where it has none.

    Args:
        form: One of `export.contract.detections.FORMATS`.

    Example:

    >>> header("csv")
    'file,start,end,head,label,score\\n'
    """
    if form == CSV:
        return _csv_line(_COLUMNS)
    return "\t".join(_RAVEN_COLUMNS) + "\n" if form == RAVEN else ""


def lines(form: str, found: Found) -> str:
    """The lines of the events of a recording, each with its end.

    Times have six decimals: a sample of 192 kHz lasts five millionths of a second.

    Args:
        form: One of `export.contract.detections.FORMATS`.
        found: `Found`.

    Example:

    >>> event = FoundEvent(12.4, 15.1, "", "wren", 0.93125)
    >>> found = Found("dawn.wav", 60.0, 48000, (event,))
    >>> print(lines("text", found), end="")
    dawn.wav (60 s)
          12.400      15.100  wren  0.9313
    >>> print(lines("csv", found), end="")
    dawn.wav,12.400000,15.100000,,wren,0.9313
    """
    return "".join(_WRITERS[form](found))


def _text(found):
    yield f"{shown(found.recording)} ({found.seconds:.6g} s)\n"
    if not found.events:
        yield "  no events\n"
    width = max([len(_named(event)) for event in found.events], default=0)
    for event in found.events:
        yield (
            f"  {event.start:10.3f}  {event.end:10.3f}  {_named(event):<{width}}  "
            f"{event.score:.4f}\n"
        )


def _csv(found):
    for event in found.events:
        times = f"{event.start:.6f}", f"{event.end:.6f}"
        score = f"{event.score:.4f}"
        cells = (found.recording, *times, event.head, event.label, score)
        yield _csv_line(cells)


def _jsonl(found):
    for event in found.events:
        content = {
            "file": found.recording,
            "start": round(event.start, 6),
            "end": round(event.end, 6),
            "head": event.head,
            "label": event.label,
            "score": round(event.score, 6),
        }
        yield json.dumps(content) + "\n"


def _raven(found):
    for number, event in enumerate(found.events, 1):
        cells = (
            *(str(number), "Spectrogram 1", "1"),
            *(f"{event.start:.6f}", f"{event.end:.6f}"),
            *("0.0", f"{found.sample_rate / 2:.1f}"),
            *(_plain(_named(event)), f"{event.score:.4f}"),
        )
        yield "\t".join(cells) + "\n"


def _audacity(found):
    for event in found.events:
        yield f"{event.start:.6f}\t{event.end:.6f}\t{_plain(_named(event))}\n"


_WRITERS = {
    TEXT: _text,
    CSV: _csv,
    JSONL: _jsonl,
    RAVEN: _raven,
    AUDACITY: _audacity,
}


def _named(event):
    return f"{event.head}: {event.label}" if event.head else event.label


def _plain(label):
    """A label without what separates fields."""
    return " ".join(label.split())


def _csv_line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
