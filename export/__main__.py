"""`python -m export`, also installed as `leaf-export`."""

import sys

from files import command_line


def dispatch(argv):
    """Runs the command that `argv` names; returns its exit code."""
    if argv[:1] == ["predict"]:
        from export import predict_command

        return predict_command.main(argv[1:])
    if argv[:1] == ["verify"]:
        from export import verify_command

        return verify_command.main(argv[1:])
    if argv[:1] == ["listen"]:
        from export import listen_command

        return listen_command.main(argv[1:])
    from export import export_command

    return export_command.main(argv)


def main():
    return command_line.run(dispatch, sys.argv[1:], prog="python -m export")


if __name__ == "__main__":
    sys.exit(main())
