"""Runs a comparison: the runs that it lacks, and its report."""

import dataclasses
import json
import sys

from leaf_files.command_line import duration
from leaf_files.errors import UserError
from training.comparison import report
from training.comparison.data import finished_like, require_one_data, without_record
from training.comparison.launch import launch
from training.comparison.results import collect, is_complete, noises


def compare(comparison):
    """Trains and tests the runs that a comparison lacks, and compares all.

    The report is written after each run, from the complete ones.

    Args:
        comparison: `Comparison`, after its `require_ready`.

    Raises:
        UserError: A run failed, and the report is on the others; or runs differ in
            their data.
    """
    runs = comparison.runs
    require_one_data(runs)
    pending = [run for run in runs if not is_complete(comparison, run)]
    n_ended = len(runs) - len(pending)
    finished = f"; {n_ended} of them finished already" if n_ended else ""
    n_unknown = len(without_record(runs))
    if n_unknown:
        finished += (
            f" ({n_unknown} by an older version, without a record of their clips: "
            "whether all runs are of the same can't be checked)"
        )
    n_tasks = len(comparison.settings.tasks)
    print(
        f"{len(runs)} runs: {n_tasks} task{'s' if n_tasks > 1 else ''}"
        f"{' in one model' if comparison.multitask else ''}, "
        f"{len(comparison.frontends)} frontends, {comparison.n_seeds} seeds{finished}",
        flush=True,
    )

    def on_end(run, seconds, error, seconds_left):
        nonlocal n_ended
        n_ended += 1
        outcome = f"failed: {error}; see {run.log}"
        if error is None:
            results = collect(comparison)
            report.write(comparison, results)
            outcome = f"{report.scores_in_words(results, run)}, {seconds:.0f} s"
        remaining = f"; about {duration(seconds_left)} left" if seconds_left else ""
        place = f"[{n_ended:>{len(str(len(runs)))}} of {len(runs)}]"
        print(f"{place} {run}: {outcome}{remaining}", flush=True)

    n_failed = launch(
        pending,
        lambda run: _command(comparison, run),
        comparison.jobs,
        on_end,
        proven=n_ended > 0,
    )
    results = collect(comparison)
    report.write(comparison, results)
    for sentence in report.findings(comparison, results):
        print(sentence)
    print(f"the comparison lies in {comparison.output}", flush=True)
    if n_failed:
        raise UserError(
            f"{n_failed} of {len(runs)} runs failed, see the .log files in "
            f"{comparison.output / 'runs'}; the report covers the others. The same "
            "command tries them again"
        )


def _command(comparison, run):
    like = finished_like(run, comparison.runs)
    request = {
        "config": run.config.to_dict(),
        "run": str(run.folder.path),
        "noisy_metrics": str(run.noisy_metrics),
        "noises": [
            dataclasses.asdict(noise) for noise in noises(comparison, run).values()
        ],
        "like": like and str(like.path),
    }
    job = "training.comparison.job"
    return [sys.executable, "-m", job, json.dumps(request)]
