"""Values of options, from the words of a command line.

Each function takes a word and returns a value, or raises argparse.ArgumentTypeError
with the rule.
"""

import argparse
import functools
import math
from collections.abc import Callable


def some_of(allowed: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    """A function from "NAME,NAME" to those names, in the order of the allowed ones.

    Example:

    >>> some_of(("saved_model", "tflite", "onnx"))("onnx, tflite")
    ('tflite', 'onnx')
    """
    return functools.partial(_some_of, allowed)


def _some_of(allowed, text):
    names = [name.strip() for name in text.split(",")]
    unknown = [repr(name) for name in names if name not in allowed]
    if unknown:
        raise argparse.ArgumentTypeError(
            f"allowed are {', '.join(allowed)}; received {', '.join(unknown)}"
        )
    return tuple(name for name in allowed if name in names)


def points(text: str) -> float:
    """Points of a score, 0 to 100."""
    number = _number(float, text)
    return _require(0 <= number <= 100, number, "points from 0 to 100", text)


def share(text: str) -> float:
    """A share or a probability, above 0 and up to 1."""
    number = _number(float, text)
    return _require(0 < number <= 1, number, "above 0, up to 1", text)


def seconds_or_none(text: str) -> float:
    """Seconds, 0 for none."""
    number = _number(float, text)
    return _require(0 <= number < math.inf, number, "seconds from 0 on", text)


def seconds(text: str) -> float:
    """Seconds, above 0."""
    number = _number(float, text)
    return _require(0 < number < math.inf, number, "seconds above 0", text)


def milliseconds(text: str) -> float:
    """Milliseconds, above 0."""
    number = _number(float, text)
    return _require(0 < number < math.inf, number, "milliseconds above 0", text)


def count(text: str) -> int:
    """A whole number, 1 or more."""
    number = _number(int, text)
    return _require(number >= 1, number, "at least 1", text)


def _number(kind, text):
    try:
        return kind(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a number; received {text!r}"
        ) from None


def _require(is_allowed, number, rule, text):
    if not is_allowed:
        raise argparse.ArgumentTypeError(f"must be {rule}; received {text}")
    return number
