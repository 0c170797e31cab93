"""Results as pictures."""

import numpy as np
from matplotlib.figure import Figure

from leaf_files.figures import AMBER, RUST, SILVER, SLATE, TEAL, VIOLET

COLORS = {
    "exact LEAF": SILVER,
    "fast LEAF": RUST,
    "fast LEAF, frozen": AMBER,
    "leaf_tf mel": TEAL,
    "keras mel": VIOLET,
    "tf.signal log-mel": SLATE,
}
# Bars of ratios beyond end here; their labels say how far they would go.
MOST_SHOWN = 100


def speed_figure(results):
    """Ratios to mel, one group of bars a comparison, on a logarithmic axis."""
    rows = [row for row in results["rows"] if "ratio" in row]
    comparisons = list(dict.fromkeys(row["comparison"] for row in rows))
    contestants = [
        name for name in COLORS if any(row["contestant"] == name for row in rows)
    ]
    figure = Figure(figsize=(10, 0.62 * len(comparisons) + 1.6), layout="constrained")
    axes = figure.subplots()
    height = 0.8 / len(contestants)
    for place, name in enumerate(contestants):
        ratios = {r["comparison"]: r["ratio"] for r in rows if r["contestant"] == name}
        at = [i + place * height for i, c in enumerate(comparisons) if c in ratios]
        values = [ratios[c] for c in comparisons if c in ratios]
        widths = np.minimum(values, MOST_SHOWN)
        bars = axes.barh(at, widths, height, left=0, color=COLORS[name], label=name)
        labels = [f"{v:.0f}" if v >= 10 else f"{v:.2g}" for v in values]
        axes.bar_label(bars, labels, padding=2, fontsize=6)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(0.25, 2 * MOST_SHOWN)
    axes.set_ylim(len(comparisons) - 0.2, -0.4)
    axes.set_yticks(np.arange(len(comparisons)) + 0.4 - height / 2, comparisons)
    machine = results["machine"]
    axes.set(
        xlabel="time relative to tf.signal log-mel (median of interleaved calls)"
        if "tf.signal log-mel" in contestants
        else "time relative to leaf_tf mel (median of interleaved calls)",
        title=f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, "
        f"Keras {machine['keras']} on {machine['backend']}",
    )
    axes.title.set_fontsize(9)
    axes.legend(fontsize=7, loc="lower right")
    return figure


def accuracy_figure(results):
    """Errors by signal; predicted against measured errors of random filterbanks."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    signals = [r for r in results["signals"] if r["initial_filters"] == "mel"]
    places = np.arange(len(signals))
    left.barh(places - 0.2, [row["max"] for row in signals], 0.4, color=RUST)
    left.barh(places + 0.2, [row["mean"] for row in signals], 0.4, color=SILVER)
    left.set_yticks(places, [row["signal"] for row in signals], fontsize=7)
    left.set_xscale("log")
    left.invert_yaxis()
    left.legend(["largest", "mean"])
    left.set(title="Fast against exact LEAF", xlabel="difference of the features")
    predicted = [row["predicted"] for row in results["banks"]]
    measured = [row["measured"] for row in results["banks"]]
    right.loglog(predicted, measured, ".", color=RUST)
    ends = [min(predicted + measured), max(predicted + measured)]
    right.loglog(ends, ends, color="black", linewidth=0.8)
    right.set(
        title="Random filterbanks on white noise",
        xlabel="predicted relative RMS error",
        ylabel="measured",
    )
    right.grid(alpha=0.3)
    return figure
