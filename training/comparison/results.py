"""The numbers of a comparison, from its run folders."""

import collections
import dataclasses
import statistics

from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from training.comparison.data import require_one_data
from training.comparison.intervals import CONFIDENCE, Estimate, estimate
from training.comparison.job import read_noisy_metrics
from training.comparison.plan import display_name
from training.evaluation.noise import Noise

CLEAN = "clean"
_JUDGES = ("accuracy", "mAP")  # main metrics of tasks, in `metrics.json`


@dataclasses.dataclass(frozen=True)
class Score:
    """The score of a frontend on the test clips of a task, over seeds.

    Attributes:
        task: Name of the task, for people.
        condition: "clean", or the level of the noise, such as "10 dB".
        metric: "accuracy" or "mAP".
        frontend: Name of the frontend.
        values: {seed: score} of the finished runs, from 0 to 1.
        difference: `Estimate` of score minus the baseline's score with the same
            seed; None where there is no such pair.
        holds: Whether the interval still excludes 0 when it is widened so that all
            differences of the comparison together have the confidence of one
            (Bonferroni); None without an interval.

    >>> score = Score("synthetic", "clean", "accuracy", "leaf", {0: 0.5, 1: 0.7})
    >>> round(score.estimate.mean, 3)
    0.6
    """

    task: str
    condition: str
    metric: str
    frontend: str
    values: dict[int, float]
    difference: Estimate | None = None
    holds: bool | None = None

    @property
    def estimate(self):
        """The `Estimate` of the mean score."""
        return estimate(list(self.values.values()))


@dataclasses.dataclass(frozen=True)
class Cost:
    """The cost of a frontend and its drift in training, over the seeds of a model.

    Attributes:
        model: Tasks of the model, for people.
        frontend: Name of the frontend.
        parameters: {"frontend": ..., "total": ...}.
        seconds: `Estimate` of the training time.
        drift: {name: mean over the runs} of the numbers of
            `leaf_tf.visualize.Drift` that the frontend has.

    >>> seconds = estimate([10.0, 11.0, 12.0])
    >>> cost = Cost("synthetic", "leaf", {"frontend": 280, "total": 1000}, seconds, {})
    >>> cost.seconds.mean
    11.0
    """

    model: str
    frontend: str
    parameters: dict[str, int]
    seconds: Estimate
    drift: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Results:
    """The numbers of a comparison.

    Attributes:
        n_runs, n_planned: Numbers of complete runs and of all runs.
        scores: A list of `Score`.
        costs: A list of `Cost`.

    >>> score = Score("synthetic", "clean", "accuracy", "leaf", {0: 0.5, 1: 0.7})
    >>> list(Results(2, 2, [score], []).conditions)
    [('synthetic', 'clean')]
    """

    n_runs: int
    n_planned: int
    scores: list[Score]
    costs: list[Cost]

    @property
    def conditions(self):
        """{(task, condition): scores}, in order."""
        by_condition = collections.defaultdict(list)
        for score in self.scores:
            by_condition[score.task, score.condition].append(score)
        return dict(by_condition)


def noises(comparison, run):
    """{condition: `Noise`} in which a run is tested.

    >>> from training.comparison.plan import Comparison
    >>> from training.settings.config import FitConfig
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 1, Path("p"), "mel", snrs_db=(5,))
    >>> noises(pair, pair.runs[0])
    {'5 dB': Noise(snr_db=5, color='pink', seed=0)}
    """
    return {
        f"{snr:g} dB": Noise(snr, comparison.noise_color, run.config.seed)
        for snr in comparison.snrs_db
    }


def is_complete(comparison, run):
    """Whether a run is finished, and tested in all noises.

    >>> from training.comparison.plan import Comparison
    >>> from training.settings.config import FitConfig
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 3, Path("pair"), "mel")
    >>> is_complete(pair, pair.runs[0])
    True
    """
    metrics_of = read_noisy_metrics(run.noisy_metrics)
    return run.folder.metrics.exists() and all(
        noise in metrics_of for noise in noises(comparison, run).values()
    )


def collect(comparison):
    """The `Results` of the complete runs of a comparison.

    Raises:
        UserError: No run is complete, a file is damaged, or runs differ in their data.

    >>> from training.comparison.plan import Comparison
    >>> from training.settings.config import FitConfig
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 3, Path("pair"), "mel")
    >>> [f"{s.frontend} {s.estimate.mean:.2f}" for s in collect(pair).scores]
    ['mel 0.60', 'leaf 0.65']
    """
    finished = {
        run: _read(comparison, run)
        for run in comparison.runs
        if is_complete(comparison, run)
    }
    if not finished:
        raise UserError(f"no run in {comparison.output} is finished yet")
    require_one_data(comparison.runs)
    return Results(
        len(finished),
        len(comparison.runs),
        _compared(_scores(finished, comparison), comparison.baseline),
        _costs(finished, comparison),
    )


def _read(comparison, run):
    """{condition: metrics} of a finished run."""
    try:
        metrics_of = read_noisy_metrics(run.noisy_metrics)
        clean = read_json(run.folder.metrics)
        return {
            CLEAN: clean,
            **{
                name: metrics_of[noise]
                for name, noise in noises(comparison, run).items()
            },
        }
    except (ValueError, KeyError) as error:
        raise UserError(
            f"cannot read the metrics in {run.folder.path}: {error!r}; remove the "
            "folder to have it trained again"
        ) from error


def _scores(finished, comparison):
    """A `Score` of each task, condition and frontend, with its values."""
    values: dict[tuple[str, str, str, str], dict[int, float]]
    values = collections.defaultdict(dict)
    for run, conditions in finished.items():
        for condition, metrics in conditions.items():
            for task, task_metrics in metrics["tasks"].items():
                metric = next(name for name in _JUDGES if name in task_metrics)
                key = display_name(task), condition, metric, run.frontend
                if task_metrics[metric] is not None:
                    values[key][run.config.seed] = task_metrics[metric]
    scores = [Score(*key, by_seed) for key, by_seed in values.items()]
    scores += _averages(scores)
    tasks = list(dict.fromkeys(score.task for score in scores))
    conditions = [CLEAN, *(f"{snr:g} dB" for snr in comparison.snrs_db)]
    return sorted(
        scores,
        key=lambda score: (
            tasks.index(score.task),
            conditions.index(score.condition),
            comparison.frontends.index(score.frontend),
        ),
    )


def _averages(scores):
    """Scores of the mean over several tasks, if they have the same metric."""
    n_tasks = len({score.task for score in scores})
    if n_tasks < 2 or len({score.metric for score in scores}) > 1:
        return []
    groups = collections.defaultdict(list)
    for score in scores:
        groups[score.condition, score.metric, score.frontend].append(score.values)
    averages = []
    for key, by_task in groups.items():
        seeds = sorted(set.intersection(*map(set, by_task)))
        if seeds and len(by_task) == n_tasks:
            means = {seed: statistics.fmean(v[seed] for v in by_task) for seed in seeds}
            averages.append(Score(f"mean of {n_tasks} tasks", *key, means))
    return averages


def _compared(scores, baseline):
    """The scores with their differences to the baseline."""
    baselines = {
        (score.task, score.condition): score.values
        for score in scores
        if score.frontend == baseline
    }
    pairs = {}
    for index, score in enumerate(scores):
        baseline_values = baselines.get((score.task, score.condition), {})
        seeds = sorted(score.values.keys() & baseline_values.keys())
        if seeds and score.frontend != baseline:
            pairs[index] = [
                score.values[seed] - baseline_values[seed] for seed in seeds
            ]
    strict = 1 - (1 - CONFIDENCE) / max(1, len(pairs))
    return [
        dataclasses.replace(
            score,
            difference=estimate(pairs[index]),
            holds=estimate(pairs[index], strict).excludes_zero,
        )
        if index in pairs
        else score
        for index, score in enumerate(scores)
    ]


def _costs(finished, comparison):
    groups = collections.defaultdict(list)
    for run, conditions in finished.items():
        groups[run.config.task, run.frontend].append(conditions[CLEAN])
    costs = []
    for task in comparison.models:
        for frontend in comparison.frontends:
            run_metrics = groups[task, frontend]
            if run_metrics:
                seconds = [metrics["training_seconds"] for metrics in run_metrics]
                drifts = [metrics.get("filter_drift", {}) for metrics in run_metrics]
                costs.append(
                    Cost(
                        ", ".join(map(display_name, task.split(","))),
                        frontend,
                        run_metrics[0]["parameters"],
                        estimate(seconds),
                        _means(drifts),
                    )
                )
    return costs


def _means(records):
    """{name: mean} over the names that all records have."""
    return {
        name: statistics.fmean(record[name] for record in records)
        for name in records[0]
        if all(record.get(name) is not None for record in records)
    }
