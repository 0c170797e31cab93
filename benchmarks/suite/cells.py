"""Numbers as the pages of a suite write them."""


def points(value):
    """Percentage points with their sign; 0 has none.

    >>> points(0.0123), points(-0.0001)
    ('+1.2', '0.0')
    """
    rounded = round(100 * value, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"


def difference_cell(score):
    """A cell of a table: the difference of a `Score`, "**+6.1** (2.0 to 10.2)".

    Bold where its intervals exclude 0, with an exclamation mark where they do with all
    differences counted. Empty without a score or a difference.

    >>> difference_cell(None)
    ''
    """
    if score is None or score.difference is None:
        return ""
    difference = score.difference
    mean = points(difference.mean)
    if difference.interval is None:
        return mean
    if difference.excludes_zero:
        mean = f"**{mean}{'!' if score.holds else ''}**"
    low, high = difference.interval
    return f"{mean} ({100 * low:.1f} to {100 * high:.1f})"
