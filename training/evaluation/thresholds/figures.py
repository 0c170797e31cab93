"""Figures of chosen thresholds."""

import numpy as np
from matplotlib.figure import Figure
from scipy import special

from leaf_files.figures import AMBER, BLUE, GREY, RUST, SILVER, SLATE, TEAL, VIOLET
from training.decisions.alarms import LEVELS
from training.evaluation.thresholds.choosing import VALIDATION, curves

_COLORS = (TEAL, RUST, VIOLET, AMBER, BLUE, SLATE)
_STYLES = ("-", "--", ":")
_TICKS = (0.001, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.99)
_LEAST_SHARE = _TICKS[0]
_MOST_NAMED = len(_COLORS) * len(_STYLES)


def figures_of(found):
    """{name: Figure} of the thresholds of a head.

    Args:
        found: `HeadChoices`.

    >>> from types import SimpleNamespace as Some
    >>> found = Some(negatives=None, scores={"validation": {}}, choices=())
    >>> found.target = Some(name="keep", together=False)
    >>> list(figures_of(found))
    ['precision_recall']
    """
    figures = {"precision_recall": precision_recall(found)}
    if found.negatives is not None:
        figures["det"] = error_tradeoff(found)
    return figures


def precision_recall(found):
    """Precision and recall of each label at all thresholds, and those that were chosen.

    Args:
        found: `HeadChoices`.

    Returns:
        matplotlib.figure.Figure.

    >>> from leaf_files.decisions import Decisions
    >>> from leaf_files.run_folder import Head
    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.evaluation.thresholds.choosing import Target, choose
    >>> head = Head("drums", "drums", ("kick", "snare"))
    >>> clips = ClipPredictions(np.tile(np.eye(2), (10, 1)), np.tile([0, 1], 10))
    >>> splits = {"validation": clips, "test": clips}
    >>> found = choose(head, Decisions(), Target("precision", 0.9), splits)
    >>> figure = precision_recall(found)
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['kick', 'snare']
    """
    figure = Figure(figsize=(5.6, 4.8), layout="constrained")
    axes = figure.subplots()
    chosen = {choice.label: choice for choice in found.choices}
    for number, (label, scores, _) in enumerate(curves(found)):
        points = [point for point in scores.points() if point.recall is not None]
        if not points:
            continue
        recalls = 100 * np.array([point.recall for point in points])
        precisions = 100 * np.array([point.precision for point in points])
        style = style_of(number)
        axes.plot(recalls, precisions, **style, label=label, drawstyle="steps-post")
        at = label in chosen and chosen[label].points[VALIDATION]
        if at and at.precision is not None:
            marker = {**style, "linestyle": "", "marker": "o"}
            axes.plot(100 * at.recall, 100 * at.precision, **marker)
    if found.target.name == "precision":
        axes.axhline(100 * found.target.value, color=GREY, linewidth=0.8)
    elif found.target.name == "recall":
        axes.axvline(100 * found.target.value, color=GREY, linewidth=0.8)
    axes.set(
        xlabel="recall, %",
        ylabel="precision, %",
        title="Validation clips; a dot: the threshold",
        xlim=(0, 102),
        ylim=(0, 102),
    )
    axes.grid(color=SILVER, alpha=0.3)
    _name(figure, axes)
    return figure


def error_tradeoff(found):
    """Missed clips and false alarms an hour of each label at all thresholds.

    Misses are on the axis of a normal distribution, as in curves of detection error
    tradeoffs (Martin et al. 1997); false alarms, which have no share, are on a
    logarithmic one. What is 0 is at the edge.

    Args:
        found: `HeadChoices` with `negatives`.

    Returns:
        matplotlib.figure.Figure.

    >>> from leaf_files.decisions import Decisions
    >>> from leaf_files.run_folder import Head
    >>> from training.decisions.alarms import AlarmCounts
    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.evaluation.thresholds.choosing import Target, choose
    >>> head = Head("drums", "drums", ("kick", "snare"))
    >>> clips = ClipPredictions(np.tile(np.eye(2), (10, 1)), np.tile([0, 1], 10))
    >>> alarms = np.where(LEVELS < 0.7, 3, 0)
    >>> negatives = AlarmCounts({"kick": alarms, "snare": alarms}, hours=10.0)
    >>> target = Target("false_alarms_per_hour", 0.2)
    >>> splits = {"validation": clips, "test": clips}
    >>> found = choose(head, Decisions(), target, splits, negatives)
    >>> error_tradeoff(found).axes[0].get_xlabel()
    'false alarms an hour'
    """
    figure = Figure(figsize=(5.6, 4.8), layout="constrained")
    axes = figure.subplots()
    hours = found.negatives.hours
    least = 0.3 / hours
    chosen = {choice.label: choice for choice in found.choices if choice.alarms}
    for number, (label, scores, counts) in enumerate(curves(found)):
        missed = [scores.at(level).missed for level in LEVELS]
        if None in missed:
            continue
        per_hour = np.maximum(counts / hours, least)
        style = style_of(number)
        axes.plot(per_hour, _within(missed), **style, label=label)
        if label in chosen:
            point, alarms = chosen[label].points[VALIDATION], chosen[label].alarms
            axes.plot(
                max(alarms.per_hour, least),
                _within(point.missed),
                **{**style, "linestyle": "", "marker": "o"},
            )
    axes.axvline(found.target.value, color=GREY, linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yscale("function", functions=(special.ndtri, special.ndtr))
    axes.set(
        xlabel="false alarms an hour",
        ylabel="missed validation clips, %",
        title=f"{hours:.3g} h without any label; a dot: the threshold",
        ylim=(_LEAST_SHARE, 1 - _LEAST_SHARE),
    )
    axes.set_yticks(_TICKS, [f"{100 * tick:g}" for tick in _TICKS])
    axes.minorticks_off()
    axes.grid(color=SILVER, alpha=0.3)
    _name(figure, axes)
    return figure


def _within(shares):
    """Shares without 0 and 1, whose quantiles are infinite."""
    return np.clip(shares, _LEAST_SHARE, 1 - _LEAST_SHARE)


def style_of(number):
    """The color and the dashes of a label.

    >>> style_of(0) == style_of(1), style_of(30)["color"] == SILVER
    (False, True)
    """
    if number >= _MOST_NAMED:
        return {"color": SILVER, "linestyle": "-", "linewidth": 1.0}
    row, column = divmod(number, len(_COLORS))
    return {"color": _COLORS[column], "linestyle": _STYLES[row], "linewidth": 1.3}


def _name(figure, axes):
    """Adds a legend of the first labels, beside the axes."""
    lines, labels = axes.get_legend_handles_labels()
    if labels:
        figure.legend(
            *(lines[:_MOST_NAMED], labels[:_MOST_NAMED]),
            loc="outside right upper",
            fontsize="x-small",
        )
