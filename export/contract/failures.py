"""Errors while an artifact's own words are read, as lines for users."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from leaf_files.errors import UserError


@contextlib.contextmanager
def parsing(path: str | Path) -> Iterator[None]:
    """Makes a `UserError` of any error, while an artifact's own words are read.

    Args:
        path: The artifact, for the message.

    Example:

    >>> with parsing("model.tflite"):
    ...     {}["heads"]
    Traceback (most recent call last):
    leaf_files.errors.UserError: model.tflite is damaged: what it says about itself ...
    """
    try:
        yield
    # Damaged offsets and lengths may raise anything.
    except Exception as error:
        raise UserError(
            f"{path} is damaged: what it says about itself can't be read "
            f"({type(error).__name__}); copy or export it again"
        ) from error
