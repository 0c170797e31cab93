"""The exception for errors that a user can correct, and lines from any other."""


class UserError(Exception):
    """A user's mistake, or the world's; not a bug.

    The message is one line that is shown as it is: what was wrong, what is
    allowed, what was received, what to do.

    >>> raise UserError("there is no audio file 0.wav")
    Traceback (most recent call last):
    leaf_files.errors.UserError: there is no audio file 0.wav
    """


def lost_clip(what: object) -> UserError:
    """The error of a clip that was whole when it was checked, and can't be read now.

    Args:
        what: Fault of it, a clause without an end.

    >>> print(lost_clip("there is no audio file a.wav"))
    there is no audio file a.wav; it was whole before: leave the clips as they are ...
    """
    return UserError(
        f"{what}; it was whole before: leave the clips as they are while they are in "
        "use, and start again"
    )


def first_line(error: BaseException | str) -> str:
    """First line of an exception's message; the name of its class if that is empty.

    Args:
        error: Exception, or str.

    >>> first_line(ValueError("no such layer\\nin a model of 3"))
    'no such layer'
    >>> first_line(KeyError())
    'KeyError'
    """
    return (str(error).strip() or type(error).__name__).splitlines()[0]
