"""What an export says about itself, for programs and for people."""

import importlib.metadata

from export.clips import describe
from export.scores import ACCURACY, MEAN_AVERAGE_PRECISION

_DISTRIBUTIONS = ("keras", "tensorflow", "ai-edge-litert")
_TITLES = {"saved_model": "SavedModel", "tflite": "TFLite float32"}
_ROWS = (
    ("bytes", "bytes", "{:,}"),
    ("largest difference in probability", "max_difference", "{:.1e}"),
    ("mean difference in probability", "mean_difference", "{:.1e}"),
    ("windows with another top label", "windows_with_another_label", "{}"),
)
_LATENCY_ROW = ("latency", "latency_ms", "{:.1f} ms")
_SCORES = {
    ACCURACY: ("accuracy", "{:.2%}"),
    MEAN_AVERAGE_PRECISION: ("mean average precision", "{:.4f}"),
}


def build_report(source, clips, keras, artifacts):
    """The content of `report.json`.

    `sample_rate`, `window_samples` and `heads` are what `export predict` needs to
    run an artifact. A list `heads` has an entry for each head, in one order; of a
    model of one head, what it says stands beside the list, too.

    Args:
        source: `export.sources.Source`.
        clips: list of `export.clips.Clips`, one per head.
        keras: list of what was measured on the Keras model, one dict per head.
        artifacts: {format: dict of what was measured on the artifact}, with `heads`.
    """
    heads = [
        {
            "labels": list(head.labels),
            "activation": head.activation,
            "clips": describe([own]),
        }
        for head, own in zip(source.heads, clips)
    ]
    names = [
        {"name": h.name, "output": h.output, "labels_file": h.labels_file}
        for h in source.heads
    ]
    return {
        "source": source.name,
        "sample_rate": source.sample_rate,
        "window_samples": source.window_samples,
        **(heads[0] if len(heads) == 1 else {"clips": describe(clips)}),
        "heads": [{**name, **head} for name, head in zip(names, heads)],
        "keras": {**(keras[0] if len(heads) == 1 else {}), "heads": keras},
        "artifacts": artifacts,
        "versions": _versions(),
    }


def report_markdown(report):
    """The same as `report.md`."""
    lines = [f"# Export of {report['source']}", "", summary(report)]
    for name, measured in report["artifacts"].items():
        lines += ["", f"## {measured['path']}", "", _ops(measured["ops"])]
        if name == "tflite":
            lines += ["", _folding(measured)]
    versions = ", ".join(f"{n} {v}" for n, v in report["versions"].items())
    return "\n".join([*lines, "", f"Written with {versions}.", ""])


def summary(report):
    """What the command prints: the model's contract and the measurements."""
    clips = report["clips"]
    seconds = report["window_samples"] / report["sample_rate"]
    lines = [
        f"A waveform of {report['sample_rate']} Hz in [-1, 1], {seconds:g} s "
        f"({report['window_samples']} samples) a window, to the probabilities",
        f"of {_labels(report['heads'])}. Compared "
        f"with Keras on {clips['n_windows']} windows of {clips['n_clips']} clips",
        f"({clips['origin']}).",
        "",
        *_table(report),
        "",
        "Accuracy is that of whole clips, their windows' logits averaged. Latency",
        "is the median for one window on this machine, LiteRT on one thread.",
    ]
    return "\n".join(lines)


def _versions():
    import leaf_tf

    others = {name: importlib.metadata.version(name) for name in _DISTRIBUTIONS}
    return {"leaf_tf": leaf_tf.__version__, **others}


def _labels(heads):
    return ", ".join(
        f"{len(head['labels'])} labels{' of ' * bool(head['name'])}{head['name']} "
        f"({head['activation']})"
        for head in heads
    )


def _table(report):
    columns = {"Keras": report["keras"]}
    for name, measured in report["artifacts"].items():
        columns[_TITLES[name]] = measured
    rows = [["", *columns]]
    rows += [_row(columns, *row) for row in _ROWS]
    for index, head in enumerate(report["heads"]):
        of_head = {name: column["heads"][index] for name, column in columns.items()}
        for key, (title, form) in _SCORES.items():
            if key in of_head["Keras"]:
                rows.append(_row(of_head, f"{head['name']} {title}".strip(), key, form))
    rows.append(_row(columns, *_LATENCY_ROW))
    widths = [max(map(len, column)) for column in zip(*rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    for row in [rows[0], rule, *rows[1:]]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        yield f"| {' | '.join(cells)} |"


def _row(columns, title, key, form):
    return [title, *(_cell(measured.get(key), form) for measured in columns.values())]


def _cell(value, form):
    return "-" if value is None else form.format(value)


def _ops(ops):
    counted = ", ".join(f"{name} {count}" for name, count in ops.items())
    return f"{sum(ops.values())} operators: {counted}."


def _folding(measured):
    subgraphs = measured["subgraphs"]
    graph = f"{subgraphs} subgraph{'s' * (subgraphs > 1)}, builtin operators"
    again = ", ".join(measured["unfolded_ops"])
    if again:
        return f"{graph}; computed again from constants in each run: {again}."
    return f"{graph}; all that depends on weights alone is a constant."
