"""Figures of chosen thresholds."""

import numpy as np
from matplotlib.figure import Figure

from leaf_files.figures import AMBER, BLUE, GREY, RUST, SILVER, SLATE, TEAL, VIOLET
from training.evaluation.thresholds.choosing import VALIDATION

_COLORS = (TEAL, RUST, VIOLET, AMBER, BLUE, SLATE)
_STYLES = ("-", "--", ":")
_MOST_NAMED = len(_COLORS) * len(_STYLES)


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
    for number, (label, scores) in enumerate(found.scores[VALIDATION].items()):
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
