"""`python -m export`, also installed as `leaf-export`."""

import importlib
import sys

from export.commands.arguments import PARSERS
from leaf_files import command_line


def dispatch(argv: list[str]) -> int | None:
    """Runs the command that `argv` names; returns its exit code.

    Args:
        argv: The arguments; a first word that is no command is what is to be exported.

    Example:

    >>> dispatch(["predict", "artifacts", "clip.wav", "--top", "1"])
    clip.wav (1 s)
      ...  0...
    0
    """
    is_named = bool(argv) and argv[0] in PARSERS and argv[0] != "export"
    name, words = (argv[0], argv[1:]) if is_named else ("export", argv)
    # The options are read first: help, and messages on mistakes, need no package that
    # has to be installed.
    PARSERS[name]().parse_args(words)
    return importlib.import_module(f"export.commands.{name}").main(words)


def main() -> int:
    """Runs the command line of this process; returns its exit code."""
    return command_line.run(dispatch, sys.argv[1:], prog=command_line.program("export"))


if __name__ == "__main__":
    sys.exit(main())
