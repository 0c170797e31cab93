"""Numbers from the files of runs: accuracies, and differences to a baseline."""

import dataclasses
from typing import NamedTuple

import numpy as np

from benchmarks.suite.conditions import BUDGETS, CONDITIONS, SHIFTS, budget_name
from benchmarks.suite.statistics import (
    Difference,
    effective_number,
    paired_difference,
)
from benchmarks.suite.tasks import BASELINE, TASKS
from training.comparison.intervals import CONFIDENCE, Estimate, estimate

ALL_ENCODERS = "all"  # their runs of a seed taken together
TRAINING = "training"  # a condition: windows of training at the end
LEAST_SEEDS = 5  # fewer tell nothing of correlations
# The conditions that a verdict is on.
JUDGED = (
    *(budget_name(percent) for percent in BUDGETS if percent >= 10),
    *map(str, SHIFTS),
)


class Key(NamedTuple):
    """The place of a number: Key("drums", "small", "leaf", "clean").

    >>> Key("drums", "small", "leaf", "clean").frontend
    'leaf'
    """

    task: str
    encoder: str
    frontend: str
    condition: str


@dataclasses.dataclass(frozen=True)
class Score:
    """The accuracy of a frontend in a condition, and its difference to the baseline.

    Attributes:
        values: {seed: accuracy}.
        difference: `Difference`, of the seeds that both have; None for the baseline
            itself, and where there is no pair.
        corrected: The same with intervals for all differences counted.

    >>> Score({0: 0.5, 1: 0.75}).estimate.mean
    0.625
    """

    values: dict[int, float]
    difference: Difference | None = None
    corrected: Difference | None = None

    @property
    def estimate(self) -> Estimate:
        """Mean of the accuracies."""
        return estimate([*self.values.values()])

    @property
    def holds(self) -> bool:
        """Whether the difference excludes 0 with all differences counted."""
        return self.corrected is not None and self.corrected.excludes_zero


@dataclasses.dataclass(frozen=True)
class Results:
    """The numbers of a suite.

    Attributes:
        runs: The `Run`s.
        scores: {`Key`: `Score`}.
        n_differences: Number of differences that a verdict is on.
        n_effective: Number of independent ones that they amount to.
        baseline: The frontend that the others are compared with.

    >>> from benchmarks.suite.runs import Run
    >>> runs = [
    ...     Run.made_up("drums", "mel", 0, {"kit": (3, 10)}),
    ...     Run.made_up("drums", "leaf", 0, {"kit": (4, 10)}),
    ... ]
    >>> results = collect(runs)
    >>> results.tasks, results.frontends, results.encoders("drums")
    (['drums'], ['mel', 'leaf'], ['small'])
    """

    runs: list
    scores: dict[Key, Score]
    n_differences: int
    n_effective: float
    baseline: str = BASELINE

    @property
    def on(self):
        """The split that was tested, test or validation."""
        return self.runs[0].on

    @property
    def tasks(self):
        """Names of the tasks, in the order of the suite."""
        found = {run.task for run in self.runs}
        known = [task.name for task in TASKS if task.name in found]
        return known + sorted(found - {*known})

    @property
    def frontends(self):
        """Names of the frontends, the baseline first, then mel."""
        return sorted(
            {run.frontend for run in self.runs},
            key=lambda name: (name != self.baseline, name != BASELINE, name),
        )

    @property
    def others(self):
        """Names of the frontends that are compared with the baseline."""
        return [name for name in self.frontends if name != self.baseline]

    def encoders(self, task):
        """Names of the encoders of a task; of several, also `ALL_ENCODERS`."""
        names = sorted(
            {key.encoder for key in self.scores if key.task == task},
            key=lambda name: (name == ALL_ENCODERS, name != "small", name),
        )
        return names

    def verdict_encoder(self, task, frontend):
        """The one that a verdict on a frontend is from: that with most seeds.

        All together, `ALL_ENCODERS`, if no encoder alone has more of them.
        """
        n_seeds = dict.fromkeys(reversed(self.encoders(task)), 0)
        for key, score in self.scores.items():
            if (key.task, key.frontend) == (task, frontend):
                difference = score.difference
                pairs = difference.by_seeds.n if difference else 0
                n = pairs if frontend in self.others else len(score.values)
                n_seeds[key.encoder] = max(n_seeds[key.encoder], n)
        return max(n_seeds, key=lambda encoder: n_seeds[encoder])


def collect(runs, baseline=BASELINE):
    """The numbers of some runs.

    Args:
        runs: `Run`s.
        baseline: The frontend that the others are compared with.

    Returns:
        `Results`.

    >>> from benchmarks.suite.runs import Run
    >>> pairs = [
    ...     Run.made_up("drums", name, seed, {"kit": (right, 10)})
    ...     for name, right in (("mel", 5), ("leaf", 7))
    ...     for seed in range(3)
    ... ]
    >>> score = collect(pairs).scores[Key("drums", "small", "leaf", "clean")]
    >>> f"{score.difference.mean:.2f}"
    '0.20'
    """
    counts, training = _counts(runs)
    n_differences, n_effective = _number_of_tests(counts, baseline)
    confidence = 1 - (1 - CONFIDENCE) / max(1.0, n_effective)
    scores = {}
    for key, by_seed in counts.items():
        values = {seed: _share(units) for seed, units in sorted(by_seed.items())}
        pairs = _pairs(counts, key, baseline)
        if key.frontend == baseline or not pairs:
            scores[key] = Score(values)
        else:
            scores[key] = Score(
                values, paired_difference(pairs), paired_difference(pairs, confidence)
            )
    for key, by_seed in training.items():
        scores[key] = Score(dict(sorted(by_seed.items())))
    return Results(runs, scores, n_differences, n_effective, baseline)


def _counts(runs):
    """{key: {seed: {unit: (right, n)}}}, and {key: {seed: accuracy in training}}."""
    counts: dict[Key, dict[int, dict]] = {}
    training: dict[Key, dict[int, float]] = {}
    for run in runs:
        place = (run.task, run.encoder, run.frontend)
        for condition, right in run.right.items():
            of_units = dict(zip(run.units, zip(right, run.n)))
            counts.setdefault(Key(*place, condition), {})[run.seed] = of_units
        seen = training.setdefault(Key(*place, TRAINING), {})
        seen[run.seed] = run.accuracy[-1]
    encoders: dict[str, set[str]] = {}
    for run in runs:
        encoders.setdefault(run.task, set()).add(run.encoder)
    for key in [*counts]:
        of_task = sorted(encoders[key.task])
        if len(of_task) < 2 or key.encoder != of_task[0]:
            continue
        parts = [counts.get(key._replace(encoder=name), {}) for name in of_task]
        seeds = set.intersection(*map(set, parts))
        if seeds:
            counts[key._replace(encoder=ALL_ENCODERS)] = {
                seed: _sum([part[seed] for part in parts]) for seed in seeds
            }
    order = {name: n for n, name in enumerate(CONDITIONS)}
    keys = sorted(counts, key=lambda key: order.get(key.condition, len(order)))
    return {key: counts[key] for key in keys}, training


def _sum(parts):
    return {
        unit: tuple(map(sum, zip(*(part[unit] for part in parts)))) for unit in parts[0]
    }


def _share(units):
    right, n = map(sum, zip(*units.values()))
    return right / n


def _pairs(counts, key, baseline):
    mine, others = counts[key], counts.get(key._replace(frontend=baseline), {})
    return [(mine[seed], others[seed]) for seed in sorted({*mine} & {*others})]


def _number_of_tests(counts, baseline):
    """(differences that a verdict is on, independent ones that they amount to).

    Differences of one task are correlated, over the seeds that all of them have; those
    of two tasks count as independent.
    """
    by_task: dict[str, list[dict[int, float]]] = {}
    for key, by_seed in counts.items():
        if (
            key.frontend == baseline
            or key.encoder == ALL_ENCODERS
            or key.condition not in JUDGED
        ):
            continue
        others = counts.get(key._replace(frontend=baseline), {})
        seeds = {*by_seed} & {*others}
        if seeds:
            by_task.setdefault(key.task, []).append(
                {s: _share(by_seed[s]) - _share(others[s]) for s in seeds}
            )
    effective = 0.0
    for tests in by_task.values():
        common = sorted(set.intersection(*map(set, tests)))
        if len(common) < LEAST_SEEDS:
            effective += len(tests)
        else:
            values = np.array([[test[seed] for seed in common] for test in tests])
            effective += effective_number(values)
    return sum(map(len, by_task.values())), effective
