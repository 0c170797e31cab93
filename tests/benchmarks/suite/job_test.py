import dataclasses
import json

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.suite import job
from benchmarks.suite.conditions import BUDGETS, CONDITIONS, POINTS, budget_name
from benchmarks.suite.plan import Plan
from benchmarks.suite.runs import Run, run_path
from benchmarks.suite.tasks import task_named
from leaf_files import command_line
from tests.benchmarks.suite.made import SPEAKERS, write_digits


def suite(*argv):
    argv = ["suite", *map(str, argv)]
    return command_line.run(benchmarks.dispatch, argv, "python -m benchmarks")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    write_digits(folder)
    return folder


def request_of(plan):
    """The request of the first job of a plan."""
    return json.loads(plan.jobs[0].command[-1])


def test_a_run_is_trained_tested_and_the_same_again(digits, tmp_path):
    task = task_named("digits")
    runs = []
    for name in ("one", "two"):
        plan = Plan(digits, tmp_path / name, (task,), ("mel",), ("small",), 1, 20)
        job.work(request_of(plan), task)
        assert plan.jobs == []
        run = Run.read(run_path(plan.output, "digits", "small", "mel", 0))
        runs.append(dataclasses.replace(run, seconds={}))
    run, other = runs
    assert run == other
    assert len(run.groups) == 1 and run.groups[0] in SPEAKERS
    assert run.n == (4,)
    assert set(run.right) == set(CONDITIONS)
    assert len(run.loss) == len(run.accuracy) == POINTS
    assert run.settings == task.settings() | {"steps": 20, "on": "test"}
    assert {budget_name(percent) for percent in BUDGETS} < set(run.right)


def test_an_interrupted_suite_goes_on(digits, tmp_path, capsys):
    task = task_named("digits")
    plan = Plan(digits, tmp_path, (task,), ("mel", "mel_pcen"), ("small",), 1, 20)
    # Killed after the first of two frontends.
    request = request_of(plan)
    job.work({**request, "frontends": ["mel"]}, task)
    first = run_path(tmp_path, "digits", "small", "mel", 0)
    before = first.read_bytes()
    options = ("--data", digits, "--output", tmp_path, "--tasks", "digits")
    options += ("--encoders", "small", "--seeds", 1, "--steps", 20)
    assert not suite(*options, "--frontends", "mel,mel_pcen")
    said = capsys.readouterr().err
    assert "1 of 2 runs are finished; going on with 1" in said
    assert "digits, small, seed 0: mel_pcen" in said
    assert first.read_bytes() == before
    assert run_path(tmp_path, "digits", "small", "mel_pcen", 0).exists()
    report = (tmp_path / "report.md").read_text()
    assert "## mel_pcen against mel" in report
    assert not (tmp_path / "logs").exists()
    # Other settings are refused, and so are other clips.
    assert suite(*options, "--frontends", "mel", "--on", "validation") == 1
    error = capsys.readouterr().err
    assert f"{first} is of other settings than what is asked for: on test" in error
    other = dataclasses.replace(Run.read(first), clips="others")
    other.write(first)
    with pytest.raises(SystemExit) as exit:
        job.work({**request, "frontends": ["mel_pcen"]}, task)
    assert exit.value.code == job.OTHER_DATA
    assert f"{first} is of other clips" in capsys.readouterr().err
