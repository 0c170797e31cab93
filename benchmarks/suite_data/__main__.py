"""`python -m benchmarks.suite_data DIR`: see `--help`."""

import sys
from pathlib import Path

from benchmarks.suite_data.preparing import DESCRIPTION, add_arguments, prepare
from leaf_files import command_line

_PROGRAM = "python -m benchmarks.suite_data"


def _run(argv):
    parser = command_line.Parser(prog=_PROGRAM, description=DESCRIPTION)
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of all tasks")
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    prepare(arguments.folder, packages=arguments.packages, data_dir=arguments.data_dir)


if __name__ == "__main__":
    sys.exit(command_line.run(_run, sys.argv[1:], _PROGRAM))
