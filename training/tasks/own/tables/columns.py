"""The columns of a table: what they are called, and which are there."""

import dataclasses

from leaf_files.command_line import a_few, did_you_mean
from leaf_files.errors import UserError

# What a column may be called where no other name is given, in any case.
_NAMES = {
    "path": ("path", "file", "file_name", "filename"),
    "label": ("label", "labels"),
    "group": ("group",),
    "split": ("split",),
    "start": ("start",),
    "end": ("end",),
    "weight": ("weight",),
}
_REQUIRED = ("path", "label")
_MOST_NAMED = 20


@dataclasses.dataclass(frozen=True)
class Columns:
    """Names of the columns of a table, where they aren't called by their role.

    Attributes:
        path: Column of the audio file; None for "path", or "file".
        label: Columns of the labels, one a task; None among them, or (), for "label",
            or "labels".
        group: Column of whoever or whatever made the clip.
        split: Column of "train", "validation" or "test".
        start, end: Columns of the segment of the recording, seconds.
        weight: Column of the clip's weight in the loss.
        may_lack: Whether names that a table hasn't are passed over, as of a table that
            is like the one for which they were given.

    >>> Columns(label=("family", "pitch"), group="program").label
    ('family', 'pitch')
    """

    path: str | None = None
    label: tuple[str | None, ...] = ()
    group: str | None = None
    split: str | None = None
    start: str | None = None
    end: str | None = None
    weight: str | None = None
    may_lack: bool = False


@dataclasses.dataclass(frozen=True)
class Found:
    """The columns that a table has.

    Attributes:
        labels: Names of the label columns.
        of_role: {role: column} of the others that are there.

    >>> from training.tasks.own.tables.sheets import Row
    >>> columns = Found(("label",), {"path": "file"})
    >>> columns.get(Row("line 2", {"file": "a.wav", "label": "dog"}), "path")
    'a.wav'
    """

    labels: tuple[str, ...]
    of_role: dict[str, str]

    def get(self, row, role):
        """The content of a `Row`'s cell in a role, "" if there is none."""
        column = self.of_role.get(role)
        return row.cells.get(column, "") if column is not None else ""


def find_columns(columns, sheet):
    """The `Found` columns of a `Sheet`.

    Args:
        columns: `Columns` that are asked for.
        sheet: A `Sheet`.

    Raises:
        UserError: One of those that were asked for isn't there, or there is no path, or
            no label, or one of them comes twice.

    >>> from training.tasks.own.tables.sheets import Sheet
    >>> sheet = Sheet(Path("notes.csv"), ["file", "family"], ())
    >>> find_columns(Columns(label=("family",)), sheet)
    Found(labels=('family',), of_role={'path': 'file'})
    """
    names = [name for name in sheet.columns if name]
    if not names:
        faults = "; ".join(sheet.faults.lines())
        raise UserError(f"{sheet.path} names no columns{faults and f': {faults}'}")
    lacking, of_role = [], {}
    for role in _NAMES:
        asked = getattr(columns, role)
        asked = asked if isinstance(asked, tuple) and asked else (asked or None,)
        present = [_column(name, role, names, columns.may_lack) for name in asked]
        if None not in present:
            of_role[role] = tuple(dict.fromkeys(present))
        elif role in _REQUIRED or (any(asked) and not columns.may_lack):
            wrong = [a or role for a, name in zip(asked, present) if name is None]
            lacking.append(_no_column(wrong, names, role))
    if lacking:
        raise UserError(
            f"{sheet.path} has {', and '.join(lacking)}; its columns are "
            f"{a_few(names, _MOST_NAMED)}"
        )
    _require_once(of_role, names, sheet.path)
    labels = of_role.pop("label")
    return Found(labels, {role: name for role, (name,) in of_role.items()})


def _column(asked, role, names, may_lack):
    """The column of a role; None if it isn't there."""
    if asked:
        column = _named(asked, names)
        if column or not may_lack or role == "label":
            return column
    for name in _NAMES[role]:
        alike = _named_all(name, names)
        if alike:
            return alike[0]
    return None


def _named(name, names):
    """The column of a name: as it is written, else the only one in another case."""
    if name in names:
        return name
    alike = _named_all(name, names)
    return alike[0] if len(alike) == 1 else None


def _named_all(name, names):
    alike = [other for other in names if other.casefold() == name.strip().casefold()]
    return list(dict.fromkeys(alike))


def _no_column(wrong, names, role):
    columns = " and ".join(map(repr, wrong))
    return (
        f"no column {columns}{did_you_mean(wrong, names)}: name it by --{role}-column"
    )


def _require_once(of_role, names, path):
    used = dict.fromkeys(name for columns in of_role.values() for name in columns)
    repeated = [name for name in used if names.count(name) > 1]
    if repeated:
        raise UserError(
            f"{path} has the column {repeated[0]!r} {names.count(repeated[0])} times; "
            "rename all but one"
        )
