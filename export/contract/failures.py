"""Errors of libraries as lines for users."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from leaf_files.errors import UserError


def first_line(error: BaseException | str) -> str:
    """An error's message up to its first line break; without one the error's class.

    Example:

    >>> first_line(ValueError("no such file\\nat line 3"))
    'no such file'
    >>> first_line(KeyError())
    'KeyError'
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def parsing(path: str | Path) -> Iterator[None]:
    """Makes a `UserError` of any error, while an artifact's own words are read.

    Args:
        path: The artifact, for the message.
    """
    try:
        yield
    # Damaged offsets and lengths may raise anything.
    except Exception as error:
        raise UserError(
            f"{path} is damaged: what it says about itself can't be read "
            f"({type(error).__name__}); copy or export it again"
        ) from error
