"""Figures of a comparison: scores of all runs, and differences to the baseline."""

import re

import numpy as np
from matplotlib.figure import Figure

from leaf_files.figures import RUST, SILVER, TEAL, save_figure

_RUN, _MEAN, _CERTAIN = SILVER, TEAL, RUST
# Ranges of scores, in percent, and of their differences, in points.
_SCORES, _DIFFERENCES = (0.0, 100.0), (-100.0, 100.0)


def draw(comparison, results, folder):
    """Draws one figure a task.

    Returns:
        {task: path of its PNG file, relative to the folder's parent}.

    >>> from training.comparison.plan import Comparison
    >>> from training.comparison.results import collect
    >>> from training.settings.config import FitConfig
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 3, Path("pair"), "mel")
    >>> draw(pair, collect(pair), Path("figures"))
    {'synthetic': 'figures/synthetic.png'}
    """
    paths = {}
    for task in dict.fromkeys(score.task for score in results.scores):
        rows = {
            condition: scores
            for (name, condition), scores in results.conditions.items()
            if name == task
        }
        name = re.sub(r"\W+", "_", task).strip("_") + ".png"
        save_figure(_figure(task, rows, comparison.baseline), folder / name)
        paths[task] = f"{folder.name}/{name}"
    return paths


def _figure(task, rows, baseline):
    """A figure of one row a condition: scores on the left, differences on the right."""
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
        axes.plot(
            *(values, [place] * len(values), "o"),
            **{"color": _RUN, "ms": 4, "alpha": 0.7, "clip_on": False},
        )
    estimates = {place: (s.estimate, _MEAN) for place, s in enumerate(scores)}
    note_on_cuts = _draw_estimates(axes, estimates, _SCORES)
    about = f"dots are runs, bars 95 % intervals{note_on_cuts}"
    axes.set(xlabel=f"{scores[0].metric}, %; {about}")
    _name_rows(axes, scores)


def _draw_differences(axes, scores):
    axes.axvline(0, color="black", linewidth=0.8)
    estimates = {
        place: (s.difference, _CERTAIN if s.difference.excludes_zero else _RUN)
        for place, s in enumerate(scores)
        if s.difference is not None
    }
    note_on_cuts = _draw_estimates(axes, estimates, _DIFFERENCES)
    axes.set(xlabel=f"points; coloured where the interval excludes 0{note_on_cuts}")
    _name_rows(axes, scores)


def _draw_estimates(axes, estimates, possible):
    """Draws means and their intervals, cut to the range of possible values.

    Args:
        axes: Axes of scores or differences.
        estimates: {row: (`Estimate`, color)}.
        possible: (lowest, highest) possible value.

    Returns:
        Text for the axis label if intervals are cut, else "".
    """
    is_cut = False
    for place, (estimate, color) in estimates.items():
        mark = {"color": color, "clip_on": False}
        axes.plot(100 * estimate.mean, place, "D", ms=5, **mark)
        if estimate.low is None:
            continue
        ends = [100 * estimate.low, 100 * estimate.high]
        shown = np.clip(ends, *possible)
        axes.plot(shown, [place, place], **mark)
        for end, limit, arrow in zip(ends, shown, "<>"):
            is_cut |= end != limit
            axes.plot(limit, place, "|" if end == limit else arrow, ms=7, **mark)
    left, right = axes.get_xlim()
    axes.set_xlim(max(left, possible[0]), min(right, possible[1]))
    return "\narrows: the interval goes on" if is_cut else ""


def _name_rows(axes, scores):
    axes.set_yticks(range(len(scores)), [score.frontend for score in scores])
    axes.set_ylim(len(scores) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)


def _verbatim(text):
    """Text with its dollars escaped: between two, matplotlib reads a formula."""
    return text.replace("$", r"\$")
