"""Figures of a finished run."""

import numpy as np
from keras import ops
from matplotlib.figure import Figure

import leaf_tf
from leaf_files.figures import RUST, TEAL, save_figure
from leaf_files.windows import cut_windows
from leaf_tf import visualize
from leaf_tf.visualize import AFTER, BEFORE

_CHANNEL_TICKS = 6


def draw_run(run, config, heads, splits, model, initial, history, tests, entries):
    """Draws all figures of a finished run into its folder.

    Args:
        run: A `RunFolder`.
        config: Its `FitConfig`.
        heads: A tuple of `Head`.
        splits: {split: the `ClipSet` of each head}.
        model: The trained classifier.
        initial: The frontend's weights before training, as `get_weights`.
        history: One dict an epoch, as `ValidateAndSave` keeps.
        tests: The predictions of the test split of each head.
        entries: Each head's entry in `metrics.json`.
    """
    frontend = model.get_layer("frontend")
    before = visualize.untrained(frontend)
    before.set_weights(initial)
    figures = {"learning_curves": learning_curves(history)}
    figures.update(score_figures(heads, tests, entries))
    waveform, label = _a_test_clip(config, heads[0], splits["test"][0])
    figures["features"] = features_beside_mel(
        frontend, waveform, config.sample_rate, label
    )
    figures.update(visualize.figures(frontend, before))
    save_figures(figures, run.figures)


def score_figures(heads, tests, entries):
    """{name: Figure} of the scores of a run's tasks, which its report shows.

    Args:
        heads, tests, entries: See `draw_run`.

    >>> from leaf_files.run_folder import Head
    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.evaluation.scores import scored
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> predictions = ClipPredictions(np.eye(2), np.array([0, 1]))
    >>> scores = scored(predictions, head.labels)
    >>> sorted(score_figures([head], [predictions], [scores]))
    ['class_scores', 'confusion_matrix']
    """
    figures = {}
    for head, test, entry in zip(heads, tests, entries):
        suffix = f"_{head.name}" if len(heads) > 1 else ""
        figures[f"class_scores{suffix}"] = class_scores(entry)
        if head.multi_label:
            precisions = test.average_precisions
            figure = average_precisions(precisions, head.labels)
            figures[f"average_precisions{suffix}"] = figure
        else:
            figure = confusion_matrix(test.confusion(), head.labels)
            figures[f"confusion_matrix{suffix}"] = figure
    return figures


def save_figures(figures, folder):
    """Writes {name: Figure} as PNG files to a folder, which is made if need be.

    Raises:
        UserError: The folder can't be made.

    >>> save_figures({"empty": Figure()}, Path("figures"))
    >>> [path.name for path in Path("figures").iterdir()]
    ['empty.png']
    """
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")


def learning_curves(history):
    """Losses and accuracies (mAPs of multi-label tasks) of both splits, over epochs.

    >>> history = [{"epoch": 1, "val_loss": 0.7, "val_accuracy": 0.5}]
    >>> [axes.get_title() for axes in learning_curves(history).axes]
    ['Loss', 'Accuracy']
    """
    epochs = [row["epoch"] for row in history]
    panels = {"loss": _columns(history, "loss")}
    for metric in ("accuracy", "mAP"):
        if f"val_{metric}" in history[0]:
            panels[metric] = _columns(history, metric)
    figure = Figure(figsize=(4.5 * len(panels), 3.6), layout="constrained")
    [places] = figure.subplots(1, len(panels), squeeze=False)
    for axes, (metric, columns) in zip(places, panels.items()):
        for (name, color), style in columns.items():
            # None, where a metric is undefined, is a gap.
            values = [np.nan if row[name] is None else row[name] for row in history]
            axes.plot(epochs, values, style, color=color, marker=".")
        axes.set(
            xlabel="epoch", ylabel=metric, title=metric[0].capitalize() + metric[1:]
        )
        axes.legend([_legend(name, metric) for name, _ in columns])
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
    return figure


def _columns(history, metric):
    """{(column, color): line style} of one metric: means first, then each task's."""
    columns = {(metric, BEFORE): "-"} if metric in history[0] else {}
    columns[f"val_{metric}", AFTER] = "-"
    ending = f"_{metric}"
    tasks = [
        name[len("val_") : -len(ending)]
        for name in history[0]
        if name.startswith("val_") and name.endswith(ending) and name != f"val_{metric}"
    ]
    for number, task in enumerate(tasks):
        if f"{task}{ending}" in history[0]:
            columns[f"{task}{ending}", f"C{number}"] = ":"
        columns[f"val_{task}{ending}", f"C{number}"] = "--"
    return columns


def _legend(column, metric):
    is_validation = column.startswith("val_")
    task = column.removeprefix("val_").removesuffix(metric).removesuffix("_")
    where = "validation clips" if is_validation else "training windows"
    return f"{task}, {where}" if task else where


def average_precisions(precisions, labels, at_most=50):
    """Average precisions of a multi-label task's classes, the best first.

    Args:
        precisions: (n_classes,); NaN where there is none.
        labels: Names of the classes.
        at_most: Largest number of bars; of more classes, evenly spaced ones are drawn.

    >>> figure = average_precisions(np.array([0.4, 0.9]), ("owl", "wren"))
    >>> [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    ['wren', 'owl']
    """
    order = [i for i in np.argsort(-precisions) if not np.isnan(precisions[i])]
    if len(order) > at_most:
        places = np.linspace(0, len(order) - 1, at_most).round().astype(int)
        order = [order[place] for place in places]
    figure = Figure(figsize=(6, 1.5 + 0.2 * len(order)), layout="constrained")
    axes = figure.subplots()
    axes.barh(range(len(order)), precisions[order], color=AFTER)
    axes.set_yticks(range(len(order)), [_verbatim(labels[i]) for i in order])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="average precision on the test clips")
    return figure


def class_scores(entry, at_most=50):
    """Recall and average precision of each class, with their intervals.

    Args:
        entry: A task's entry in `metrics.json`.
        at_most: Classes; of more, evenly chosen ones are drawn.

    >>> of_class = {"n_examples": 4, "recall": 0.5, "average_precision": None}
    >>> entry = {
    ...     "per_class": {"kick": {**of_class, "intervals": {"recall": [0.2, 0.8]}}},
    ...     "intervals_over": "clips",
    ... }
    >>> class_scores(entry).axes[0].get_yticklabels()[0].get_text()
    'kick (4)'
    """
    labels = list(entry["per_class"])
    if len(labels) > at_most:
        places = np.linspace(0, len(labels) - 1, at_most).round().astype(int)
        labels = [labels[place] for place in places]
    height = max(3, 1.6 + 0.3 * len(labels))
    figure = Figure(figsize=(7, height), layout="constrained")
    axes = figure.subplots()
    for name, color, shift in (
        ("recall", TEAL, -0.15),
        ("average_precision", RUST, 0.15),
    ):
        for row, label in enumerate(labels):
            of_class = entry["per_class"][label]
            if of_class[name] is None:
                continue
            ends = of_class["intervals"][name]
            if ends:
                axes.plot(ends, [row + shift] * 2, color=color, linewidth=2, alpha=0.5)
            axes.plot(of_class[name], row + shift, "o", color=color, markersize=5)
        axes.plot([], [], "o-", color=color, label=name.replace("_", " "))
    names = [f"{_verbatim(x)} ({entry['per_class'][x]['n_examples']})" for x in labels]
    axes.set_yticks(range(len(labels)), names)
    ends = [
        ends for x in labels for ends in entry["per_class"][x]["intervals"].values()
    ]
    over = f", with 95 % intervals over {entry['intervals_over']}" if any(ends) else ""
    axes.set(
        xlim=(-0.02, 1.02),
        ylim=(len(labels) - 0.4, -0.6),
        xlabel=f"on the test clips{over}",
        ylabel="class (test clips)",
    )
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def confusion_matrix(counts, labels):
    """Counts of clips by true (rows) and predicted (columns) class.

    >>> figure = confusion_matrix(np.array([[3, 1], [0, 4]]), ("kick", "snare"))
    >>> figure.axes[0].get_title()
    '7 of 8 test clips right'
    """
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

    Channels are labelled with the center frequencies of their filters, where the
    frontend has such.

    Args:
        frontend: The trained frontend.
        waveform: (samples,).
        sample_rate: Sample rate, Hz.
        label: The clip's class, for the title.

    >>> frontend = leaf_tf.MelFilterbanks(8)
    >>> figure = features_beside_mel(frontend, np.zeros(1600), 16000, "kick")
    >>> [axes.get_title() for axes in figure.axes]
    ["A test clip of class 'kick'", 'log-mel', '']
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
        axes.set(title=name)
        _label_channels(axes, layer.channel_freqs_hz())
        figure.colorbar(image, ax=axes, pad=0.01)
    rest[-1].set(xlabel="seconds", xlim=(0, seconds))
    return figure


def _label_channels(axes, center_freqs_hz):
    """Labels some rows of an image with Hz, or all with their number."""
    if center_freqs_hz is None:
        axes.set_ylabel("filter")
        return
    n = len(center_freqs_hz)
    rows = np.linspace(0, n - 1, min(n, _CHANNEL_TICKS)).round().astype(int)
    axes.set_yticks(rows, [f"{center_freqs_hz[row]:.0f}" for row in rows])
    axes.set_ylabel("center frequency, Hz")


def _settings(frontend):
    """The settings of a frontend, without its name."""
    return type(frontend), {**frontend.get_config(), "name": None}


def _verbatim(label):
    """A label with its dollars escaped: between two, matplotlib reads a formula."""
    return label.replace("$", r"\$")


def _a_test_clip(config, head, clip_set):
    """The first window of the first test clip, and its label, or labels."""
    clip = next(iter(clip_set.dataset(config.sample_rate).as_numpy_iterator()))
    window = cut_windows(clip["waveform"], config.window_samples)[0]
    if head.multi_label:
        labels = [head.labels[index] for index in np.flatnonzero(clip["label"])]
        return window, ", ".join(labels)
    return window, head.labels[clip["label"]]
