"""Processes that stand for runs: what they do takes no model."""

import os
import signal
import subprocess
import sys

import pytest

from leaf_files.errors import UserError
from tests.training.comparison.made import make_comparison
from training.comparison.launch import launch

STAMP = "import sys, time; print(time.time()); time.sleep(0.5); print(time.time())"


def python(code):
    return lambda run: [sys.executable, "-c", code]


def stamps(runs):
    """(start, end) of each run, as its process told."""
    return [[float(line) for line in run.log.read_text().split()] for run in runs]


def ignore(*_):
    pass


@pytest.mark.parametrize("jobs", [1, 3])
def test_so_many_run_at_once(tmp_path, jobs):
    runs = make_comparison(tmp_path).runs
    assert launch(runs, python(STAMP), jobs, ignore) == 0
    found = stamps(runs)
    together = [
        sum(start <= moment < end for start, end in found) for moment, _ in found
    ]
    assert max(together) <= jobs
    if jobs == 1:
        assert found == sorted(found)


def test_each_end_is_told_with_the_time_left(tmp_path):
    runs = make_comparison(tmp_path, n_seeds=2).runs
    ends = []
    launch(
        runs, python("import time; time.sleep(0.3)"), 1, lambda *end: ends.append(end)
    )
    assert [run for run, *_ in ends] == runs
    for _, seconds, error, _ in ends:
        assert seconds >= 0.3 and error is None
    lefts = [left for *_, left in ends]
    typical = [seconds for _, seconds, *_ in ends]
    assert lefts[0] == pytest.approx(3 * typical[0], rel=0.01)
    assert lefts[2] == pytest.approx(
        typical[1], rel=0.01
    )  # the other run of that frontend
    assert lefts[3] == 0


def test_the_first_to_fail_stops_all(tmp_path):
    runs = make_comparison(tmp_path).runs
    code = "import sys; print('x', file=sys.stderr); sys.exit('run: error: no clips')"
    with pytest.raises(UserError, match=r"synthetic, mel, seed 0: no clips; see .*log"):
        launch(runs, python(code), 1, ignore)
    assert not runs[1].log.exists()


def test_a_later_failure_stops_nothing(tmp_path):
    runs = make_comparison(tmp_path).runs
    errors = []

    def command(run):
        fails = run is runs[1] or run is runs[2]
        return python("import os; os.abort()" if fails else "")(run)

    n_failed = launch(
        runs, command, 1, lambda run, s, error, left: errors.append(error)
    )
    assert n_failed == 2
    aborted = f"ended by signal {signal.SIGABRT.value}"
    assert errors == [None, aborted, aborted, None, None, None]
    assert launch(runs[1:], command, 1, ignore, proven=True) == 2


def test_an_interruption_ends_the_processes(tmp_path):
    runs = make_comparison(tmp_path).runs

    def interrupt(*_):
        raise KeyboardInterrupt

    def command(run):
        if run is runs[0]:
            return python("")(run)
        return python("import os, time; print(os.getpid()); time.sleep(600)")(run)

    with pytest.raises(KeyboardInterrupt):
        launch(runs, command, 2, interrupt)
    for line in runs[1].log.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(line), 0)


def test_a_job_ends_with_the_process_that_started_it():
    code = (
        "from training.comparison import job; import time; job.end_with_parent(); "
        "print('up', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"up\n"
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(300) == 1
    process.stdout.close()
