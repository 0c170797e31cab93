"""Rows of a table put together: each clip once, with all that its rows say."""

import dataclasses
from pathlib import Path

from training.tasks.clip_sets import SPLIT_NAMES
from training.tasks.own.tables import cells
from training.tasks.own.tables.faults import cell


@dataclasses.dataclass
class TableClip:
    """A clip of a table: a file, or a segment of one.

    Attributes:
        path: Path of the audio file.
        start, end: Segment, seconds; None for the file's start and its end.
        place: Name of the first row of it, for messages.
        labels: Labels of it in each label column, a list of lists.
        said: {"group", "split" or "weight": value that rows give it}.

    >>> TableClip(Path("a.wav"), 0.5, None, "line 2", [["wren"]]).is_segment
    True
    """

    path: Path
    start: float | None
    end: float | None
    place: str
    labels: list
    said: dict = dataclasses.field(default_factory=dict)

    @property
    def is_segment(self):
        """Whether it is less than its file."""
        return self.start is not None or self.end is not None


class Merged:
    """The clips of the rows of a table, in the order of the rows.

    Args:
        found: `Found` columns of the table.
        files: `Files` of the table.
        faults: `Faults` to add to.

    Attributes:
        clips: `TableClip`s.
        files: The `Files`.
        bad: Lines on rows whose file isn't there.
        n_rows: Number of rows.
        n_repeated: Number of rows that say nothing that an earlier one doesn't.
        several: For each label column, whether a cell is written as one of several
            labels.

    >>> from training.tasks.own.tables.columns import Found
    >>> from training.tasks.own.tables.faults import Faults
    >>> from training.tasks.own.tables.files import Files
    >>> from training.tasks.own.tables.sheets import Row
    >>> merged = Merged(Found(("label",), {"path": "path"}), Files(Path()), Faults())
    >>> for label in ("kick", "loud"):
    ...     merged.add(Row("line 2", {"path": "drums/kick/0.wav", "label": label}))
    >>> [clip.labels for clip in merged.clips]
    [[['kick', 'loud']]]
    """

    def __init__(self, found, files, faults):
        self.clips = []
        self.bad = []
        self.n_rows = self.n_repeated = 0
        self.several = [False] * len(found.labels)
        self.files = files
        self._found, self._faults = found, faults
        self._by_place = {}
        self._hints = set()  # each is said once

    def add(self, row):
        """Takes a `Row`."""
        self.n_rows += 1
        path = self._path(row)
        start, end = self._segment(row)
        said = self._said(row)
        labels = [self._labels(n, row) for n in range(len(self._found.labels))]
        if path is None:
            return
        key = (path, start or 0.0, end)
        clip = self._by_place.get(key)
        if clip is None:
            clip = TableClip(path, start, end, row.place, labels, said)
            self._by_place[key] = clip
            self.clips.append(clip)
        else:
            self._join(clip, row, labels, said)

    def _join(self, clip, row, labels, said):
        is_new = False
        for known, others in zip(clip.labels, labels):
            new = [label for label in others if label not in known]
            known += new
            is_new = is_new or bool(new)
        for role, value in said.items():
            if clip.said.setdefault(role, value) != value:
                self._faults.add(
                    f"another {role} than an earlier row of the same clip",
                    f"{row.place}: {cell(value)}, not {cell(clip.said[role])} as in "
                    f"{clip.place}",
                )
        self.n_repeated += not is_new

    def _path(self, row):
        text = self._found.get(row, "path")
        if not text or isinstance(text, tuple):
            self._faults.add("no path", row.place, "fill it in, or remove the row")
            return None
        try:
            return self.files.find(text)
        except ValueError as error:
            hint = "" if str(error) in self._hints else f" ({error})"
            self._hints.add(str(error))
            self.bad.append(f"{row.place}: there is no file {cell(text)}{hint}")
            return None

    def _segment(self, row):
        """(start, end) of a row, seconds or None."""
        start, end = (self._number(row, role) for role in ("start", "end"))
        if start is not None and start < 0:
            self._faults.add("a start before 0", f"{row.place}: {start:g}")
        elif end is not None and end <= (start or 0.0):
            self._faults.add(
                "an end that isn't after the start",
                f"{row.place}: {start or 0:g} to {end:g}",
            )
        return start, end

    def _said(self, row):
        """{role: value} of a row's group, split and weight, without empty cells."""
        said = {}
        group = self._found.get(row, "group")
        if group:
            said["group"] = str(group)
        split = self._found.get(row, "split")
        if split:
            name = SPLIT_NAMES.get(str(split).casefold())
            if name is not None:
                said["split"] = name
            else:
                self._faults.add(
                    "an unknown split",
                    f"{row.place}: {cell(split)}",
                    "splits are train, validation (or valid, val, dev) and test",
                )
        weight = self._number(row, "weight")
        if weight is not None:
            said["weight"] = weight
            if weight < 0:
                self._faults.add("a weight below 0", f"{row.place}: {weight:g}")
        return said

    def _number(self, row, role):
        text = self._found.get(row, role)
        if text == "":
            return None
        try:
            return cells.number(str(text))
        except ValueError as error:
            article = "an" if role == "end" else "a"
            self._faults.add(
                f"{article} {role} that is no number",
                f"{row.place}: {cell(text)}",
                str(error),
            )
            return None

    def _labels(self, n, row):
        content = row.cells.get(self._found.labels[n], "")
        self.several[n] = self.several[n] or cells.says_several(content)
        return cells.labels_of(content)
