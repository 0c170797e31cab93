"""What all commands share: how they answer mistakes, and their exit codes."""

import argparse
import contextlib
import os
import sys

from files.errors import UserError


class Parser(argparse.ArgumentParser):
    """Answers a mistake with one line, not with the usage as well."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def run(main, argv, prog):
    """Runs a command; what a user can mend becomes one line on stderr.

    Other exceptions are bugs and keep their traceback.

    Args:
        main: Takes `argv`; returns an exit code, or None for 0.
        argv: The arguments, without the program's name.
        prog: The program's name in messages, e.g. "python -m training".

    Returns:
        The exit code: `main`'s; 1 after an error; 130 after Ctrl-C; 141 when
        the reader of the output went away. (argparse exits with 2 by itself.)
    """
    for stream in (sys.stdout, sys.stderr):
        # A name or a label may hold what a terminal, or any text, can't.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        return main(argv) or 0
    except KeyboardInterrupt:
        _complain(prog, "interrupted")
        return 130
    except BrokenPipeError:
        # Nobody reads; without this Python would fail again as it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except UserError as error:
        _complain(prog, f"error: {error}")
    except OSError as error:
        _complain(prog, f"error: {_sentence(error)}")
    return 1


def one_line(message):
    """A message as one line: names of files may have line breaks."""
    return " ".join(str(message).splitlines())


def a_few(items, most=3, between=", "):
    """Items for a message: the first ones, and an ellipsis for the others."""
    named = [str(item) for item in items[:most]]
    return between.join([*named, "..."] if len(items) > most else named)


def note(message):
    """Says a line on stderr that is no error: what a user may want to know."""
    print(one_line(message), file=sys.stderr, flush=True)


def warn(message):
    """Says a line on stderr about what may not be meant."""
    note(f"warning: {message}")


def _complain(prog, message):
    print(f"{prog}: {one_line(message)}", file=sys.stderr)


def _sentence(error):
    """'No space left on device: /data/run', without the errno."""
    if not error.strerror:
        return str(error) or type(error).__name__
    names = [error.filename, error.filename2]
    return ": ".join(
        [error.strerror, *(str(name) for name in names if name is not None)]
    )
