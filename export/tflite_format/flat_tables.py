"""Tables of a FlatBuffer, written and read by the numbers of their fields."""

from collections.abc import Mapping
from typing import Any

from flatbuffers.builder import Builder
from flatbuffers.table import Table


def write_table(builder: Builder, fields: Mapping[int, Any]) -> int:
    """Writes a table.

    Args:
        builder: Where to.
        fields: {number of the field: value}: a str, a dict (a table), a list of dicts,
            or a number as (its kind, itself).

    Returns:
        The table's offset.

    Example:

    >>> builder = Builder()
    >>> builder.Finish(write_table(builder, {0: "birds", 2: ("Uint32", 16000)}))
    >>> text(root_table(bytes(builder.Output())), 0)
    'birds'
    """
    offsets = {}
    for field, value in fields.items():
        if isinstance(value, str):
            offsets[field] = builder.CreateString(value)
        elif isinstance(value, dict):
            offsets[field] = write_table(builder, value)
        elif isinstance(value, list):
            tables = [write_table(builder, table) for table in value]
            builder.StartVector(4, len(tables), 4)
            for table in reversed(tables):
                builder.PrependUOffsetTRelative(table)
            offsets[field] = builder.EndVector()
    builder.StartObject(1 + max(fields, default=-1))
    for field, value in fields.items():
        if field in offsets:
            builder.PrependUOffsetTRelativeSlot(field, offsets[field], 0)
        else:
            kind, number = value
            getattr(builder, f"Prepend{kind}Slot")(field, number, 0)
    return builder.EndObject()


def root_table(packed: bytes) -> Table:
    """The table that a FlatBuffer is of.

    Example:

    >>> builder = Builder()
    >>> builder.Finish(write_table(builder, {}))
    >>> tables(root_table(bytes(builder.Output())), 0)
    []
    """
    return Table(packed, int.from_bytes(packed[:4], "little"))


def number(table: Table, field: int, flags: Any) -> Any:
    """The number in a field, 0 if the table lacks it.

    Args:
        table: The table.
        field: Number of the field.
        flags: Its kind, of `flatbuffers.number_types`.

    Example:

    >>> from flatbuffers.number_types import Uint32Flags
    >>> builder = Builder()
    >>> builder.Finish(write_table(builder, {2: ("Uint32", 16000)}))
    >>> table = root_table(bytes(builder.Output()))
    >>> number(table, 2, Uint32Flags), number(table, 1, Uint32Flags)
    (16000, 0)
    """
    place = _place(table, field)
    return table.Get(flags, table.Pos + place) if place else 0


def text(table: Table, field: int) -> str:
    """The string in a field, "" if the table lacks it.

    Example:

    >>> builder = Builder()
    >>> builder.Finish(write_table(builder, {1: "wren"}))
    >>> text(root_table(bytes(builder.Output())), 1)
    'wren'
    """
    place = _place(table, field)
    return table.String(table.Pos + place).decode() if place else ""


def table_in(table: Table, field: int) -> Table | None:
    """The table in a field, None if the table lacks it.

    Example:

    >>> builder = Builder()
    >>> builder.Finish(write_table(builder, {0: {1: "wren"}}))
    >>> text(table_in(root_table(bytes(builder.Output())), 0), 1)
    'wren'
    """
    place = _place(table, field)
    return Table(table.Bytes, table.Indirect(table.Pos + place)) if place else None


def tables(table: Table, field: int) -> list[Table]:
    """The tables in the vector of a field, [] if the table lacks it.

    Example:

    >>> builder = Builder()
    >>> builder.Finish(write_table(builder, {0: [{1: "wren"}, {1: "tit"}]}))
    >>> [text(each, 1) for each in tables(root_table(bytes(builder.Output())), 0)]
    ['wren', 'tit']
    """
    place = _place(table, field)
    if not place:
        return []
    start = table.Vector(place)
    return [
        Table(table.Bytes, table.Indirect(start + 4 * i))
        for i in range(table.VectorLen(place))
    ]


def _place(table, field):
    """Offset of a field in a table, 0 if the table lacks it."""
    return table.Offset(4 + 2 * field)
