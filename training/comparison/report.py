"""The pages of a comparison: results.json, results.csv, report.md, figures."""

import dataclasses
import statistics

from leaf_files.atomic import write_csv, write_json, write_text
from leaf_files.tables import plain_table
from training.comparison import figures
from training.comparison.intervals import CONFIDENCE
from training.comparison.plan import display_name
from training.settings.config import FitConfig
from training.settings.frontends import settings_in_words
from training.tasks.registry import get_task

_ABOUT_DRIFT = {
    "filters": "filters, 0 to 1",
    "center_shift_hz": "centers, Hz",
    "pooling_width_change": "pooling widths, %",
    "alpha_change": "PCEN alpha, %",
    "delta_change": "PCEN delta, %",
    "root_change": "PCEN root, %",
    "smooth_coef_change": "PCEN smooth_coef, %",
}


def write(comparison, results):
    """Writes all pages to the comparison's folder, each atomically.

    >>> from training.comparison.plan import Comparison
    >>> from training.comparison.results import collect
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 3, Path("pair"), "mel")
    >>> write(pair, collect(pair))
    >>> sorted(path.name for path in Path("pair").iterdir())
    ['figures', 'report.md', 'results.csv', 'results.json', 'runs']
    """
    folder = comparison.output
    write_json(folder / "results.json", _to_json(comparison, results))
    _write_csv(folder / "results.csv", results)
    figure_paths = figures.draw(comparison, results, folder / "figures")
    write_text(folder / "report.md", _to_markdown(comparison, results, figure_paths))


def _to_json(comparison, results):
    """All numbers, for `results.json`."""
    return {
        "settings": comparison.settings.to_dict(),
        "frontends": list(comparison.frontends),
        "baseline": comparison.baseline,
        "seeds": list(comparison.seeds),
        "multitask": comparison.multitask,
        "noise_color": comparison.noise_color,
        "confidence": CONFIDENCE,
        "runs": {"finished": results.n_runs, "planned": results.n_planned},
        "scores": [
            {
                "task": score.task,
                "condition": score.condition,
                "metric": score.metric,
                "frontend": score.frontend,
                "values": {str(seed): value for seed, value in score.values.items()},
                **dataclasses.asdict(score.estimate),
                "difference": _difference(score),
            }
            for score in results.scores
        ],
        "costs": [dataclasses.asdict(cost) for cost in results.costs],
    }


def _difference(score):
    if score.difference is None:
        return None
    return {
        **dataclasses.asdict(score.difference),
        "more_than_noise": score.difference.excludes_zero,
        "with_all_counted": score.holds,
    }


def _write_csv(path, results):
    """A row for each task, condition and frontend; fractions, empty where unknown."""
    costs = {(cost.model, cost.frontend): cost for cost in results.costs}
    rows = []
    for score in results.scores:
        row = {
            "task": score.task,
            "condition": score.condition,
            "frontend": score.frontend,
            "metric": score.metric,
            **dataclasses.asdict(score.estimate),
        }
        for name in ("n", "mean", "low", "high", "excludes_zero"):
            value = getattr(score.difference, name, None)
            row[f"difference_{name}"] = value
        row["difference_holds_with_all_counted"] = score.holds
        cost = costs.get((score.task, score.frontend))
        if cost is None and len({model for model, _ in costs}) == 1:  # multitask
            [cost] = [c for (_, name), c in costs.items() if name == score.frontend]
        row["frontend_parameters"] = cost and cost.parameters["frontend"]
        row["total_parameters"] = cost and cost.parameters["total"]
        row["training_seconds"] = cost and cost.seconds.mean
        for name in _ABOUT_DRIFT:
            row[f"drift_{name}"] = cost and cost.drift.get(name)
        rows.append(row)
    write_csv(path, rows)


def scores_in_words(results, run):
    """The scores of one run: "accuracy 84.2 %, at 10 dB 61.0 %".

    >>> from training.comparison.plan import Comparison
    >>> from training.comparison.results import collect
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 3, Path("pair"), "mel")
    >>> scores_in_words(collect(pair), pair.runs[0])
    'accuracy 50.0 %'
    """
    parts = []
    tasks = {display_name(task) for task in run.config.tasks}
    for score in results.scores:
        if score.frontend != run.frontend or score.task not in tasks:
            continue
        value = score.values.get(run.config.seed)
        if value is not None:
            clean = score.condition == "clean"
            measure = score.metric if clean else f"in noise at {score.condition}"
            if len(tasks) > 1:
                measure = f"{score.task} {measure}"
            parts.append(f"{measure} {100 * value:.1f} %")
    return ", ".join(parts)


def findings(comparison, results):
    """Sentences on the differences that are more than noise, by task and condition.

    Returns:
        A list of sentences.

    >>> from training.comparison.plan import Comparison
    >>> from training.comparison.results import collect
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 3, Path("pair"), "mel")
    >>> [sentence] = findings(pair, collect(pair))
    >>> print(sentence)
    On synthetic, the difference to mel is more than noise for leaf (+5.0 points,
    +2.5 to +7.5).
    """
    return [
        _finding(task, condition, scores, comparison)
        for (task, condition), scores in results.conditions.items()
        if len(comparison.frontends) > 1
    ]


def _finding(task, condition, scores, comparison):
    where = f"On {task}" + ("" if condition == "clean" else f" at {condition}")
    baseline = comparison.baseline
    paired = [score for score in scores if score.difference is not None]
    with_interval = [score for score in paired if score.difference.low is not None]
    if not paired:
        return f"{where}: no pair of runs to compare with {baseline} is finished."
    if not with_interval:
        differences = ", ".join(
            f"{score.frontend} {_points(score.difference.mean)}" for score in paired
        )
        return (
            f"{where}, one seed differs from {baseline} by {differences} points; a "
            "single pair can't say whether that is more than noise."
        )
    more = [score for score in with_interval if score.difference.excludes_zero]
    less = [score for score in with_interval if score.difference.excludes_zero is False]
    alike = [score for score in with_interval if score.difference.excludes_zero is None]
    parts = []
    if more:
        parts.append(
            f"the difference to {baseline} is more than noise for {_listed(more)}"
        )
    if more and less:
        parts.append(f"it is not for {_listed(less)}")
    elif less:
        parts.append(f"no difference to {baseline} is more than noise: {_listed(less)}")
    if alike:
        parts.append(
            f"nothing can be said of {_listed(alike)}, as all seeds differ from "
            f"{baseline} by the same"
        )
    return f"{where}, {'; '.join(parts)}."


def _listed(scores):
    parts = [
        f"{score.frontend} ({_points(score.difference.mean)} points, "
        f"{_points(score.difference.low)} to {_points(score.difference.high)})"
        for score in scores
    ]
    return ", ".join(parts)


def _to_markdown(comparison, results, figure_paths):
    """The report, for people.

    Args:
        comparison: A `Comparison`.
        results: Its `Results`.
        figure_paths: {task: path of its figure, relative to the report}.
    """
    lines = ["# Comparison of frontends", "", *_what_was_run(comparison, results)]
    lines += ["", "## Findings", ""]
    lines += [f"- {sentence}" for sentence in findings(comparison, results)]
    lines += ["", *_what_it_can_show(results)]
    for task in dict.fromkeys(score.task for score in results.scores):
        lines += ["", f"## {task}", ""]
        for (name, condition), scores in results.conditions.items():
            if name == task:
                lines += [*_score_table(condition, scores, comparison), ""]
        if task in figure_paths:
            lines += [f"![{task}]({figure_paths[task]})"]
    lines += ["", "## Cost and drift", "", *_cost_tables(comparison, results)]
    return "\n".join(lines) + "\n"


def _what_was_run(comparison, results):
    settings = comparison.settings
    seeds = comparison.seeds
    defaults = FitConfig(settings.task).to_dict()
    changed = {
        name: value
        for name, value in settings.to_dict().items()
        if value != defaults[name]
        and name not in ("task", "frontend", "seed", "data_dir")
    }
    listed = ", ".join(f"{name} {_plain(value)}" for name, value in changed.items())
    lines = [
        f"{results.n_runs} of {results.n_planned} runs are finished"
        + ("." if results.n_runs == results.n_planned else "; numbers are of these."),
        "",
        f"- Frontends: {', '.join(comparison.frontends)}; each is compared with "
        f"{comparison.baseline}.",
        f"- Seeds: {', '.join(map(str, seeds))}. Runs with the same seed have the same "
        "split, and are a pair.",
        "- Settings: "
        + (f"{listed}; others are" if listed else "all are")
        + " `fit`'s "
        "defaults.",
    ]
    if comparison.snrs_db:
        levels = ", ".join(f"{snr:g}" for snr in comparison.snrs_db)
        lines.append(
            f"- Noise: the same models were tested with {comparison.noise_color} noise "
            f"added to the test clips at {levels} dB; they were trained "
            + f"{_noise_in_words(settings)}."
        )
    if comparison.multitask:
        lines.append("- One model learns all tasks, with a head for each.")
    for name in settings.tasks:
        lines.append(
            f"- {display_name(name)}: {_split_in_words(get_task(name, settings))}."
        )
    return lines


def _noise_in_words(settings):
    """The noise of training, "with white noise at 5 to 30 dB"."""
    kinds = []
    if settings.noise_snr:
        kinds.append(("white noise", settings.noise_snr))
    if settings.noise_dir:
        kinds.append(("noise of a folder", settings.noise_dir_snr))
    noises = [f"{what} at {low:g} to {high:g} dB" for what, (low, high) in kinds]
    return f"with {' and '.join(noises)}" if noises else "without noise"


def _split_in_words(task):
    """The split of a task's clips, and the meaning of an interval over its seeds."""
    splitting = task.splitting
    if splitting and splitting.folds is not None:
        return f"{splitting.in_words}. {_of_folds(splitting.fold)}"
    if getattr(task, "group_pattern", None) and not splitting:
        return (
            f"{task.split_rule}. Seeds are speakers here: an interval covers "
            "speakers like these. More seeds than there are speakers repeat them"
        )
    if getattr(task, "splits", None):
        return (
            f"{task.split_rule}. All seeds are tested on the same clips: an interval "
            "covers the variation of training, not that of clips"
        )
    rule = splitting.in_words if splitting else task.split_rule
    return (
        f"{rule}. Each seed splits anew; clips come back in the splits of other seeds, "
        "so runs are not independent and intervals somewhat too narrow"
    )


def _of_folds(fold):
    if fold is not None:
        return (
            "All seeds are tested on the same clips: an interval tells how training "
            "varies, not how other clips would do"
        )
    return (
        "Each seed tests the next fold: an interval tells of other clips or groups "
        "like these. More seeds than there are folds repeat them"
    )


def _what_it_can_show(results):
    lines = [
        f"An interval is that of Student's t at {CONFIDENCE:.0%}, over seeds. A "
        "difference is taken between runs with the same seed; it is called more than "
        "noise where the interval excludes 0.",
    ]
    differences = [s.difference for s in results.scores if s.difference is not None]
    margins = [d.margin for d in differences if d.margin is not None]
    if not margins:
        return [*lines, "One seed shows no interval: name at least 2 by --seeds."]
    n = max(difference.n for difference in differences)
    lines.append(
        f"What {n} seeds can show: half of the intervals of a difference here are "
        f"wider than +-{100 * statistics.median(margins):.1f} points, so a difference "
        "of that size may well exist where none was detected."
    )
    if n == 2:
        lines.append(
            "Two seeds are too few to rely on: two differences that happen to be alike "
            "make a narrow interval."
        )
    if len(margins) > 1:
        lines.append(
            f"With {len(margins)} differences looked at, "
            f"{len(margins) * (1 - CONFIDENCE):.1f} would seem more than noise by "
            'chance alone; "yes, all counted" holds with that allowed for '
            "(Bonferroni)."
        )
    return lines


def _score_table(condition, scores, comparison):
    metric = scores[0].metric
    where = "Clean" if condition == "clean" else f"At {condition}"
    rows = []
    for score in sorted(scores, key=lambda score: -score.estimate.mean):
        rows.append(
            (
                score.frontend,
                f"{len(score.values)}",
                _with_margin(score.estimate),
                *_difference_cells(score, comparison.baseline),
            )
        )
    head = (
        f"{where}",
        "seeds",
        f"{metric}, %",
        f"minus {comparison.baseline}, points",
        "interval",
        "more than noise",
    )
    return list(plain_table(head, rows))


def _difference_cells(score, baseline):
    if score.frontend == baseline:
        return "", "", ""
    difference = score.difference
    if difference is None or difference.low is None:
        mean = "" if difference is None else _points(difference.mean)
        return mean, "", "unknown"
    verdict = {True: "yes", False: "no", None: "unknown"}[difference.excludes_zero]
    if difference.excludes_zero and score.holds:
        verdict = "yes, all counted"
    interval = f"{_points(difference.low)} to {_points(difference.high)}"
    return _points(difference.mean), interval, verdict


def _cost_tables(comparison, results):
    lines = []
    at_once = f", {comparison.jobs} runs at once" if comparison.jobs > 1 else ""
    for model in dict.fromkeys(cost.model for cost in results.costs):
        costs = [cost for cost in results.costs if cost.model == model]
        columns = [
            name for name in _ABOUT_DRIFT if any(name in cost.drift for cost in costs)
        ]
        head = (
            model,
            "parameters of the frontend",
            "of all",
            "training, s",
            *(_ABOUT_DRIFT[name] for name in columns),
        )
        rows = [
            (
                cost.frontend,
                f"{cost.parameters['frontend']:,}",
                f"{cost.parameters['total']:,}",
                _seconds(cost.seconds),
                *(_drift(name, cost.drift.get(name)) for name in columns),
            )
            for cost in costs
        ]
        lines += [*plain_table(head, rows), ""]
    lines.append(
        f"Training times are of this machine{at_once}, and of all that ran beside. "
        "Drift is the mean over filters and runs of how far training moved them: "
        "filters from 0, unmoved, to 1, no overlap with what they were; the others "
        "relative to the start."
    )
    return lines


def _drift(name, value):
    if value is None:
        return ""
    return (
        f"{value:.2g}"
        if name in ("filters", "center_shift_hz")
        else (f"{100 * value:.2g}")
    )


def _seconds(estimate):
    margin = "" if estimate.margin is None else f" +- {estimate.margin:.0f}"
    return f"{estimate.mean:.0f}{margin}"


def _with_margin(estimate):
    mean = f"{100 * estimate.mean:.1f}"
    return mean if estimate.margin is None else f"{mean} +- {100 * estimate.margin:.1f}"


def _points(value):
    """Percentage points with their sign, "+1.2"; 0 has none."""
    rounded = round(100 * value, 1)
    return f"{rounded:+.1f}" if rounded else "0.0"


def _plain(value):
    if isinstance(value, dict):
        return ",".join(settings_in_words(value))
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
