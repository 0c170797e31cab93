"""Tables for people and for Markdown."""

from collections.abc import Iterator, Sequence


def table_lines(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a table: the first column flush left, the others flush right.

    Args:
        titles: Title of each column.
        rows: Cells of each row, as many as titles.

    Yields:
        A line without its end.

    Example:

    >>> print(*table_lines(["", "bytes"], [["a", "12"]]), sep="\\n")
    |   | bytes |
    | - | ----: |
    | a |    12 |
    """
    widths = [max(map(len, column)) for column in zip(titles, *rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in [titles, rule, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        yield f"| {' | '.join(cells)} |"
