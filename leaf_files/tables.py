"""Tables in Markdown, and names in them."""

import itertools
import re
from collections.abc import Iterator, Sequence


def aligned_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]]
) -> Iterator[str]:
    """Lines of a table: the first column flush left, the others flush right.

    Args:
        titles: Title of each column.
        rows: Cells of each row, as many as titles.

    Yields:
        A line without its end.

    Example:

    >>> print(*aligned_table(["", "bytes"], [["a", "12"]]), sep="\\n")
    |   | bytes |
    | - | ----: |
    | a |    12 |
    """
    widths = [max(map(len, column)) for column in zip(titles, *rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in [titles, rule, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        yield _line(cells)


def plain_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a table whose cells may hold a `|`; arguments as of `aligned_table`.

    Example:

    >>> print(*plain_table(["task"], [["a|b"]]), sep="\\n")
    | task |
    | --- |
    | a\\|b |
    """
    for row in [titles, ["---"] * len(titles), *rows]:
        yield _line(cell.replace("|", r"\|") for cell in row)


def code(text: str) -> str:
    """A name as inline code, in a text or in a cell: nothing in it is Markdown or HTML.

    What can't be seen, such as a line break, is shown by its escape.

    Example:

    >>> print(code("a*b*.wav"), code("<b>`"), code("two\\nlines"))
    `a*b*.wav` `` <b>` `` `two\\nlines`
    """
    shown = _visible(text)
    runs = [len(run) for run in re.findall("`+", shown)]
    fence = "`" * next(n for n in itertools.count(1) if n not in runs)
    if not shown.strip() or "`" in (shown[0], shown[-1]):
        shown = f" {shown} "
    return f"{fence}{shown}{fence}"


def plain(text: str) -> str:
    """A text that is no Markdown, such as a message, as Markdown shows it.

    Example:

    >>> print(plain("2 of a_b_*.wav <x>"))
    2 of a\\_b\\_\\*.wav \\<x\\>
    """
    return re.sub(r"([\\`*_\[\]<>#|~&$])", r"\\\1", _visible(text))


def _visible(text):
    return "".join(
        letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text
    )


def _line(cells):
    return f"| {' | '.join(cells)} |"
