"""Few filters: runs by their number of filters, each beside the baseline of as many."""

import dataclasses

from benchmarks.suite.conditions import CLEAN, SHIFTS
from benchmarks.suite.results import Key, Results, collect
from benchmarks.suite.tasks import BASELINE, N_FILTERS
from training.comparison.intervals import Estimate, estimate

SHIFTED = "noise and gain"  # a condition: the mean of all those that aren't clean
_SETTING = "n_filters="


def family(frontend):
    """A frontend without its number of filters.

    >>> family("leaf:compression=log:n_filters=8")
    'leaf:compression=log'
    """
    parts = frontend.split(":")
    return ":".join(part for part in parts if not part.startswith(_SETTING))


def number_of_filters(frontend):
    """The number of filters of a frontend.

    >>> number_of_filters("leaf:n_filters=8"), number_of_filters("leaf")
    (8, 40)
    """
    for part in frontend.split(":"):
        if part.startswith(_SETTING):
            return int(part.removeprefix(_SETTING))
    return N_FILTERS


@dataclasses.dataclass(frozen=True)
class ByFilters:
    """The numbers of a suite by number of filters.

    Attributes:
        results: {number of filters: `Results`}, smallest first; frontends by family, in
            the conditions `CLEAN` and `SHIFTED`.
        baseline: The family that the others of as many filters are compared with.

    >>> by_filters([]).numbers
    []
    """

    results: dict[int, Results]
    baseline: str = BASELINE

    @property
    def numbers(self):
        """Numbers of filters, smallest first."""
        return [*self.results]

    @property
    def tasks(self):
        """Names of the tasks, in the order of the suite."""
        widest = sorted(self.results.values(), key=lambda results: -len(results.tasks))
        return [*dict.fromkeys(task for results in widest for task in results.tasks)]

    @property
    def families(self):
        """Names of the families, the baseline first."""
        found = {name for r in self.results.values() for name in r.frontends}
        return sorted(found, key=lambda name: (name != self.baseline, name))

    def score(self, task, name, number, condition):
        """A `Score` of all encoders of a task together, or None without runs.

        Args:
            task, condition: Names.
            name: A family.
            number: Number of filters.
        """
        results = self.results[number]
        if task not in results.tasks:
            return None
        encoder = results.verdict_encoder(task, name)
        return results.scores.get(Key(task, encoder, name, condition))

    @property
    def common_tasks(self):
        """Tasks that every family was run on with every number of filters."""
        return [
            task
            for task in self.tasks
            if all(
                self.score(task, name, number, CLEAN)
                for name in self.families
                for number in self.numbers
            )
        ]

    def mean(self, name, number, condition):
        """(mean accuracy, difference to the baseline) over `common_tasks`.

        The difference is an `Estimate` over the seeds that all of these tasks have: of
        the mean over the tasks; None for the baseline itself.

        Args:
            name, number, condition: See `score`.

        Raises:
            ValueError: There are no common tasks.
        """
        if not self.common_tasks:
            raise ValueError("no task was run by all frontends with all numbers")
        scores, others = (
            [self.score(task, n, number, condition) for task in self.common_tasks]
            for n in (name, self.baseline)
        )
        mean = sum(score.estimate.mean for score in scores) / len(scores)
        if name == self.baseline:
            return mean, None
        return mean, _over_seeds(scores, others)


def _over_seeds(scores, others) -> Estimate | None:
    seeds = set.intersection(*(set(score.values) for score in [*scores, *others]))
    if not seeds:
        return None
    return estimate(
        [
            sum(a.values[seed] - b.values[seed] for a, b in zip(scores, others))
            / len(scores)
            for seed in sorted(seeds)
        ]
    )


def usual(runs):
    """The runs with the suite's number of filters.

    Args:
        runs: `Run`s.

    >>> usual([])
    []
    """
    return [run for run in runs if number_of_filters(run.frontend) == N_FILTERS]


def by_filters(runs, baseline=BASELINE):
    """The numbers of runs by number of filters.

    Families with several numbers of filters, and the baseline, on the tasks that have
    runs with another number than the suite's. Of a task, the encoders and seeds count
    that all of these frontends have: points of one curve are of the same folds.

    Args:
        runs: `Run`s.
        baseline: Family that the others are compared with.

    Returns:
        `ByFilters`; without numbers if no family has several.
    """
    numbers: dict[str, set[int]] = {}
    for run in runs:
        of_family = numbers.setdefault(family(run.frontend), set())
        of_family.add(number_of_filters(run.frontend))
    several = {name for name, found in numbers.items() if len(found) > 1}
    kept: dict[int, list] = {}
    if several:
        chosen = [r for r in runs if family(r.frontend) in several | {baseline}]
        for run in _in_common(chosen):
            kept.setdefault(number_of_filters(run.frontend), []).append(_reduced(run))
    return ByFilters(
        {number: collect(kept[number], baseline) for number in sorted(kept)}, baseline
    )


def _in_common(runs):
    """The runs of encoders and seeds that all frontends of a task have."""
    of_task: dict[str, dict[str, set]] = {}
    for run in runs:
        places = of_task.setdefault(run.task, {}).setdefault(run.frontend, set())
        places.add((run.encoder, run.seed))
    common = {
        task: set.intersection(*of_frontend.values())
        for task, of_frontend in of_task.items()
        if any(number_of_filters(name) != N_FILTERS for name in of_frontend)
    }
    return [run for run in runs if (run.encoder, run.seed) in common.get(run.task, ())]


def _reduced(run):
    """A run under the name of its family, in two conditions."""
    shifts = [run.right[name] for name in map(str, SHIFTS) if name in run.right]
    right = {CLEAN: run.right[CLEAN]}
    if shifts:
        right[SHIFTED] = tuple(sum(counts) / len(shifts) for counts in zip(*shifts))
    return dataclasses.replace(run, frontend=family(run.frontend), right=right)
