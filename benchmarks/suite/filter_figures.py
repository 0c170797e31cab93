"""Figures of accuracy against number of filters, and against the cost on a phone."""

import math

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from benchmarks.suite.conditions import CLEAN
from benchmarks.suite.figures import standard_error
from benchmarks.suite.filters import SHIFTED
from leaf_files.command_line import counted
from leaf_files.figures import AMBER, BLUE, RUST, SLATE, TEAL, VIOLET, save_figure

_COLORS = (SLATE, TEAL, RUST, VIOLET, BLUE, AMBER)
_LINES = {CLEAN: "-", SHIFTED: "--"}
_COLUMNS = 4


def draw(numbers, costs, folder):
    """Draws the figures.

    Args:
        numbers: `ByFilters`, with several numbers.
        costs: {(family, number of filters): row}, see `filter_pages.read_costs`.
        folder: Folder of the PNG files, a Path.

    Returns:
        {name: path of its file, relative to the folder's parent}: filters, and
        filters_cost where costs and tasks that all frontends were run on are there.
    """
    made = {"filters": filters_figure(numbers)}
    if costs and numbers.common_tasks:
        made["filters_cost"] = cost_figure(numbers, costs)
    for name, figure in made.items():
        save_figure(figure, folder / f"{name}.png")
    return {name: f"{folder.name}/{name}.png" for name in made}


def filters_figure(numbers):
    """Accuracy against number of filters, a panel a task.

    Args:
        numbers: `ByFilters`.

    Returns:
        matplotlib.figure.Figure.
    """
    tasks = numbers.tasks
    n_columns = min(_COLUMNS, len(tasks))
    n_rows = math.ceil(len(tasks) / n_columns)
    figure = Figure(figsize=(1 + 3 * n_columns, 0.7 + 3 * n_rows), layout="constrained")
    all_axes = figure.subplots(n_rows, n_columns, squeeze=False)
    for axes in all_axes.flat[len(tasks) :]:
        axes.set_visible(False)
    for axes, task in zip(all_axes.flat, tasks):
        for name, color in zip(numbers.families, _COLORS):
            for condition, line in _LINES.items():
                scores = {
                    number: numbers.score(task, name, number, condition)
                    for number in numbers.numbers
                }
                found = {number: score for number, score in scores.items() if score}
                axes.errorbar(
                    [*found],
                    [100 * score.estimate.mean for score in found.values()],
                    [standard_error(score) for score in found.values()],
                    color=color,
                    linestyle=line,
                    marker="o",
                    markersize=4,
                    label=_label(name, condition),
                )
        _number_axis(axes, numbers.numbers)
        axes.set(title=task, xlabel="filters")
    on = numbers.results[numbers.numbers[0]].on
    for row in all_axes:
        row[0].set_ylabel(f"accuracy on {on} clips, %")
    _legend(figure, all_axes[0, 0], "mean +- standard error over seeds")
    return figure


def cost_figure(numbers, costs):
    """Mean accuracy over the tasks against TFLite's time on one thread.

    Args:
        numbers: `ByFilters` with common tasks.
        costs: See `draw`.

    Returns:
        matplotlib.figure.Figure.
    """
    figure = Figure(figsize=(6, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, color in zip(numbers.families, _COLORS):
        known = [n for n in numbers.numbers if (name, n) in costs]
        times = [costs[name, number]["median_ms"] for number in known]
        for condition, line in _LINES.items():
            means = [100 * numbers.mean(name, n, condition)[0] for n in known]
            axes.plot(
                times,
                means,
                color=color,
                linestyle=line,
                marker="o",
                markersize=4,
                label=_label(name, condition),
            )
            for number, time, mean in zip(known, times, means):
                axes.annotate(
                    f"{number}", (time, mean), (3, 4), textcoords="offset points"
                )
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    axes.set(
        title=f"mean of {counted(len(numbers.common_tasks), 'task')}",
        xlabel="ms for 1 s of sound, TFLite, 1 thread",
        ylabel="accuracy, %",
    )
    _legend(figure, axes, "numbers: filters")
    return figure


def _label(name, condition):
    return f"{name}, {condition}"


def _number_axis(axes, numbers):
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(numbers))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(numbers, [f"{number}" for number in numbers])
    axes.grid(alpha=0.3)


def _legend(figure, axes, title):
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2,
        title=title,
        fontsize="small",
    )
