"""What a folder or a table says of a clip, before the clip is opened."""

import dataclasses
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Entry:
    """A clip of the user's own: a file, or a segment of a recording.

    Attributes:
        path: Path of the audio file.
        labels: Names of its classes: one, or of a multi-label task any number.
        group: Source of the clip, such as a speaker, a recording or a device; None if
            unknown. Whole groups go to one split.
        split: "train", "validation" or "test" where the data says so; None where the
            split is to be drawn.
        start, end: Segment of the recording, seconds; None for its start and its end.
        weight: Weight of the clip in the loss.
        balance: Labels that splits balance, if not `labels`, such as those of all
            columns.
        place: Name of where this is said, for messages, such as "notes.csv, line 12";
            "" for what the path says by itself.

    >>> Entry(Path("clips/wren/a.wav"), ("wren",), group="garden").group
    'garden'
    """

    path: Path
    labels: tuple[str, ...]
    group: str | None = None
    split: str | None = None
    start: float | None = None
    end: float | None = None
    weight: float = 1.0
    balance: tuple[str, ...] = ()
    place: str = ""


def name_below(path, folder):
    """A path relative to a folder, with "/"; as it is if it is located elsewhere.

    >>> name_below(Path("/data/dog/a.wav"), Path("/data"))
    'dog/a.wav'
    """
    # Of a million clips, several times; `relative_to` takes ten times as long.
    return path.as_posix().removeprefix(folder.as_posix().rstrip("/") + "/")
