"""Values of options, from the words of a command line.

Each type takes a word and returns a value, or raises argparse.ArgumentTypeError with
the rule.
"""

import argparse
import functools
import math
from collections.abc import Callable

from leaf_files.argument_types import number
from leaf_files.command_line import did_you_mean


def some_of(allowed: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """A function from "NAME,NAME" to those names, in the order of the allowed ones.

    Example:

    >>> some_of(("saved_model", "tflite", "onnx"))("onnx, tflite")
    ('tflite', 'onnx')
    """
    return functools.partial(_some_of, allowed)


def _some_of(allowed, text):
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in allowed]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"allowed are {', '.join(allowed)}; received "
            f"{', '.join(map(repr, unknown))}{did_you_mean(unknown, allowed)}"
        )
    return tuple(name for name in allowed if name in names)


_number = functools.partial(
    number,
    refusal="must be {rule}; received {text}",
    unreadable="must be a number; received {text!r}",
)
# Points of a score.
points = _number(float, "points from 0 to 100", lambda n: 0 <= n <= 100)
# A share or a probability.
share = _number(float, "above 0, up to 1", lambda n: 0 < n <= 1)
# A share of what overlaps.
below_one = _number(float, "from 0 up to, but not, 1", lambda n: 0 <= n < 1)
seconds = _number(float, "seconds above 0", lambda n: 0 < n < math.inf)
# 0 for none.
seconds_or_none = _number(float, "seconds from 0 on", lambda n: 0 <= n < math.inf)
milliseconds = _number(float, "milliseconds above 0", lambda n: 0 < n < math.inf)
count = _number(int, "at least 1", lambda n: n >= 1)
