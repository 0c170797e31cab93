"""The runs that are wanted, and the processes that make them."""

import dataclasses
import json
import sys
from pathlib import Path

from benchmarks.suite.conditions import POINTS
from benchmarks.suite.runs import Run, require_same, require_split, run_path
from benchmarks.suite.tasks import (
    BASELINE,
    N_FILTERS,
    STEPS,
    SuiteTask,
    task_named,
)
from leaf_files.command_line import did_you_mean
from leaf_files.errors import UserError
from training.settings.config import ENCODERS
from training.settings.frontends import compared_settings, rewritten

ENCODERS_OF_ALL = ("small", "bc_resnet")


@dataclasses.dataclass(frozen=True)
class Plan:
    """The runs of a suite.

    Attributes:
        data: Folder of all tasks, a Path.
        output: Folder of the results, a Path.
        tasks: `SuiteTask`s.
        frontends: Names or specifications, mel first.
        encoders: Names.
        n_seeds: Number of seeds, from 0.
        steps: Optimizer steps of a run.
        on: Split that is tested, test or validation.
    """

    data: Path
    output: Path
    tasks: tuple[SuiteTask, ...]
    frontends: tuple[str, ...] = (BASELINE, "leaf")
    encoders: tuple[str, ...] = ENCODERS_OF_ALL
    n_seeds: int = 10
    steps: int = STEPS
    on: str = "test"

    @classmethod
    def asked_for(cls, tasks, frontends, encoders, steps, **others):
        """The plan of names that a user typed.

        Args:
            tasks, frontends, encoders: Names.
            steps: Optimizer steps of a run.
            **others: See the attributes.

        Raises:
            UserError: There is no such task, frontend or encoder, or the steps can't
                be divided.

        >>> plan = Plan.asked_for(
        ...     *(["drums"], ["mel", "leaf"], ["small"], 600),
        ...     data=Path("data"),
        ...     output=Path("results"),
        ... )
        >>> plan.n_runs
        20
        """
        if steps % POINTS:
            raise UserError(
                f"--steps must be a multiple of {POINTS}, so that it can be divided "
                f"into budgets. Received: {steps}"
            )
        frontends = tuple(map(frontend_name, frontends))
        if len(set(frontends)) < len(frontends):
            raise UserError(
                f"--frontends must be different ones. Received: {', '.join(frontends)}"
            )
        return cls(
            tasks=tuple(map(task_named, tasks)),
            frontends=frontends,
            encoders=tuple(map(require_encoder, encoders)),
            steps=steps,
            **others,
        )

    @property
    def jobs(self):
        """The `Job`s of what isn't finished: pairs are complete wherever it stops.

        Raises:
            UserError: A finished run has other settings, or is of another split.
        """
        require_split(self.output, self.on)
        return [
            job
            for seed in range(self.n_seeds)
            for encoder in self.encoders
            for task in self.tasks
            for job in [self._job(task, encoder, seed)]
            if job.frontends
        ]

    @property
    def n_runs(self):
        """Number of runs, finished or not."""
        return len(self.tasks) * len(self.encoders) * len(self.frontends) * self.n_seeds

    def settings(self, task):
        """The settings that all runs of a task share."""
        return task.settings() | {"steps": self.steps, "on": self.on}

    def _job(self, task, encoder, seed):
        missing = []
        for frontend in self.frontends:
            path = run_path(self.output, task.name, encoder, frontend, seed)
            if not path.exists():
                missing.append(frontend)
                continue
            found = Run.read(path).settings
            require_same(path, found, self.settings(task), "what is asked for")
        return Job(self, task, encoder, seed, tuple(missing))


@dataclasses.dataclass(frozen=True)
class Job:
    """Runs of one task, encoder and seed, made by one process.

    Attributes:
        plan: The `Plan`.
        task: A `SuiteTask`.
        encoder, seed: See `FitConfig`.
        frontends: Those that are missing.
    """

    plan: Plan
    task: SuiteTask
    encoder: str
    seed: int
    frontends: tuple[str, ...]

    def __str__(self):
        return f"{self.task.name}, {self.encoder}, seed {self.seed}"

    @property
    def config(self):
        """A `FitConfig`; the time of a job depends on its task, and on `frontend`."""
        return self.task.config(self.plan.data, self.seed, self.encoder)

    @property
    def frontend(self):
        """The models of the job, in words."""
        return f"{self.encoder} behind {', '.join(self.frontends)}"

    @property
    def log(self):
        """File of what the process prints; kept only if it fails."""
        name = f"{self.task.name}_{self.encoder}_seed{self.seed}.txt"
        return self.plan.output / "logs" / name

    @property
    def command(self):
        """Arguments of the process."""
        request = {
            "task": self.task.name,
            "data": str(self.plan.data),
            "output": str(self.plan.output),
            "encoder": self.encoder,
            "seed": self.seed,
            "frontends": self.frontends,
            "settings": self.plan.settings(self.task),
        }
        return [sys.executable, "-m", "benchmarks.suite.job", json.dumps(request)]


def frontend_settings(specification):
    """The settings of `FitConfig` that a frontend of the command line stands for.

    Raises:
        UserError: There is no such frontend.

    >>> frontend_settings("leaf:compression=log:n_filters=8")
    {'frontend': 'leaf', 'frontend_settings': {'compression': 'log'}, 'n_filters': 8}
    """
    try:
        return compared_settings(specification)
    except ValueError as error:
        raise UserError(f"a frontend {error}") from error


def frontend_name(specification):
    """The name of a frontend's runs: the one way of writing it.

    The suite's number of filters needs no words.

    Raises:
        UserError: There is no such frontend.

    >>> frontend_name("leaf:n_filters=8:learn_filters=False")
    'leaf:learn_filters=false:n_filters=8'
    >>> frontend_name("leaf:n_filters=40")
    'leaf'
    """
    settings = frontend_settings(specification)
    name = rewritten(specification)
    if settings.get("n_filters") == N_FILTERS:
        name = name.replace(f":n_filters={N_FILTERS}", "")
    return name


def require_encoder(name):
    """The name of an encoder.

    Raises:
        UserError: There is no such encoder.

    >>> require_encoder("small")
    'small'
    """
    if name in ENCODERS:
        return name
    raise UserError(
        f"there is no encoder {name!r}{did_you_mean([name], ENCODERS)}; they are "
        f"{', '.join(ENCODERS)}"
    )
