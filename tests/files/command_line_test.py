import argparse

import pytest

from files.command_line import run
from files.errors import UserError


def raising(error):
    def main(argv):
        raise error

    return main


def test_the_exit_code_is_that_of_main():
    assert run(lambda argv: None, [], "prog") == 0
    assert run(lambda argv: len(argv), ["a", "b"], "prog") == 2


@pytest.mark.parametrize(
    "error, code, line",
    [
        (UserError("no task 'x'"), 1, "prog: error: no task 'x'\n"),
        (UserError("two\nlines"), 1, "prog: error: two lines\n"),
        (
            OSError(28, "No space left on device", "/data/run"),
            1,
            "prog: error: No space left on device: /data/run\n",
        ),
        (OSError("unable to open"), 1, "prog: error: unable to open\n"),
        (KeyboardInterrupt(), 130, "prog: interrupted\n"),
    ],
)
def test_an_error_is_one_line(capsys, error, code, line):
    assert run(raising(error), [], "prog") == code
    output = capsys.readouterr()
    assert output.err == line
    assert output.out == ""


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(lambda argv: 1 / 0, [], "prog")


def test_argparse_keeps_its_own_exit_code(capsys):
    def main(argv):
        argparse.ArgumentParser(prog="prog").parse_args(argv)

    with pytest.raises(SystemExit) as exit:
        run(main, ["--unknown"], "prog")
    assert exit.value.code == 2
