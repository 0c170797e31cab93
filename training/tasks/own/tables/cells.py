"""What cells of a table say: seconds, weights, splits, labels."""

import math
import re

from leaf_files.run_folder import LABEL_SEPARATOR

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)


def number(text):
    """The number in a cell.

    Raises:
        ValueError: It is none, or not finite; the message says what to write.

    >>> number("1.5")
    1.5
    >>> number("1,5")
    Traceback (most recent call last):
    ValueError: write a point before decimals: 1.5
    """
    if _NUMBER.fullmatch(text):
        value = float(text)
        if math.isfinite(value):
            return value
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        raise ValueError("write a point before decimals: 1.5")
    if re.fullmatch(r"[\d.]+(:[\d.]+)+", text):
        raise ValueError("write seconds: 90.5, not 1:30.5")
    if text.casefold() in ("nan", "na", "n/a", "none", "null", "-"):
        raise ValueError("leave the cell empty where nothing is known")
    raise ValueError("write a number, such as 1.5")


def labels_of(content):
    """The labels in a cell, a list without repeats; [] of an empty one.

    Args:
        content: "a|b", or a tuple of labels.

    >>> labels_of("wren| owl|")
    ['wren', 'owl']
    """
    texts = content if isinstance(content, tuple) else content.split(LABEL_SEPARATOR)
    return list(dict.fromkeys(filter(None, (text.strip() for text in texts))))


def says_several(content):
    """Whether a cell is written as one of several labels, however many it has.

    >>> says_several("wren|"), says_several("wren")
    (True, False)
    """
    return isinstance(content, tuple) or LABEL_SEPARATOR in content


def ordered(labels):
    """Different labels in the order of a model's classes, a tuple.

    >>> ordered({"100", "31"}), ordered({"b", "100", "31"})
    (('31', '100'), ('100', '31', 'b'))
    """
    if all(map(_WHOLE.fullmatch, labels)):
        return tuple(sorted(labels, key=lambda label: (int(label), label)))
    return tuple(sorted(labels))
