import pytest

from benchmarks import __main__ as benchmarks
from leaf_files import command_line
from tests.docstrings import run_examples
from tests.rooms import with_examples

HERE = ("--data", "here", "--output", "out")


def run(argv):
    return command_line.run(
        benchmarks.dispatch, ["suite", *argv], "python -m benchmarks"
    )


@pytest.mark.parametrize(
    "argv, code, message",
    [
        ((), 1, "a folder for its results: name one, --output DIR"),
        (("--output", "out"), 1, "`python -m benchmarks suite prepare DIR` builds it"),
        (("--output", "out", "--report-only"), 1, "out holds no runs"),
        (HERE, 1, "here lacks digits, instruments, languages, speakers, notes/notes"),
        (HERE, 1, "suite prepare here; or go without, --tasks drums"),
        ((*HERE, "--tasks", "drum"), 1, "no task 'drum' (did you mean drums?)"),
        ((*HERE, "--frontends", "laef"), 1, "did you mean leaf?"),
        ((*HERE, "--encoders", "smal"), 1, "did you mean small?"),
        ((*HERE, "--tasks", "drums,drums"), 2, "different names"),
        ((*HERE, "--steps", "30"), 1, "a multiple of 20, so that"),
        ((*HERE, "--seeds", "0"), 2, "at least 1"),
        ((*HERE, "--jobs", "0"), 2, "at least 1"),
        ((*HERE, "--on", "train"), 2, "train"),
        (("prepare",), 1, "needs a folder"),
        (("prepair", "here"), 2, "did you mean prepare?"),
        (("--task", "drums", "--output", "out"), 1, "--data DIR"),
    ],
)
def test_mistakes_are_one_line(argv, code, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here" / "drums").mkdir(parents=True)
    try:
        found = run(argv)
    except SystemExit as exit:
        found = exit.code
    assert found == code
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", [n for n in with_examples("benchmarks") if ".suite." in n]
)
def test_examples(name):
    run_examples(name)
