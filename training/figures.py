"""Pictures of a run, for people who would rather look than read."""

import warnings

import numpy as np
from keras import ops
from matplotlib.figure import Figure

import leaf_tf
from files.atomic import replacing
from files.windows import cut_windows
from leaf_tf import visualize
from leaf_tf.visualize import AFTER, BEFORE

_DPI = 120


def draw_run(run, config, data, model, initial, history, test):
    """Draws all figures of a finished run into its folder.

    Args:
        run: A `RunFolder`.
        config: Its `FitConfig`.
        data: The `TaskData`.
        model: The trained classifier.
        initial: The frontend's weights before training, as `get_weights`.
        history: One dict an epoch, as `ValidateAndSave` keeps.
        test: `ClipPredictions` of the test split.
    """
    frontend = model.get_layer("frontend")
    before = visualize.untrained(frontend)
    before.set_weights(initial)
    figures = {
        "learning_curves": learning_curves(history),
        "confusion_matrix": confusion_matrix(test.confusion(), data.labels),
        "features": features_beside_mel(frontend, *_a_test_clip(config, data)),
        **visualize.figures(frontend, before),
    }
    save_figures(figures, run.figures)


def save_figures(figures, folder):
    """Writes {name: Figure} as PNG files to a folder, which is made if need be.

    Raises:
        UserError: The folder can't be made.
    """
    for name, figure in figures.items():
        with (
            replacing(folder / f"{name}.png") as temporary,
            warnings.catch_warnings(),
        ):
            # Boxes for the letters of a label that the font lacks are no news.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            figure.savefig(temporary, dpi=_DPI)


def learning_curves(history):
    """Loss and accuracy of both splits, over epochs."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "accuracy")):
        axes.plot(epochs, [row[metric] for row in history], color=BEFORE, marker=".")
        axes.plot(
            epochs, [row[f"val_{metric}"] for row in history], color=AFTER, marker="."
        )
        axes.set(xlabel="epoch", ylabel=metric, title=metric.capitalize())
        axes.legend(["training windows", "validation clips"])
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    return figure


def confusion_matrix(counts, labels):
    """Counts of clips by true (rows) and predicted (columns) class."""
    n = len(labels)
    side = min(4 + 0.35 * n, 24)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Oranges")
    names = [_verbatim(label) for label in labels]
    axes.set_xticks(range(n), names, rotation=90)
    axes.set_yticks(range(n), names)
    axes.set(
        xlabel="predicted",
        ylabel="true",
        title=f"{counts.trace()} of {counts.sum()} test clips right",
    )
    if n <= 30:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if count > counts.max() / 2 else "black"
                axes.text(column, row, count, ha="center", va="center", color=color)
    return figure


def features_beside_mel(frontend, waveform, sample_rate, label):
    """A waveform, its features and, where those are others, its log-mel features.

    Args:
        frontend: The trained frontend.
        waveform: (samples,).
        sample_rate: In Hz.
        label: The clip's class, for the title.
    """
    mel = leaf_tf.MelFilterbanks(
        frontend.n_filters, sample_rate, frontend.window_len, frontend.window_stride
    )
    panels = {f"{type(frontend).__name__} (trained)": frontend, "log-mel": mel}
    if _settings(frontend) == _settings(mel):
        panels = {"log-mel": mel}
    seconds = len(waveform) / sample_rate
    figure = Figure(figsize=(9, 1.7 + 2.4 * len(panels)), layout="constrained")
    top, *rest = figure.subplots(
        1 + len(panels), 1, sharex=True, height_ratios=(1, *[2] * len(panels))
    )
    top.plot(
        np.arange(len(waveform)) / sample_rate, waveform, color=AFTER, linewidth=0.5
    )
    top.set(title=f"A test clip of class '{_verbatim(label)}'", ylabel="amplitude")
    for axes, (name, layer) in zip(rest, panels.items()):
        features = ops.convert_to_numpy(layer(waveform[None]))[0]
        image = axes.imshow(
            features.T,
            origin="lower",
            aspect="auto",
            interpolation="nearest",
            extent=(0, seconds, -0.5, frontend.n_filters - 0.5),
            cmap="magma",
        )
        axes.set(title=name, ylabel="filter")
        figure.colorbar(image, ax=axes, pad=0.01)
    rest[-1].set(xlabel="seconds", xlim=(0, seconds))
    return figure


def _settings(frontend):
    """What a frontend computes, its name aside."""
    return type(frontend), {**frontend.get_config(), "name": None}


def _verbatim(label):
    """A label as matplotlib shows it as it is: two dollars would mean a formula."""
    return label.replace("$", r"\$")


def _a_test_clip(config, data):
    """The first window of the first test clip, its rate and its label."""
    clips = data.splits["test"].dataset(config.sample_rate)
    clip = next(iter(clips.as_numpy_iterator()))
    window = cut_windows(clip["waveform"], config.window_samples)[0]
    return window, config.sample_rate, data.labels[clip["label"]]
