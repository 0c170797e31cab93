"""The text of `report.md`, and the summary that the command prints."""

from collections.abc import Mapping

from export.contract.layout import README
from export.report.scores import ACCURACY, MEAN_AVERAGE_PRECISION
from export.tflite_format.stream_facts import StreamFacts
from leaf_files.tables import aligned_table

_SCORES = {
    ACCURACY: ("accuracy", "{:.2%}"),
    MEAN_AVERAGE_PRECISION: ("mean average precision", "{:.4f}"),
}
_BYTES = ("bytes", "bytes", "{:,}")
_LARGEST = ("largest difference", "max_difference", "{:.1e}")
_VERDICT = ("verdict", "verdict", "{}")
_ONE_THREAD = ("1 thread", "latency_ms", "{:.2f} ms")
# Columns between the scores and the verdict.
_ANSWERS = (
    _LARGEST,
    ("mean difference", "mean_difference", "{:.1e}"),
    ("windows of another label", "windows_with_another_label", "{}"),
)
_COSTS = (
    _BYTES,
    _ONE_THREAD,
    ("2 threads", "latency_ms_2_threads", "{:.2f} ms"),
    ("operators", "operators", "{}"),
    ("XNNPACK partitions", "partitions", "{}"),
    ("operators outside", "operators_outside", "{}"),
)


def report_markdown(report: Mapping, figure: str | None = None) -> str:
    """The content of `report.md`: that of `report.json` in words and tables.

    Args:
        report: Result of `export.report.content.build_report`.
        figure: Name of the picture beside it; None if there is none.

    Example:

    >>> report = json.loads(Path("artifacts/report.json").read_text())
    >>> report_markdown(report).splitlines()[0]
    '# Export of compass'
    """
    lines = [
        f"# Export of {report['source']}",
        "",
        *_contract(report),
        "",
        f"How each file compares with Keras. What the model is, and how to run it: "
        f"[{README}]({README}).",
        "",
        "## Answers",
        "",
        *_table(
            report, [*_score_columns(report), *_ANSWERS, _VERDICT], with_keras=True
        ),
        "",
        "Scores are those of whole clips, their windows' logits averaged. Differences",
        "are in probability; in features and embeddings relative to the largest value.",
        *_doubts(report),
        "",
        "## Costs",
        "",
        *_table(report, _COSTS),
        "",
        "Times are medians for one window on this machine's CPU (of a streaming model",
        "for one chunk). XNNPACK runs each of its partitions as a whole; LiteRT itself",
        "runs the operators outside of them.",
    ]
    if report.get("moving_averages"):
        lines += ["", f"Warning: {report['moving_averages']}."]
    if figure is not None:
        lines += ["", f"![Score against size and time]({figure})"]
    if report["left_out"]:
        lines += ["", "## Left out", ""]
        lines += [f"- {name}: {why}." for name, why in report["left_out"].items()]
    for measured in report["artifacts"].values():
        lines += ["", f"## {measured['path']}", "", _ops(measured["ops"])]
        if "subgraphs" in measured:
            lines += ["", _folding(measured)]
        if "stream" in measured:
            is_micro = "arena_bytes" in measured
            lines += [
                "",
                *(_micro(report, measured) if is_micro else _stream(measured)),
            ]
        if "float_encoder_ops" in measured:
            lines += ["", _integers(measured["float_encoder_ops"])]
    versions = ", ".join(f"{n} {v}" for n, v in report["versions"].items())
    return "\n".join([*lines, "", f"Written with {versions}.", ""])


def summary(report: Mapping) -> str:
    """The text that the command prints: the model's contract and the measurements.

    Example:

    >>> report = json.loads(Path("artifacts/report.json").read_text())
    >>> "model.tflite" in summary(report)
    True
    """
    columns = [_BYTES, *_score_columns(report), _LARGEST, _ONE_THREAD, _VERDICT]
    lines = [*_contract(report), "", *_table(report, columns, with_keras=True)]
    lines += _doubts(report)
    if report["left_out"]:
        lines.append("")
    lines += [f"Left out {name}: {why}." for name, why in report["left_out"].items()]
    return "\n".join(lines)


def _contract(report):
    clips = report["clips"]
    seconds = report["window_samples"] / report["sample_rate"]
    return [
        f"A waveform of {report['sample_rate']} Hz in [-1, 1], {seconds:g} s "
        f"({report['window_samples']} samples) a window, to the probabilities",
        f"of {_labels(report['heads'])}. Compared "
        f"with Keras on {clips['n_windows']} windows of {clips['n_clips']} clips",
        f"({clips['origin']}).",
        *(f"Note: {note}." for note in report["notes"]),
    ]


def _doubts(report):
    """A line for each artifact whose loss may be chance."""
    lines = [
        f"{measured['path']} is kept, though it loses {measured['points_lost']:.1f} "
        f"points: {measured['doubt']}."
        for measured in report["artifacts"].values()
        if measured.get("doubt")
    ]
    return ["", *lines] if lines else []


def _labels(heads):
    return ", ".join(
        f"{_counted(head['labels'])}{' of ' * bool(head['name'])}{head['name']} "
        f"({head['activation']})"
        for head in heads
    )


def _counted(labels):
    return f"{len(labels)} label{'s' * (len(labels) != 1)}"


def _score_columns(report):
    """(title, (index of the head, name of its score), form) of each head's score."""
    return [
        (f"{head['name']} {_SCORES[name][0]}".strip(), (index, name), _SCORES[name][1])
        for index, head in enumerate(report["heads"])
        for name in _SCORES
        if name in report["keras"]["heads"][index]
    ]


def _table(report, columns, with_keras=False):
    """Lines of a table in Markdown, a row for each artifact.

    Args:
        report: Result of `export.report.content.build_report`.
        columns: (title, key, form) of each; the key is that of a measurement, or the
            index of a head and the key of a measurement on it.
        with_keras: Whether Keras has a row, the first.
    """
    measured = {a["path"]: _flat(a) for a in report["artifacts"].values()}
    if with_keras:
        measured = {"Keras": report["keras"], **measured}
    rows = [
        [name, *(_cell(_value(values, key), form) for _, key, form in columns)]
        for name, values in measured.items()
    ]
    return aligned_table(["", *(title for title, _, _ in columns)], rows)


def _flat(artifact):
    """The measurements of an artifact, those within others among them."""
    return {
        **artifact,
        **(artifact.get("xnnpack") or {}),
        "operators": sum(artifact["ops"].values()),
    }


def _value(measured, key):
    """A measurement by a key of a column; None if it wasn't made."""
    if not isinstance(key, tuple):
        return measured.get(key)
    head, name = key
    return measured["heads"][head].get(name) if "heads" in measured else None


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


def _integers(float_ops):
    if not float_ops:
        return "The encoder computes in integers from the features to the logits."
    counted = ", ".join(f"{name} {count}" for name, count in float_ops.items())
    return f"The encoder computes in integers, but in float: {counted}."


def _stream(measured):
    facts = StreamFacts(**measured["stream"])
    return [
        *_chunks(facts, measured),
        f"Real-time factor {measured['real_time_factor']:.5f}. Compared on "
        f"{measured['n_chunks']} chunks of one stream with the",
        "frontend on all of it at once, its last frames into the encoder.",
    ]


def _micro(report, measured):
    facts = StreamFacts(**measured["stream"])
    scores = ", ".join(
        f"{named['name']} {_SCORES[name][0]} {_SCORES[name][1].format(value)}".strip()
        for named, head in zip(report["heads"], measured["heads"])
        for name, value in head["keras"].items()
        if value is not None
    )
    return [
        *_chunks(facts, measured),
        f"It takes an arena of {measured['arena_bytes']:,} bytes, by TFLite Micro's "
        "own record on 64 bits.",
        "Compared on streams of single windows with Keras's frontend on each of them "
        f"at once{', whose score there is ' * bool(scores)}{scores}.",
    ]


def _chunks(facts, measured):
    window = facts.window_samples / facts.sample_rate
    return [
        f"Takes {facts.chunk_ms:g} ms ({facts.chunk_samples} samples) of sound at a "
        f"time and {measured['states']} states,",
        f"{measured['state_numbers']:,} numbers, zero at first. Answers for the last "
        f"{window:g} s ({facts.window_frames} frames);",
        f"a frame is there {facts.latency_ms:g} ms after the middle of its window, or "
        "as soon as the chunk is full.",
    ]
