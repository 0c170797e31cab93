"""Lines on stderr that name the command they are of."""

from leaf_files.command_line import note, runner


def say(command: str, kind: str, message: object) -> None:
    """Prints a line on stderr, after which the command goes on.

    Args:
        command: Its name, such as "predict".
        kind: "note" or "error".
        message: What there is to say.

    Example:

    >>> import contextlib, sys
    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     say("predict", "error", "there is no audio file a.wav")
    python -m export predict: error: there is no audio file a.wav
    """
    note(f"{runner(command)}: {kind}: {message}")
