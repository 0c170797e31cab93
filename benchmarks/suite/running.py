"""`python -m benchmarks suite`: makes the runs that are missing, then the pages."""

import sys
import time

from benchmarks.suite.runs import Run, read_runs, run_path
from benchmarks.suite.tasks import BASELINE, require_data
from leaf_files.atomic import writable_folder
from leaf_files.command_line import counted, did_you_mean, duration
from leaf_files.errors import UserError
from training.comparison.launch import launch


def run(plan, jobs):
    """Makes the runs of a plan that are missing.

    Args:
        plan: A `Plan`.
        jobs: Largest number of processes at once.

    Raises:
        UserError: Clips are missing, finished runs have other settings, or runs failed.
    """
    require_data(plan.tasks, plan.data)
    writable_folder(plan.output)
    waiting = plan.jobs
    n_missing = sum(len(job.frontends) for job in waiting)
    _say(
        f"{plan.n_runs - n_missing} of {counted(plan.n_runs, 'run')} are finished"
        + (f"; going on with {n_missing} in {plan.output}" if waiting else "")
    )
    started = time.monotonic()
    n_made = 0

    def on_end(job, seconds, error, seconds_left):
        nonlocal n_made
        if error:
            _say(f"{job}: {error}; see {job.log}")
            return
        job.log.unlink(missing_ok=True)
        n_made += len(job.frontends)
        scores = ", ".join(_score(plan, job, frontend) for frontend in job.frontends)
        _say(
            f"{job}: {scores}; {seconds:.0f} s; {n_made} of {n_missing} runs, "
            f"{duration(seconds_left)} left"
        )

    n_failed = launch(
        waiting,
        lambda job: job.command,
        jobs,
        on_end,
        proven=n_missing < plan.n_runs,
    )
    if waiting:
        _say(f"{n_made} runs took {duration(time.monotonic() - started)}")
    logs = plan.output / "logs"
    if logs.is_dir() and not any(logs.iterdir()):
        logs.rmdir()
    return n_failed


def report(output, baseline=BASELINE):
    """Makes the pages of the runs in a folder.

    Args:
        output: The folder, a Path.
        baseline: The frontend that the others are compared with.

    Raises:
        UserError: There are none, they don't belong together, or none is of the
            baseline.
    """
    from benchmarks.suite import report
    from benchmarks.suite.filters import family

    runs = read_runs(output)
    if not runs:
        raise UserError(
            f"{output} holds no runs, runs/TASK/ENCODER/FRONTEND/seedN.json; make some "
            "by: python -m benchmarks suite --data DIR --output "
            f"{output}"
        )
    known = sorted({family(run.frontend) for run in runs})
    if baseline not in (BASELINE, *known):
        raise UserError(
            f"no run is of the baseline {baseline}{did_you_mean([baseline], known)}; "
            f"there are runs of {', '.join(known)}"
        )
    report.write(output, runs, baseline)
    _say(f"read {output / 'report.md'} first")


def _score(plan, job, frontend):
    path = run_path(plan.output, job.task.name, job.encoder, frontend, job.seed)
    return f"{frontend} {100 * Run.read(path).share('clean'):.1f} %"


def _say(line):
    print(line, file=sys.stderr, flush=True)
