import dataclasses
import json
import shutil

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.suite import job
from benchmarks.suite.conditions import BUDGETS, CONDITIONS, POINTS, budget_name
from benchmarks.suite.plan import Plan
from benchmarks.suite.runs import Run, run_path
from benchmarks.suite.tasks import task_named
from leaf_files import command_line
from tests.benchmarks.suite.made import SPEAKERS, write_digits
from training.run.data_record import OtherDataError


def suite(*argv):
    argv = ["suite", *map(str, argv)]
    return command_line.run(benchmarks.dispatch, argv, "python -m benchmarks")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    write_digits(folder)
    return folder


def planned(data, output):
    task = task_named("digits")
    return Plan(data, output, (task,), ("mel", "mel_pcen"), ("small",), 1, 20)


def killed_after_mel(plan):
    """Does the work of a plan until it is killed, after the first of two frontends."""
    [job_] = plan.jobs
    request = json.loads(job_.command[-1])
    job.work({**request, "frontends": ["mel"]}, job_.task)
    return request


@pytest.fixture(scope="module")
def killed(digits, tmp_path_factory):
    """(plan, request) of a suite that was killed after the first of two runs."""
    plan = planned(digits, tmp_path_factory.mktemp("killed"))
    return plan, killed_after_mel(plan)


def test_a_run_is_trained_and_tested_and_starts_the_same_again(
    digits, killed, tmp_path
):
    plan, request = killed
    again = planned(digits, tmp_path)
    killed_after_mel(again)
    run, other = (
        Run.read(run_path(output, "digits", "small", "mel", 0))
        for output in (plan.output, again.output)
    )
    # The first of 20 steps: the same weights, and the same windows.
    assert run.loss[0] == pytest.approx(other.loss[0], abs=1e-3)
    ends = {"seconds": {}, "loss": (), "accuracy": (), "right": {}}
    assert dataclasses.replace(run, **ends) == dataclasses.replace(other, **ends)
    assert len(run.groups) == 1 and run.groups[0] in SPEAKERS
    assert run.n == (4,)
    assert set(run.right) == set(CONDITIONS)
    assert len(run.loss) == len(run.accuracy) == POINTS
    assert run.settings == request["settings"]
    assert request["settings"]["steps"] == 20 and request["settings"]["on"] == "test"
    assert {budget_name(percent) for percent in BUDGETS} < set(run.right)


@pytest.mark.slow
def test_a_killed_suite_goes_on(digits, killed, tmp_path, capsys):
    plan, request = killed
    shutil.copytree(plan.output / "runs", tmp_path / "runs")
    request = {**request, "output": str(tmp_path)}
    task = task_named("digits")
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
    assert f"{tmp_path} holds {first}, on test clips; name another --output" in error
    assert suite(*options, "--frontends", "mel", "--steps", 40) == 1
    error = capsys.readouterr().err
    assert f"{first} is of other settings than what is asked for: steps 20" in error
    other = dataclasses.replace(Run.read(first), clips="others")
    other.write(first)
    with pytest.raises(OtherDataError, match=f"{first} is of other clips"):
        job.work({**request, "frontends": ["mel_pcen"]}, task)
