"""Drawn data at the command line: `python -m tests.fuzz.commands CASES SEED FOLDER`.

Each case is inspected; what `inspect` finds fit to be learned is learned for an epoch.
"""

import contextlib
import io
import json
import pathlib
import random
import shutil
import sys

from leaf_files import command_line
from leaf_files.run_folder import RunPaths
from tests.fuzz import sheets, trees
from tests.fuzz.sandbox import Tally
from tests.fuzz.sounds import Pool
from tests.training.runs import write_pooling
from training.__main__ import dispatch
from training.commands.arguments import make_parser

# What a warning of Python's, TensorFlow's or NumPy's has, and none of ours.
_NOT_OURS = ("Traceback", "Warning:", ".py:")


def run(*argv):
    """(exit code, lines on stdout, lines on stderr) of a command."""
    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        try:
            code = command_line.run(dispatch, [*map(str, argv)], "python -m training")
        except SystemExit as exit:
            code = exit.code
    return code, printed.getvalue().splitlines(), said.getvalue().splitlines()


def options(drawn, command):
    """The words of a command line, of those that the command knows."""
    parser = make_parser()._subparsers._group_actions[0].choices[command]
    known = parser._option_string_actions
    for name, value in drawn.settings.items():
        option = "--" + name.replace("_", "-")
        if option in known:
            yield from (
                [option]
                if value is True
                else [f"{option}={value}"] * (value is not False)
            )


def require_refused(code, said):
    """Checks that a command ended with an error, in the last line and that alone."""
    assert code in (1, 2), (code, said)
    errors = [line for line in said if "error: " in line]
    assert errors == said[-1:], said


def require_quiet(said):
    odd = [line for line in said if any(words in line for words in _NOT_OURS)]
    assert not odd, odd


def judge(drawn, folder, encoder):
    """How a case ends: "refused", "not to be learned" or "learned"."""
    code, printed, said = run(
        "inspect", *drawn.task.split(",")[:1], *options(drawn, "inspect")
    )
    require_quiet(said + printed)
    assert code == 0 or said, "silence"
    if code:
        require_refused(code, said)
    output = folder / "run"
    fit_code, _, fit_said = run(
        *("fit", "--task", drawn.task, "--output", output, *options(drawn, "fit")),
        *("--epochs", 1, "--steps-per-epoch", 2, "--batch-size", 4, "--frontend"),
        *("mel", "--n-filters", 8, "--encoder", encoder),
    )
    require_quiet(fit_said)
    if fit_code:
        require_refused(fit_code, fit_said)
        assert not output.exists(), "a run that was refused left a folder"
        return "refused" if code else "not to be learned"
    metrics = json.loads(RunPaths(output).metrics.read_text())
    assert metrics
    text = (output / "report.md").read_text()
    assert text.startswith("# ")
    return "learned"


def main(n_cases, seed, folder):
    folder = pathlib.Path(folder)
    (folder / "pool").mkdir(parents=True)
    pool = Pool(folder / "pool")
    encoder = write_pooling(folder / "pooling.keras")
    tally = Tally()
    for number in range(n_cases):
        choices = random.Random(f"{seed} {number}")
        draw = (trees, sheets)[number % 2].draw
        place = folder / f"case{number}"
        place.mkdir()
        drawn = draw(place / "data", pool, choices)
        with tally.case(f"{number}: {drawn.task} {drawn.settings}") as ends:
            ends.append(judge(drawn, place, encoder))
            shutil.rmtree(place)
    tally.finish()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
