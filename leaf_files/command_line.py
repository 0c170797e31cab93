"""The base of all commands: answers to mistakes, exit codes."""

import argparse
import contextlib
import difflib
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from leaf_files.errors import UserError
from leaf_files.missing import missing_package

_SCRIPTS = {"training": "leaf-train", "export": "leaf-export"}
# Programs that run artifacts, and can't make any: an install of its own, and the file
# in an artifact folder.
LEAF_RUN, LISTEN = "leaf-run", "listen.py"


class _Help(argparse.HelpFormatter):
    """Fills each line of a text as a paragraph; indented ones, to be copied, stay."""

    def _fill_text(self, text, width, indent):
        lines = []
        for line in text.split("\n"):
            is_verbatim = not line or line.startswith(" ")
            lines.append(
                line if is_verbatim else super()._fill_text(line, width, indent)
            )
        return "\n".join(lines)


# Values that begin with a minus: a number, or several, such as "-6,6".
_NEGATIVE = re.compile(r"-(\d|\.\d)[-+.,\deE]*")


class Parser(argparse.ArgumentParser):
    """Answers a mistake with one line: the error, a near word, where help is.

    The parsers of its commands are of this class, too, and report on their own options.

    >>> parser = Parser(prog="birds")
    >>> _ = parser.add_argument("--epochs", type=int)
    >>> with contextlib.redirect_stderr(sys.stdout), contextlib.suppress(SystemExit):
    ...     parser.parse_args(["--epoch", "3", "--seed", "1"])
    birds: error: unrecognized arguments: --seed 1; see birds --help
    """

    _words: tuple[str, ...] = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{"formatter_class": _Help, **kwargs})
        # argparse takes one number alone for a value; "-6,6" for an option.
        self._negative_number_matcher = _NEGATIVE

    def parse_known_args(self, args=None, namespace=None):
        self._words = tuple(sys.argv[1:] if args is None else args)
        arguments, unknown = super().parse_known_args(args, namespace)
        # Reported here: argparse leaves it to the parser above, whose help lacks them.
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return arguments, unknown

    def error(self, message):
        message += self._meant_options()
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")

    def _meant_options(self):
        """`did_you_mean` of the words that are no options of this parser."""
        known = self._option_string_actions
        options = [w.partition("=")[0] for w in self._words if w.startswith("--")]
        unknown = [w for w in options if not any(k.startswith(w) for k in known)]
        return did_you_mean(unknown, known)

    def _check_value(self, action, value):
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean([value], action.choices)
            raise


def did_you_mean(words: Iterable[str], known: Iterable[str]) -> str:
    """A hint at the words that misspelled ones may stand for, to end a message with.

    Args:
        words: Those that a user typed.
        known: The right ones.

    Returns:
        " (did you mean --epochs?)", or "" where none of the known is near.

    >>> did_you_mean(["laef"], ["leaf", "mel"])
    ' (did you mean leaf?)'
    """
    by_lower_case = {str(name).lower(): str(name) for name in known}
    nearest = [
        by_lower_case[name]
        for word in words
        for name in difflib.get_close_matches(str(word).lower(), by_lower_case, n=1)
    ]
    if not nearest:
        return ""
    return f" (did you mean {' and '.join(dict.fromkeys(nearest))}?)"


def program(package: str) -> str:
    """The words that start the commands of a package, for messages.

    Args:
        package: "training" or "export".

    Returns:
        Its installed script, "leaf-train" or "leaf-export", where this process was
        started by a script of ours; else "python -m training" or "python -m export".

    >>> program("export")
    'python -m export'
    """
    if _script() in (*_SCRIPTS.values(), LEAF_RUN, LISTEN):
        return _SCRIPTS[package]
    return f"python -m {package}"


def script(package: str) -> str:
    """The installed name of a package's program, for texts that others read.

    Args:
        package: "training" or "export".

    >>> script("export")
    'leaf-export'
    """
    return _SCRIPTS[package]


def runner(command: str) -> str:
    """The words that start a command that runs artifacts, for messages.

    Args:
        command: "predict", "listen", "detect" or "verify".

    Returns:
        `program("export")` and the command; "leaf-run predict" where that was started,
        "python listen.py" where this is that file.

    >>> runner("verify")
    'python -m export verify'
    """
    script = _script()
    if script == LEAF_RUN:
        return f"{LEAF_RUN} {command}"
    if script == LISTEN and command == "listen":
        return f"python {LISTEN}"
    return f"{program('export')} {command}"


def _script():
    """The name of the program that was started, as users type it."""
    name = Path(sys.argv[0]).name
    return name if name == LISTEN else Path(name).stem


def run(main: Callable[[Any], int | None], argv: Any, prog: str) -> int:
    """Runs a command; an error that a user can correct becomes one line on stderr.

    A package that is not installed is named, with the command that installs it. Other
    exceptions are bugs and keep their traceback.

    Args:
        main: Takes `argv`; returns an exit code, or None for 0.
        argv: The arguments, without the program's name.
        prog: The program's name in messages, see `program`.

    Returns:
        The exit code: `main`'s; 1 after an error; 130 after Ctrl-C; 141 when
        the reader of the output went away. (argparse exits with 2 by itself.)

    >>> run(lambda argv: None if argv else 2, ["birds"], prog="birds")
    0
    """
    _replace_closed_streams()
    streams: tuple[Any, ...] = sys.stdout, sys.stderr
    for stream in streams:
        # A name or a label may hold what a terminal, or any text, can't.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")
    try:
        return main(argv) or 0
    except KeyboardInterrupt:
        _complain(prog, "interrupted")
        return 130
    except BrokenPipeError:
        # Nobody reads; without this Python would fail again as it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        message = _explained(error)
        if message is None:
            raise
        _complain(prog, f"error: {message}")
    return 1


def _replace_closed_streams():
    """Opens the null device in place of an output that was closed before we started.

    Python has None there, and the next file that is opened would get its descriptor,
    and be written into by native libraries that print.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))


def one_line(message: object) -> str:
    """A message as one line: names of files may have line breaks.

    >>> one_line("cannot read\\n0.wav")
    'cannot read 0.wav'
    """
    return " ".join(str(message).splitlines())


def a_few(items: Sequence, most: int = 3, between: str = ", ") -> str:
    """Items for a message: the first ones, and an ellipsis for the others.

    >>> a_few([1, 2, 3]), a_few([1, 2, 3, 4])
    ('1, 2, 3', '1, 2, 3, ...')
    """
    named = [str(item) for item in items[:most]]
    return between.join([*named, "..."] if len(items) > most else named)


def duration(seconds: float) -> str:
    """A duration for people.

    >>> duration(40), duration(720), duration(11100)
    ('40 s', '12 min', '3 h 05 min')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def counted(n: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    Args:
        n: Number of things.
        one: Word for one of them.
        many: Word for another number of them; by default `one` with an "s".

    >>> counted(1, "clip"), counted(2, "clip"), counted(0, "class", "classes")
    ('1 clip', '2 clips', '0 classes')
    """
    return f"{n} {one if n == 1 else many or one + 's'}"


def note(message: object) -> None:
    """Prints a line on stderr that is no error, for a user who may want to know.

    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     note("passed over: 1 link")
    passed over: 1 link
    """
    print(one_line(message), file=sys.stderr, flush=True)


def warn(message: object) -> None:
    """Prints a warning on stderr, a line.

    >>> with contextlib.redirect_stderr(sys.stdout):
    ...     warn("all clips are silent")
    warning: all clips are silent
    """
    note(f"warning: {message}")


def _explained(error):
    """The remedy for an exception; None if it is a bug."""
    # A library that isn't there may look like a damaged file, or data nobody has.
    if not (isinstance(error, UserError) and "install" in str(error)):
        missing = missing_package(error)
        if missing:
            return missing
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        return _sentence(error)
    return None


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
