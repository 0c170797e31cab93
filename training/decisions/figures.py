"""Figures of calibration and of decisions."""

import numpy as np
from matplotlib.figure import Figure

from leaf_files.figures import GREY, RUST, SILVER, TEAL, save_figure
from training.decisions.calibration import Bins, scaled


def draw_reliability(run, heads, tests, decisions):
    """Draws `reliability.png` of a run, or one for each of several heads.

    Args:
        run: A `RunFolder`.
        heads: A tuple of `Head`.
        tests: The predictions of the test split of each head.
        decisions: `Decisions` of each head.

    >>> from leaf_files.decisions import Decisions
    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.run.folder import RunFolder
    >>> run = RunFolder("run")
    >>> test = ClipPredictions(np.eye(2), np.array([0, 1]))
    >>> draw_reliability(run, run.read_heads(), [test], [Decisions()])
    >>> [path.name for path in run.figures.iterdir()]
    ['reliability.png']
    """
    for head, test, of_head in zip(heads, tests, decisions):
        suffix = f"_{head.name}" if len(heads) > 1 else ""
        figure = reliability(test, of_head.temperature)
        save_figure(figure, run.figures / f"reliability{suffix}.png")


def reliability(predictions, temperature):
    """Probabilities beside how often they came true, before and after calibration.

    Args:
        predictions: `ClipPredictions` or `MultiLabelPredictions`, not calibrated.
        temperature: A float.

    Returns:
        matplotlib.figure.Figure.

    >>> from training.evaluation.clips import ClipPredictions
    >>> logits = np.tile([4.0, 0.0], (10, 1))
    >>> predictions = ClipPredictions(logits, np.repeat([0, 1], [8, 2]))
    >>> figure = reliability(predictions, 2.885)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['as it should be', 'model, ECE 18.2 %', 'calibrated, ECE 0.0 %']
    """
    figure = Figure(figsize=(4.8, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 100], [0, 100], ":", color=GREY, label="as it should be")
    kinds = [("model", RUST, 1.0)]
    if temperature != 1.0:
        kinds.append(("calibrated", TEAL, temperature))
    width = 0.9 / len(kinds)
    for place, (name, color, divisor) in enumerate(kinds):
        bins = Bins.of_predictions(scaled(predictions, divisor))
        label = f"{name}, ECE {100 * bins.error:.1f} %"
        filled = bins.n > 0
        upper.plot(
            *(100 * bins.said[filled], 100 * bins.true[filled], "o-"),
            color=color,
            label=label,
            markersize=4,
        )
        step = 100 / len(bins.n)
        lefts = step * (np.arange(len(bins.n)) + 0.05 + place * width)
        lower.bar(lefts, bins.n, step * width, align="edge", color=color)
    upper.set(
        ylabel="share that came true, %",
        title="Reliability on the test clips",
        xlim=(0, 100),
        ylim=(0, 102),
    )
    # Below the axes: points may be anywhere in them.
    upper.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3, fontsize="x-small"
    )
    lower.set(xlabel="probability, %", ylabel="answers")
    for axes in (upper, lower):
        axes.grid(color=SILVER, alpha=0.3)
    return figure
