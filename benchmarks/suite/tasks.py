"""The tasks of the suite, and the settings of a run on each."""

import dataclasses
from pathlib import Path
from typing import Any

from leaf_files.command_line import did_you_mean
from leaf_files.errors import UserError
from training.settings.config import FitConfig

BASELINE = "mel"
STEPS = 600
N_FILTERS = 40
# Settings of all runs; named here, so that no default can change them.
_COMMON: dict[str, Any] = {
    "batch_size": 16,
    "learning_rate": 3e-3,
    "schedule": "cosine",
    "warmup_steps": 0,
    "n_filters": N_FILTERS,
    # Two epochs of a run share nothing but the clips; these lie in memory.
    "cache": "memory",
}
# Settings that differ between the runs of a task, or say where its clips are.
_OF_A_RUN = ("task", "frontend", "frontend_settings", "encoder", "seed", "cache")


@dataclasses.dataclass(frozen=True)
class SuiteTask:
    """A task of the suite.

    Attributes:
        name: Name.
        about: What is told apart, and who or what is never heard in training.
        path: Folder of clips or table, relative to the folder of all tasks.
        sample_rate, window_seconds, folds, group_pattern, group_column: See
            `FitConfig`.
        column: Column of labels of a table; None for a folder.

    >>> drums = SuiteTask("drums", "kinds of hit, by unseen kit", "drums")
    >>> drums.config(Path("data"), seed=3).seed
    3
    """

    name: str
    about: str
    path: str
    sample_rate: int = 8000
    window_seconds: float = 0.5
    folds: int = 5
    group_pattern: str | None = None
    group_column: str | None = None
    column: str | None = None

    def config(self, data, seed, encoder="small", frontend=None):
        """The `FitConfig` of a run.

        Args:
            data: Folder of all tasks, a Path.
            seed: Seed of the run; modulo the number of folds, the fold that tests.
            encoder: See `FitConfig`.
            frontend: Settings of the frontend, a dict for `FitConfig`; mel for None. A
                number of filters in it wins over the suite's.
        """
        place = (data / self.path).absolute()
        table = f"#{self.column}" if self.column else ""
        return FitConfig(
            f"table:{place}{table}" if self.column else f"folder:{place}",
            seed=seed,
            encoder=encoder,
            sample_rate=self.sample_rate,
            window_seconds=self.window_seconds,
            folds=self.folds,
            group_pattern=self.group_pattern,
            group_column=self.group_column,
            **{**_COMMON, **(frontend or {"frontend": BASELINE})},
        )

    def settings(self):
        """What all runs of the task have in common, a dict: no paths, no seeds."""
        config = self.config(Path("data"), 0).to_dict()
        defaults = FitConfig("data").to_dict()
        return {
            name: value
            for name, value in config.items()
            if name not in _OF_A_RUN and (value != defaults[name] or name in _COMMON)
        } | {"sample_rate": self.sample_rate, "window_seconds": self.window_seconds}


TASKS = (
    SuiteTask(
        "digits",
        "10 spoken digits, by a speaker never heard",
        "digits",
        group_pattern="_([a-z]+)_",
    ),
    SuiteTask("instruments", "10 instruments, by clips never heard", "instruments"),
    SuiteTask(
        "languages",
        "5 languages, by voices and microphones of corpora never heard",
        "languages",
        window_seconds=1.0,
        # Of the 4 corpora one has a single language, and can't be tested alone.
        folds=3,
        group_pattern="([^/]+)__",
    ),
    SuiteTask(
        "speakers",
        "4 speakers, in rooms never heard",
        "speakers",
        group_pattern="([^/]+)__",
    ),
    SuiteTask(
        "drums",
        "8 kinds of hit, of drum kits never heard",
        "drums",
        sample_rate=16000,
        group_pattern="([^/]+)__",
    ),
    SuiteTask(
        "family",
        "11 families of instruments, by instruments never heard",
        "notes/notes.csv",
        group_column="program",
        column="family",
    ),
    SuiteTask(
        "pitch",
        "74 pitches, of instruments never heard",
        "notes/notes.csv",
        group_column="program",
        column="pitch",
    ),
)


def task_named(name):
    """The task of a name.

    Raises:
        UserError: There is none.

    >>> task_named("drums").sample_rate
    16000
    """
    for task in TASKS:
        if task.name == name:
            return task
    known = [task.name for task in TASKS]
    raise UserError(
        f"the suite has no task {name!r}{did_you_mean([name], known)}; its tasks are "
        f"{', '.join(known)}"
    )


def require_data(tasks, data):
    """Checks that the clips of some tasks are there.

    Args:
        tasks: `SuiteTask`s.
        data: Folder of all tasks, a Path.

    Raises:
        UserError: Those of some aren't; the message says how to get them.
    """
    missing = {t.name: t.path for t in tasks if not (data / t.path).exists()}
    if not missing:
        return
    here = [task.name for task in TASKS if (data / task.path).exists()]
    raise UserError(
        f"{data} lacks {', '.join(dict.fromkeys(missing.values()))}, the clips of "
        f"{', '.join(missing)}; build them by: python -m benchmarks suite prepare "
        f"{data}" + (f"; or go without, --tasks {','.join(here)}" if here else "")
    )
