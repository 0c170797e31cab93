"""Tables of a FlatBuffer, written and read by the numbers of their fields."""

from collections.abc import Mapping
from typing import Any

from flatbuffers.builder import Builder
from flatbuffers.table import Table


def packed(fields: Mapping[int, Any], identifier: bytes | None = None) -> bytes:
    """A FlatBuffer of a table.

    Args:
        fields: {number of the field: value}: a str, a dict (a table), a list of dicts,
            or a number as (its kind, itself).
        identifier: Four bytes that name the kind of file.

    Example:

    >>> content = packed({0: "birds", 2: ("Uint32", 16000)}, b"M001")
    >>> content[4:8], text(root_table(content), 0)
    (b'M001', 'birds')
    """
    builder = Builder()
    builder.Finish(_write(builder, fields), identifier)
    return bytes(builder.Output())


def _write(builder, fields):
    """Writes a table; returns its offset."""
    offsets = {}
    for field, value in fields.items():
        if isinstance(value, str):
            offsets[field] = builder.CreateString(value)
        elif isinstance(value, dict):
            offsets[field] = _write(builder, value)
        elif isinstance(value, list):
            inner = [_write(builder, table) for table in value]
            builder.StartVector(4, len(inner), 4)
            for table in reversed(inner):
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


def root_table(content: bytes) -> Table:
    """The table that a FlatBuffer is of.

    Example:

    >>> content = packed({})
    >>> tables(root_table(content), 0)
    []
    """
    return Table(content, int.from_bytes(content[:4], "little"))


def number(table: Table, field: int, flags: Any) -> Any:
    """The number in a field, 0 if the table lacks it.

    Args:
        table: The table.
        field: Number of the field.
        flags: Its kind, of `flatbuffers.number_types`.

    Example:

    >>> from flatbuffers.number_types import Uint32Flags
    >>> content = packed({2: ("Uint32", 16000)})
    >>> table = root_table(content)
    >>> number(table, 2, Uint32Flags), number(table, 1, Uint32Flags)
    (16000, 0)
    """
    place = _place(table, field)
    return table.Get(flags, table.Pos + place) if place else 0


def text(table: Table, field: int) -> str:
    """The string in a field, "" if the table lacks it.

    Example:

    >>> content = packed({1: "wren"})
    >>> text(root_table(content), 1)
    'wren'
    """
    place = _place(table, field)
    return table.String(table.Pos + place).decode() if place else ""


def table_in(table: Table, field: int) -> Table | None:
    """The table in a field, None if the table lacks it.

    Example:

    >>> content = packed({0: {1: "wren"}})
    >>> text(table_in(root_table(content), 0), 1)
    'wren'
    """
    place = _place(table, field)
    return Table(table.Bytes, table.Indirect(table.Pos + place)) if place else None


def tables(table: Table, field: int) -> list[Table]:
    """The tables in the vector of a field, [] if the table lacks it.

    Example:

    >>> content = packed({0: [{1: "wren"}, {1: "tit"}]})
    >>> [text(each, 1) for each in tables(root_table(content), 0)]
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
