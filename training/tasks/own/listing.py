"""What a folder or a table says of all its clips, before any is opened."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from training.tasks.own.entries import Entry


@dataclasses.dataclass(frozen=True)
class Listing:
    """Content of a folder or a table, before any clip is opened.

    Attributes:
        entries: The clips, in an order that no locale and no file system changes.
        labels: Names of all classes, with or without clips, sorted; of a multi-label
            task without the background.
        multi_label: Whether a clip may have several labels, or none.
        background: The class that stands for none of the classes, or None.
        annotated: Paths of recordings of which all events are known, maybe none.
        bad: Lines on what was meant to be a clip, and can't be one.
        faults: Lines on what forbids the use of the whole, before clips are opened.
        warnings: Lines on what may not be meant, for a task that is learned.
        notes: Lines on what the data was taken for.
        passed_over: Line on what is no clip; "" if there is nothing.

    >>> Listing([Entry(Path("dog/a.wav"), ("dog",))], ("cat", "dog")).multi_label
    False
    """

    entries: Sequence[Entry]
    labels: tuple[str, ...]
    multi_label: bool = False
    background: str | None = None
    annotated: Sequence[Path] = ()
    bad: Sequence[str] = ()
    faults: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    passed_over: str = ""
