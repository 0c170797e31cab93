import argparse
import subprocess
import sys

import pytest

from leaf_files.command_line import Parser, did_you_mean, run
from leaf_files.errors import UserError


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


def parser():
    parser = Parser(prog="prog", description="A parser.", epilog="Example:\n    a  b")
    commands = parser.add_subparsers(dest="command", required=True)
    fit = commands.add_parser("fit")
    fit.add_argument("--output", required=True)
    fit.add_argument("--window-seconds", type=float)
    fit.add_argument("--frontend", choices=("leaf", "mel"))
    fit.add_argument("--fast", action=argparse.BooleanOptionalAction)
    return parser


@pytest.mark.parametrize(
    "argv, line",
    [
        (
            ["fit", "--output", "o", "--windowsec", "2"],
            "prog fit: error: unrecognized arguments: --windowsec 2 (did you mean "
            "--window-seconds?); see prog fit --help\n",
        ),
        (
            ["fit", "--output", "o", "--windowsec=2", "--no-fats"],
            "prog fit: error: unrecognized arguments: --windowsec=2 --no-fats (did you "
            "mean --window-seconds and --no-fast?); see prog fit --help\n",
        ),
        (
            ["fit", "--ouput", "o"],
            "prog fit: error: the following arguments are required: --output (did you "
            "mean --output?); see prog fit --help\n",
        ),
        (
            ["fit", "--output", "o", "--zzz"],
            "prog fit: error: unrecognized arguments: --zzz; see prog fit --help\n",
        ),
        (
            ["fit", "--output", "o", "--frontend", "Laef"],
            "prog fit: error: argument --frontend: invalid choice: 'Laef' (choose from "
            "'leaf', 'mel') (did you mean leaf?); see prog fit --help\n",
        ),
        (
            ["fti"],
            "prog: error: argument command: invalid choice: 'fti' (choose from 'fit') "
            "(did you mean fit?); see prog --help\n",
        ),
    ],
)
def test_a_misspelled_word_gets_a_hint(argv, line, capsys):
    with pytest.raises(SystemExit) as exit:
        parser().parse_args(argv)
    assert exit.value.code == 2
    # Python 3.12 and later write choices without quotes.
    plain = str.maketrans("", "", "'")
    assert capsys.readouterr().err.translate(plain) == line.translate(plain)


def test_the_start_of_an_option_will_do():
    given = parser().parse_args(["fit", "--output", "o", "--window", "2", "--no-fast"])
    assert (given.window_seconds, given.fast) == (2.0, False)


def test_what_is_to_be_copied_stays_as_it_is_in_the_help():
    assert parser().format_help().endswith("\n\nExample:\n    a  b\n")


@pytest.mark.parametrize(
    "words, known, hint",
    [
        (["SPOKEN_digits"], ["speech_commands", "spoken_digit"], "spoken_digit"),
        (["lef", "mell", "leav"], ["leaf", "mel"], "leaf and mel"),
        (["x"], ["leaf", "mel"], None),
        ([], ["leaf"], None),
        (["leaf"], [], None),
    ],
)
def test_the_nearest_known_words_are_named(words, known, hint):
    expected = f" (did you mean {hint}?)" if hint else ""
    assert did_you_mean(words, known) == expected


def test_closed_streams_are_open_nowhere(tmp_path):
    code = (
        "import sys; from leaf_files import command_line\n"
        "def dispatch(argv):\n"
        "    assert not sys.stdout.isatty()\n"
        "    print('lost'); sys.stderr.write('lost')\n"
        "    with open(argv[0], 'w') as file:\n"
        "        file.write(str(file.fileno() > 2))\n"
        "sys.exit(command_line.run(dispatch, sys.argv[1:], 'test'))"
    )
    path = tmp_path / "written"
    argv = ["sh", "-c", 'exec "$0" -c "$1" "$2" >&- 2>&-', sys.executable, code]
    assert subprocess.run([*argv, path]).returncode == 0
    assert path.read_text() == "True"


@pytest.mark.parametrize("value", ["-6", "-6,6", "-.5,2e-3", "-20,-10"])
def test_a_value_may_begin_with_a_minus(value):
    parser = Parser()
    parser.add_argument("--gain")
    assert parser.parse_args(["--gain", value]).gain == value
