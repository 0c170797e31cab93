"""Runs of a comparison, each in a process, several at once."""

import collections
import os
import subprocess
import time

from leaf_files.atomic import make_folder
from leaf_files.errors import UserError
from training.comparison.job import OTHER_DATA

_MOMENT = 0.1  # seconds between checks of the processes


class _Job:
    """A run's process.

    Args:
        run: A `PlannedRun`.
        command: Arguments of the process.
        environment: Environment variables of the process.
    """

    def __init__(self, run, command, environment):
        make_folder(run.log.parent)
        self.run = run
        self.started = time.monotonic()
        with run.log.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # never written; closes when we end
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    @property
    def seconds(self):
        """Time since the start."""
        return time.monotonic() - self.started

    def end(self):
        """Kills the process if it is running."""
        with self.process:  # closes its input, waits for its end
            self.process.kill()


def launch(runs, command, jobs, on_end, proven=False):
    """Starts all runs, and reports each that ends.

    A run that fails doesn't stop the others, unless it is the first to end, or its data
    isn't the required one: then the others would most likely fail as well.

    Args:
        runs: A list of `PlannedRun`.
        command: Function of a run: the arguments of its process.
        jobs: Largest number of processes at once.
        on_end: Function that is called after each run with the run, its seconds, an
            error or None, and the seconds that remain.
        proven: Whether runs of the comparison succeeded before.

    Returns:
        The number of runs that failed.

    Raises:
        UserError: The first run failed, or the data of one isn't the required one.
    """
    pending = collections.deque(runs)
    running: list[_Job] = []
    n_ended, n_failed = 0, 0
    clock = _Clock(jobs)
    environment = _environment(jobs)
    try:
        while pending or running:
            while pending and len(running) < jobs:
                run = pending.popleft()
                running.append(_Job(run, command(run), environment))
            ended = [job for job in running if job.process.poll() is not None]
            for job in ended:
                running.remove(job)
                job.end()
                clock.note(job)
                error = _error(job) if job.process.returncode else None
                n_ended, n_failed = n_ended + 1, n_failed + bool(error)
                other_data = job.process.returncode == OTHER_DATA
                if other_data or (error and n_ended == 1 and not proven):
                    raise UserError(f"{job.run}: {error}; see {job.run.log}")
                on_end(job.run, job.seconds, error, clock.left(pending, running))
            if not ended:
                time.sleep(_MOMENT)
    finally:
        for job in running:
            job.end()
    return n_failed


class _Clock:
    """Estimates the remaining time from the times of similar runs."""

    def __init__(self, jobs):
        self._jobs = jobs
        self._seconds = collections.defaultdict(list)

    def note(self, job):
        self._seconds[_kind(job.run)].append(job.seconds)

    def left(self, pending, running):
        """Seconds that remain."""
        seconds = sum(self._of(run) for run in pending)
        seconds += sum(max(0.0, self._of(job.run) - job.seconds) for job in running)
        return seconds / max(1, min(self._jobs, len(pending) + len(running)))

    def _of(self, run):
        similar = self._seconds.get(_kind(run))
        if similar is None:
            similar = [second for times in self._seconds.values() for second in times]
        return sum(similar) / len(similar)


def _kind(run):
    return run.config.task, run.frontend


def _error(job):
    """The last line that a failed run printed."""
    code = job.process.returncode
    lines = job.run.log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = [line.strip() for line in lines if line.strip()][-1:]
    ended = f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return last[0].removeprefix("run: error: ") if last and code > 0 else ended


def _environment(jobs):
    """Environment variables by which jobs share the cores."""
    environment = dict(os.environ)
    if jobs > 1:
        threads = str(max(1, (os.cpu_count() or 1) // jobs))
        for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"):
            environment.setdefault(name, threads)
    return environment
