"""Comparisons whose runs were never trained: scores that a test chooses."""

import dataclasses

from leaf_files.atomic import write_json
from training.comparison.plan import Comparison
from training.comparison.results import noises
from training.settings.config import FitConfig


def make_comparison(folder, frontends=("mel", "leaf"), n_seeds=3, **settings):
    names = {field.name for field in dataclasses.fields(FitConfig)}
    config = {name: settings.pop(name) for name in names & settings.keys()}
    return Comparison(
        settings=FitConfig(**{"task": "synthetic", **config}),
        frontends=frontends,
        n_seeds=n_seeds,
        output=folder / "comparison",
        **{"baseline": frontends[0], **settings},
    )


def finish(comparison, score, in_noise=None, drift=None):
    """Writes the metrics of all runs.

    Args:
        comparison: A `Comparison`.
        score: From (task, frontend, seed) to an accuracy, or None for a run that is
            not finished.
        in_noise: From (task, frontend, seed, decibels) to an accuracy.
        drift: Of all runs, {name: value}.
    """
    for run in comparison.runs:
        config = run.config
        clean = {t: score(t, config.frontend, config.seed) for t in config.tasks}
        if None in clean.values():
            continue
        write_json(run.folder.config, config.to_dict())
        write_json(
            run.folder.metrics,
            {
                "tasks": {task: _metrics(value) for task, value in clean.items()},
                "parameters": {"frontend": 280, "total": 1000},
                "training_seconds": 10.0 + config.seed,
                "filter_drift": drift or {},
            },
        )
        if in_noise:
            entries = [
                {
                    "noise": dataclasses.asdict(noise),
                    "tasks": {
                        task: _metrics(
                            in_noise(task, config.frontend, config.seed, noise.snr_db)
                        )
                        for task in config.tasks
                    },
                }
                for noise in noises(comparison, run).values()
            ]
            write_json(run.noisy_metrics, entries)


def _metrics(accuracy):
    return {"accuracy": accuracy, "loss": 1.0, "n_examples": 100}
