"""Tables of text that Markdown reads, too."""


def table_lines(titles, rows):
    """Lines of a table: the first column flush left, the others flush right.

    Args:
        titles: list of str.
        rows: Lists of str, each of as many.

    Yields:
        str, a line without its end.
    """
    widths = [max(map(len, column)) for column in zip(titles, *rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in [titles, rule, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        yield f"| {' | '.join(cells)} |"
