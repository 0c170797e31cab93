import argparse
import ast
import configparser
import importlib
import re
import subprocess
import sys

import pytest

from leaf_files.command_line import Parser, did_you_mean, program, run
from leaf_files.errors import UserError
from tests.rooms import ROOT, dotted, modules

PACKAGES = ("leaf_files", "training", "export")


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


@pytest.mark.parametrize(
    "started, trains, exports",
    [
        ("/venv/bin/leaf-train", "leaf-train", "leaf-export"),
        ("/venv/bin/leaf-export", "leaf-train", "leaf-export"),
        ("leaf-export.exe", "leaf-train", "leaf-export"),
        ("/src/export/__main__.py", "python -m training", "python -m export"),
        ("", "python -m training", "python -m export"),  # of an interactive Python
    ],
)
def test_messages_name_programs_as_the_user_starts_them(
    started, trains, exports, monkeypatch
):
    monkeypatch.setattr(sys, "argv", [started, "fit"])
    assert (program("training"), program("export")) == (trains, exports)


def test_the_scripts_are_those_that_a_wheel_installs(monkeypatch):
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options.entry_points"]["console_scripts"].split("\n")
    scripts = dict(re.findall(r"(\S+) = (\w+)\.__main__:main", "\n".join(lines)))
    assert len(scripts) == 2
    for script, package in scripts.items():
        monkeypatch.setattr(sys, "argv", [script])
        assert program(package) == script


@pytest.mark.parametrize("package", PACKAGES)
def test_no_message_spells_how_a_program_is_started(package):
    """Each asks `program`: what is written out would be wrong for installed scripts."""
    spelled = [
        f"{dotted(path)}: {text}"
        for path in modules(package, "")
        for text in _texts(path)
        if re.search(r"python -m (training|export)\b(?!\.)|leaf-(train|export) ", text)
    ]
    assert spelled == []


def _texts(path):
    """The strings of a module that are not docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            is_text = isinstance(child, ast.Constant) and isinstance(child.value, str)
            if is_text and not isinstance(node, ast.Expr):
                yield child.value


@pytest.mark.parametrize(
    "script, argv, line",
    [
        (
            "leaf-export",
            ["verify", "no"],
            "leaf-export: error: there is no report.json in no; name the --output of "
            "leaf-export\n",
        ),
        (
            "leaf-train",
            ["plot", "no"],
            "leaf-train: error: no holds no finished run: config.json is missing; name "
            "a folder that `leaf-train fit` wrote\n",
        ),
        (
            "leaf-train",
            ["plot"],
            "leaf-train plot: error: the following arguments are required: RUN; see "
            "leaf-train plot --help\n",
        ),
    ],
)
def test_installed_scripts_name_themselves(script, argv, line, monkeypatch, capsys):
    package = {"leaf-train": "training", "leaf-export": "export"}[script]
    monkeypatch.setattr(sys, "argv", [f"/venv/bin/{script}", *argv])
    main = importlib.import_module(f"{package}.__main__").main
    with pytest.raises(SystemExit) as exit:
        sys.exit(main())
    assert exit.value.code
    assert capsys.readouterr().err == line


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
