"""Types of the arguments of a command line: from a word to a checked value."""

import argparse
from collections.abc import Callable
from typing import Any


def checked(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argparse type whose error says why a word is refused.

    argparse itself hides the message of a ValueError.

    Args:
        parse: Function of a word; raises a ValueError whose message is shown.

    >>> checked(int)("many")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: invalid literal for int() with base 10: 'many'
    """

    def read(text):
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def number(
    kind: type[int] | type[float],
    rule: str,
    holds: Callable[[Any], bool],
    refusal: str = "must be {rule}. Received: {text}",
    unreadable: str | None = None,
) -> Callable[[str], Any]:
    """An argparse type of numbers in a range.

    Args:
        kind: int or float.
        rule: Words for what a number must be, "at least 1".
        holds: Function of a number: whether the rule holds.
        refusal: Message for a number that breaks the rule.
        unreadable: Message for a word that is no number; None for `refusal`.

    >>> seconds = number(float, "seconds above 0", lambda seconds: seconds > 0)
    >>> seconds("2.5")
    2.5
    >>> seconds("-1")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: must be seconds above 0. Received: -1
    """

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            message = unreadable or refusal
            raise ValueError(message.format(rule=rule, text=text)) from None
        if not holds(value):
            raise ValueError(refusal.format(rule=rule, text=text))
        return value

    return checked(parse)


def at_least(least: int) -> Callable[[str], int]:
    """An argparse type of whole numbers, `least` or more.

    >>> at_least(1)("3")
    3
    """
    return number(int, f"a whole number, at least {least}", lambda n: n >= least)
