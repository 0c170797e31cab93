"""The runs of a comparison, and their folders."""

import dataclasses
from pathlib import Path

from leaf_files.atomic import writable_folder
from leaf_files.errors import UserError
from training.run.folder import RunFolder
from training.run.heads import head_names
from training.settings.config import FitConfig
from training.settings.frontends import compared_settings, folder_name


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """One run of a comparison.

    Attributes:
        config: `FitConfig` of the run.
        folder: `RunFolder` of the run.
        frontend: Frontend of the run, as in `Comparison.frontends`.
        log: File of the run's output.
        noisy_metrics: File of its metrics in noise, JSON.

    >>> config = FitConfig("folder:/data/drums", seed=3)
    >>> print(PlannedRun(config, RunFolder("run"), "leaf"))
    folder:drums, leaf, seed 3
    """

    config: FitConfig
    folder: RunFolder
    frontend: str

    @property
    def log(self):
        return self.folder.path.with_suffix(".log")

    @property
    def noisy_metrics(self):
        return self.folder.path / "noisy_metrics.json"

    def __str__(self):
        config = self.config
        task = ", ".join(map(display_name, config.tasks))
        return f"{task}, {self.frontend}, seed {config.seed}"


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Frontends, tasks and seeds, and the measurements of each run.

    Attributes:
        settings: `FitConfig` with the names of all tasks, the first seed, and settings
            of the frontends' own that all of them take; runs differ from it in task,
            frontend and seed.
        frontends: The frontends, each once: names, or names with settings of their
            own and `n_filters`, as `training.settings.frontends.rewritten` gives them.
        n_seeds: Number of seeds, from `settings.seed` on.
        output: Folder of the comparison.
        multitask: Whether one model learns all tasks, or each has its own.
        snrs_db: Signal-to-noise ratios of further tests of the trained models, dB.
        noise_color: Color of that noise, see `training.evaluation.noise.Noise`.
        baseline: Frontend that the others are compared with.
        jobs: Number of runs at once.

    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 2, Path("pair"), "mel")
    >>> [str(run) for run in pair.runs[:2]]
    ['synthetic, mel, seed 0', 'synthetic, leaf, seed 0']
    """

    settings: FitConfig
    frontends: tuple[str, ...]
    n_seeds: int
    output: Path
    baseline: str
    multitask: bool = False
    snrs_db: tuple[float, ...] = ()
    noise_color: str = "pink"
    jobs: int = 1

    @property
    def models(self):
        """The tasks of each model, as in `FitConfig.task`."""
        return (self.settings.task,) if self.multitask else self.settings.tasks

    @property
    def seeds(self):
        """The seeds, a range."""
        return range(self.settings.seed, self.settings.seed + self.n_seeds)

    @property
    def runs(self):
        """All `PlannedRun`s, all frontends of a seed before the next seed.

        So pairs are complete whenever the comparison stops.
        """
        names = ("multitask",) if self.multitask else head_names(self.models)
        return [
            PlannedRun(
                self._config(task, frontend, seed),
                RunFolder(
                    self.output / "runs" / name / folder_name(frontend) / f"seed{seed}"
                ),
                frontend,
            )
            for seed in self.seeds
            for task, name in zip(self.models, names)
            for frontend in self.frontends
        ]

    def _config(self, task, frontend, seed):
        """The `FitConfig` of a run."""
        its = compared_settings(frontend)
        own = its.pop("frontend_settings")
        return dataclasses.replace(
            self.settings,
            task=task,
            frontend_settings={**self.settings.frontend_settings, **own},
            seed=seed,
            **its,
        )

    @property
    def frontend_configs(self):
        """A `FitConfig` of each frontend that has settings of its own, a list."""
        task, seed = self.models[0], self.settings.seed
        configs = [self._config(task, frontend, seed) for frontend in self.frontends]
        usual = self.settings.n_filters
        return [c for c in configs if c.frontend_settings or c.n_filters != usual]

    def require_ready(self):
        """Checks that the comparison can be written, or continued.

        Raises:
            UserError: The folder holds other files, or runs with other settings.
        """
        writable_folder(self.output)
        runs = self.output / "runs"
        if self.output.exists() and any(self.output.iterdir()) and not runs.is_dir():
            raise UserError(
                f"{self.output} holds files that are no comparison's; name a new "
                "folder as --output"
            )
        for run in self.runs:
            _require_same(run)


def display_name(task):
    """A task's name for people; of a folder's path, the last part.

    >>> display_name("folder:/data/drums"), display_name("synthetic")
    ('folder:drums', 'synthetic')
    """
    prefix, colon, path = task.partition(":")
    return prefix + colon + Path(path).name if colon else task


def _require_same(run):
    config = run.config
    if run.folder.metrics.exists():  # it needs no data any more
        data_dir = FitConfig.read(run.folder.config).data_dir
        config = dataclasses.replace(config, data_dir=data_dir)
    run.folder.require_config(config)
