"""Errors of libraries as lines for users."""

import contextlib

from files.errors import UserError


def first_line(error):
    """What an exception says, up to the first line break; else the name of its class.

    Args:
        error: Exception, or str.
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0]


@contextlib.contextmanager
def parsing(path):
    """What is wrong with the words of an artifact becomes a `UserError`.

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
