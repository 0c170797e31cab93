"""`leaf-run COMMAND ...`: the commands of leaf_tf that run artifacts."""

import importlib
import sys
from pathlib import Path

# Before all others: a leaf_tf that is installed as well may be of another version.
sys.path.insert(0, str(Path(__file__).resolve().parent / "parts"))

from export.commands.running import RUNNING  # noqa: E402
from leaf_files.command_line import LEAF_RUN, Parser, run  # noqa: E402


def dispatch(argv: list[str]) -> int | None:
    """Runs the command that `argv` names; returns its exit code."""
    parser = Parser(
        prog=LEAF_RUN,
        description="Runs the audio models that leaf_tf exports, without TensorFlow. "
        f"`{LEAF_RUN} COMMAND --help` has the options of each.",
    )
    names = ", ".join(RUNNING)
    parser.add_argument("command", choices=RUNNING, metavar="COMMAND", help=names)
    name = parser.parse_args(argv[:1]).command
    words = argv[1:]
    # Help, and messages on mistakes, need no package that has to be installed.
    RUNNING[name]().parse_args(words)
    return importlib.import_module(f"export.commands.{name}").main(words)


def main() -> int:
    """Runs the command line of this process; returns its exit code."""
    sys.argv[0] = LEAF_RUN  # however it was started
    return run(dispatch, sys.argv[1:], prog=LEAF_RUN)


if __name__ == "__main__":
    sys.exit(main())
