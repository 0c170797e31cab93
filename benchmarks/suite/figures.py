"""Figures of a suite: accuracy against steps, and differences to mel."""

import math
import statistics

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from benchmarks.suite.conditions import BUDGETS, budget_name
from benchmarks.suite.results import ALL_ENCODERS, JUDGED, Key
from leaf_files.figures import (
    AMBER,
    BLUE,
    GREY,
    RUST,
    SLATE,
    TEAL,
    VIOLET,
    save_figure,
)

_COLORS = (TEAL, RUST, VIOLET, BLUE, AMBER, GREY)
_MARKS = "osD^vP"
_COLUMNS = 4


def draw(results, folder):
    """Draws a figure a task, and one of all differences.

    Args:
        results: `Results`.
        folder: Folder of the PNG files, a Path.

    Returns:
        {task: path of its file, relative to the folder's parent}; that of the
        differences is under "".
    """
    paths = {}
    for task in results.tasks:
        save_figure(steps_figure(results, task), folder / f"{task}.png")
        paths[task] = f"{folder.name}/{task}.png"
    if any(score.difference for score in results.scores.values()):
        save_figure(differences_figure(results), folder / "differences.png")
        paths[""] = f"{folder.name}/differences.png"
    return paths


def steps_figure(results, task):
    """Accuracy against steps, a column an encoder.

    Args:
        results: `Results`.
        task: Name of a task.

    Returns:
        matplotlib.figure.Figure.
    """
    encoders = [name for name in results.encoders(task) if name != ALL_ENCODERS]
    steps = next(run.settings["steps"] for run in results.runs if run.task == task)
    figure = Figure(figsize=(1 + 4.2 * len(encoders), 4), layout="constrained")
    all_axes = figure.subplots(1, len(encoders), sharey=True, squeeze=False)[0]
    places = [steps * percent / 100 for percent in BUDGETS]
    for axes, encoder in zip(all_axes, encoders):
        for frontend in results.frontends:
            scores = [
                results.scores.get(Key(task, encoder, frontend, budget_name(percent)))
                for percent in BUDGETS
            ]
            if all(scores):
                _draw_curve(axes, places, scores, frontend, results)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(places))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.grid(alpha=0.3)
        axes.set(title=f"{task}, encoder {encoder}", xlabel="steps")
    all_axes[0].set(ylabel=f"accuracy on {results.on} clips, %")
    all_axes[-1].legend(title="mean +- standard error", fontsize="small")
    return figure


def _draw_curve(axes, places, scores, frontend, results):
    means = [100 * score.estimate.mean for score in scores]
    errors = [standard_error(score) for score in scores]
    style = _style(results, frontend)
    axes.plot(places, means, **style, label=frontend, markersize=4)
    axes.fill_between(
        places,
        [mean - error for mean, error in zip(means, errors)],
        [mean + error for mean, error in zip(means, errors)],
        color=style["color"],
        alpha=0.15,
        linewidth=0,
    )


def standard_error(score):
    """Standard error over the seeds of the accuracy of a `Score`, in points."""
    values = [*score.values.values()]
    if len(values) < 2:
        return 0.0
    return 100 * statistics.stdev(values) / math.sqrt(len(values))


def differences_figure(results):
    """Differences to mel with their intervals, a panel a task.

    Args:
        results: `Results`.

    Returns:
        matplotlib.figure.Figure.
    """
    others = results.others
    n_columns = min(_COLUMNS, len(results.tasks))
    n_rows = math.ceil(len(results.tasks) / n_columns)
    height = 0.8 + len(JUDGED) * (0.16 + 0.1 * len(others))
    figure = Figure(figsize=(1 + 3 * n_columns, n_rows * height), layout="constrained")
    all_axes = figure.subplots(n_rows, n_columns, squeeze=False, sharey=True)
    for axes in all_axes.flat[len(results.tasks) :]:
        axes.set_visible(False)
    for axes, task in zip(all_axes.flat, results.tasks):
        axes.axvline(0, color=SLATE, linewidth=0.8)
        for number, frontend in enumerate(others):
            shift = (number - (len(others) - 1) / 2) * 0.7 / len(others)
            _draw_differences(axes, results, task, frontend, shift)
        axes.set_yticks(range(len(JUDGED)), JUDGED)
        axes.set_ylim(len(JUDGED) - 0.5, -0.5)
        axes.grid(axis="x", alpha=0.3)
        # As far as intervals of few seeds go, no difference does.
        left, right = axes.get_xlim()
        axes.set_xlim(max(left, -100), min(right, 100))
        axes.set(title=task, xlabel=f"points to {results.baseline}")
    handles, labels = all_axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=len(others),
        title="filled where both intervals exclude 0",
        fontsize="small",
    )
    return figure


def _draw_differences(axes, results, task, frontend, shift):
    style = _style(results, frontend)
    color, marker = style["color"], style["marker"]
    axes.plot([], [], color=color, marker=marker, linewidth=1, label=frontend)
    encoder = results.verdict_encoder(task, frontend)
    for place, condition in enumerate(JUDGED):
        score = results.scores.get(Key(task, encoder, frontend, condition))
        if score is None or score.difference is None:
            continue
        difference = score.difference
        if difference.interval:
            ends = [100 * end for end in difference.interval]
            axes.plot(ends, [place + shift] * 2, color=color, linewidth=1.2)
        axes.plot(
            100 * difference.mean,
            place + shift,
            marker,
            color=color,
            markersize=4.5,
            markerfacecolor=color if difference.excludes_zero else "white",
        )


def _style(results, frontend):
    if frontend == results.baseline:
        return {"color": SLATE, "marker": "x", "linestyle": "--"}
    others = results.others
    number = others.index(frontend)
    return {
        "color": _COLORS[number % len(_COLORS)],
        "marker": _MARKS[number % len(_MARKS)],
    }
