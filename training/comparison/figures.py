"""Pictures of a comparison: scores of all runs, and differences to the baseline."""

import re

from matplotlib.figure import Figure

from files.atomic import replacing

_DPI = 120
_RUN, _MEAN, _CERTAIN = "#9aa5b1", "#0f766e", "#c2410c"


def draw(comparison, results, folder):
    """Draws a figure a task.

    Returns:
        {task: path of its PNG file, relative to the folder's parent}.
    """
    drawn = {}
    for task in dict.fromkeys(score.task for score in results.scores):
        rows = {
            condition: scores
            for (name, condition), scores in results.conditions.items()
            if name == task
        }
        name = re.sub(r"\W+", "_", task).strip("_") + ".png"
        with replacing(folder / name) as temporary:
            _figure(task, rows, comparison.baseline).savefig(temporary, dpi=_DPI)
        drawn[task] = f"{folder.name}/{name}"
    return drawn


def _figure(task, rows, baseline):
    """Axes for scores on the left, for differences on the right; a row a condition."""
    n_frontends = max(map(len, rows.values()))
    figure = Figure(
        figsize=(10, len(rows) * (1.1 + 0.32 * n_frontends)), layout="constrained"
    )
    axes = figure.subplots(len(rows), 2, squeeze=False)
    for (left, right), (condition, scores) in zip(axes, rows.items()):
        where = "clean" if condition == "clean" else f"in noise at {condition}"
        _draw_scores(left, scores)
        left.set(title=_verbatim(f"{task}, {where}"))
        _draw_differences(right, scores)
        right.set(title=f"Difference to {baseline}")
    return figure


def _draw_scores(axes, scores):
    for place, score in enumerate(scores):
        values = [100 * value for value in score.values.values()]
        axes.plot(values, [place] * len(values), "o", color=_RUN, ms=4, alpha=0.7)
        _draw_estimate(axes, place, score.estimate, _MEAN)
    axes.set(xlabel=f"{scores[0].metric}, %; dots are runs, bars 95 % intervals")
    _name_rows(axes, scores)


def _draw_differences(axes, scores):
    axes.axvline(0, color="black", linewidth=0.8)
    for place, score in enumerate(scores):
        if score.difference is not None:
            color = _CERTAIN if score.difference.excludes_zero else _RUN
            _draw_estimate(axes, place, score.difference, color)
    axes.set(xlabel="points; coloured where the interval excludes 0")
    _name_rows(axes, scores)


def _draw_estimate(axes, place, estimate, color):
    margin = None if estimate.margin is None else 100 * estimate.margin
    axes.errorbar(
        100 * estimate.mean, place, xerr=margin, fmt="D", ms=5, capsize=3, color=color
    )


def _name_rows(axes, scores):
    axes.set_yticks(range(len(scores)), [score.frontend for score in scores])
    axes.set_ylim(len(scores) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)


def _verbatim(text):
    """As matplotlib shows it as it is: two dollars would mean a formula."""
    return text.replace("$", r"\$")
