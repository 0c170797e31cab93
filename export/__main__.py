"""`python -m export`, also installed as `leaf-export`."""

import sys

from export.commands import arguments
from files import command_line


def dispatch(argv):
    """Runs the command that `argv` names; returns its exit code."""
    # What is asked is read first: help, and what is said of a mistake, need nothing
    # that has to be installed.
    if argv[:1] == ["predict"]:
        arguments.predict_parser().parse_args(argv[1:])
        from export.commands import predict as predict_command

        return predict_command.main(argv[1:])
    if argv[:1] == ["verify"]:
        arguments.verify_parser().parse_args(argv[1:])
        from export.commands import verify as verify_command

        return verify_command.main(argv[1:])
    if argv[:1] == ["listen"]:
        arguments.listen_parser().parse_args(argv[1:])
        from export.commands import listen as listen_command

        return listen_command.main(argv[1:])
    arguments.export_parser().parse_args(argv)
    from export.commands import export as export_command

    return export_command.main(argv)


def main():
    return command_line.run(dispatch, sys.argv[1:], prog="python -m export")


if __name__ == "__main__":
    sys.exit(main())
