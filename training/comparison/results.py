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
        condition: "clean", or "10 dB": in noise of that level.
        metric: "accuracy" or "mAP".
        frontend: Name of the frontend.
        values: {seed: score} of the finished runs, from 0 to 1.
        difference: `Estimate` of score minus the baseline's score with the same
            seed; None where there is no such pair.
        holds: Whether the interval still excludes 0 when it is widened so that all
            differences of the comparison together have the confidence of one
            (Bonferroni); None without an interval.
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
        n_runs, n_planned: Numbers of finished runs and of all.
        scores: A list of `Score`.
        costs: A list of `Cost`.
    """

    n_runs: int
    n_planned: int
    scores: list[Score]
    costs: list[Cost]

    @property
    def conditions(self):
        """{(task, condition): its scores}, in order."""
        by_condition = collections.defaultdict(list)
        for score in self.scores:
            by_condition[score.task, score.condition].append(score)
        return dict(by_condition)


def noises(comparison, run):
    """{condition: `Noise`} in which a run is tested."""
    return {
        f"{snr:g} dB": Noise(snr, comparison.noise_color, run.config.seed)
        for snr in comparison.snrs_db
    }


def is_complete(comparison, run):
    """Whether a run is finished, and tested in all noises."""
    known = read_noisy_metrics(run.noisy_metrics)
    return run.folder.metrics.exists() and all(
        noise in known for noise in noises(comparison, run).values()
    )


def collect(comparison):
    """The `Results` of the complete runs of a comparison.

    Raises:
        UserError: None is, a file of theirs is damaged, or they are of different data.
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
        known = read_noisy_metrics(run.noisy_metrics)
        clean = read_json(run.folder.metrics)
        return {
            CLEAN: clean,
            **{name: known[noise] for name, noise in noises(comparison, run).items()},
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
            for task, of_task in metrics["tasks"].items():
                metric = next(name for name in _JUDGES if name in of_task)
                key = display_name(task), condition, metric, run.config.frontend
                if of_task[metric] is not None:
                    values[key][run.config.seed] = of_task[metric]
    scores = [Score(*key, of_seeds) for key, of_seeds in values.items()]
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
    for key, of_tasks in groups.items():
        seeds = sorted(set.intersection(*map(set, of_tasks)))
        if seeds and len(of_tasks) == n_tasks:
            means = {
                seed: statistics.fmean(v[seed] for v in of_tasks) for seed in seeds
            }
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
        others = baselines.get((score.task, score.condition), {})
        seeds = sorted(score.values.keys() & others.keys())
        if seeds and score.frontend != baseline:
            pairs[index] = [score.values[seed] - others[seed] for seed in seeds]
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
        groups[run.config.task, run.config.frontend].append(conditions[CLEAN])
    costs = []
    for task in comparison.models:
        for frontend in comparison.frontends:
            of_runs = groups[task, frontend]
            if of_runs:
                seconds = [metrics["training_seconds"] for metrics in of_runs]
                drifts = [metrics.get("filter_drift", {}) for metrics in of_runs]
                costs.append(
                    Cost(
                        ", ".join(map(display_name, task.split(","))),
                        frontend,
                        of_runs[0]["parameters"],
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
