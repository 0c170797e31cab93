"""The picture of a report: accuracy against bytes and against time."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from export.report.scores import ACCURACY, MEAN_AVERAGE_PRECISION
from leaf_files.figures import (
    AMBER,
    BLUE,
    RUST,
    SILVER,
    SLATE,
    TEAL,
    VIOLET,
    save_figure,
)

_MARKS = (
    ("o", RUST),
    ("s", TEAL),
    ("^", VIOLET),
    ("v", SLATE),
    ("D", AMBER),
    ("P", BLUE),
    ("X", SILVER),
)
_TITLES = {
    ACCURACY: "accuracy, %",
    MEAN_AVERAGE_PRECISION: "mean average precision, %",
}
_LEAST_SPAN = 2.0  # points: less would magnify a single clip


def draw_report(report: Mapping, path: str | Path) -> bool:
    """Draws the score of each artifact against its bytes and its latency.

    The score is the mean over heads. Without labelled clips nothing is drawn.

    Args:
        report: Result of `export.report.content.build_report`.
        path: PNG file to write.

    Returns:
        Whether it was drawn.

    Example:

    >>> report = json.loads(Path("artifacts/report.json").read_text())
    >>> draw_report(report, "report.png")
    True
    """
    keras = _score(report["keras"])
    scored = [a for a in report["artifacts"].values() if "heads" in a]
    if keras is None or not scored:
        return False
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    scores = [_score(artifact) for artifact in scored]
    for axes, values, label in (
        (left, [a["bytes"] / 1000 for a in scored], "size, kB"),
        (right, [a["latency_ms"] for a in scored], "time of a window, ms, 1 thread"),
    ):
        axes.axhline(keras, color="black", linewidth=0.8, linestyle=":")
        for value, score, artifact, (mark, color) in zip(
            values, scores, scored, _MARKS
        ):
            axes.plot(
                value, score, mark, color=color, label=artifact["path"], markersize=8,
                markerfacecolor="none", markeredgewidth=2,
            )  # fmt: skip
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 1.5, max(values) * 1.5)
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    middle, span = _middle_and_span([keras, *scores])
    left.set_ylim(middle - span, min(middle + span, 100.2))
    left.set_ylabel(_title(report["keras"]))
    right.legend(fontsize=7, title="dotted: Keras", title_fontsize=7)
    figure.suptitle(f"Exports of {report['source']}")
    save_figure(figure, path)
    return True


def _score(measured):
    """The mean of the heads' scores, in percent; None if no head has one."""
    values = [
        100.0 * head[name]
        for head in measured["heads"]
        for name in _TITLES
        if head.get(name) is not None
    ]
    return sum(values) / len(values) if values else None


def _middle_and_span(scores):
    low, high = min(scores), max(scores)
    return (low + high) / 2, max(0.6 * (high - low), _LEAST_SPAN)


def _title(keras):
    names = dict.fromkeys(name for head in keras["heads"] for name in head)
    return " and ".join(_TITLES[name] for name in names if name in _TITLES)
