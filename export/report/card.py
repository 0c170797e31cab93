"""The text of `README.md`: a model card for who gets the folder and knows no more."""

from collections.abc import Iterator, Mapping

from export.contract.layout import (
    C_HEADER,
    C_SOURCE,
    EMBEDDING,
    FRONTEND,
    LISTEN,
    MICRO,
    MICRO_INT8,
    ONNX,
    PROBES,
    REPORT_JSON,
    REPORT_MD,
    SAVED_MODEL,
    STREAMING,
    TFLITE,
    quantized_file,
)
from export.report.deciding import decision_lines, head_of
from export.report.front_matter import front_matter
from export.report.how_to_run import how_to_run
from export.report.tested import test_lines
from leaf_files.command_line import script
from leaf_files.decisions import NONE_OF_THESE
from leaf_files.run_folder import SIGMOID
from leaf_files.tables import code, plain, plain_table

_NOT_KNOWN = "not known"
_NO_LICENCE = f"{_NOT_KNOWN}; who trained it decides"
_SPLITS = ("train", "validation", "test")
_MOST_LABELS = 100  # that are named; the files of labels have all
_FILES = {
    TFLITE: "LiteRT, float32: one window",
    quantized_file("float16"): "LiteRT, weights in 16 bits",
    quantized_file("dynamic"): "LiteRT, weights in 8 bits",
    quantized_file("int8"): "LiteRT, the encoder in 8 bits",
    STREAMING: "LiteRT, chunk by chunk",
    FRONTEND: "LiteRT: a window to its features",
    EMBEDDING: "LiteRT: a window to its embedding",
    ONNX: "ONNX: windows of one length",
    MICRO: "TFLite Micro, chunk by chunk: frontend in float32, encoder in 8 bits",
    MICRO_INT8: "TFLite Micro, chunk by chunk: all in integers",
    LISTEN: f"runs {STREAMING} in Python",
    PROBES: f"answers at export, for `{script('export')} verify`",
    REPORT_MD: "how each file compares with Keras, size and time",
}


def card_markdown(report: Mapping, files: Mapping[str, Mapping]) -> str:
    """The content of `README.md`, a model card in the format of Hugging Face.

    What the model is, what is known of its data and scores, its limits, and how to run
    each file. How the files compare with Keras is in `report.md`.

    Args:
        report: Result of `export.report.content.build_report`.
        files: {path: {"bytes", "sha256"}} of the files in the folder.

    Example:

    >>> report = json.loads(Path("artifacts/report.json").read_text())
    >>> card_markdown(report, report["files"]).splitlines()[0]
    '---'
    """
    lines = [
        *front_matter(report, files),
        "",
        f"# {plain(report['source'])}",
        "",
        *_what_it_hears(report),
        "",
        "## How to run it",
        "",
        *how_to_run(report, files),
        "",
        "## Decisions",
        "",
        *decision_lines(report["heads"]),
        "",
        "## How it was tested",
        "",
        *test_lines(report),
        "",
        "## Limits",
        "",
        *(f"- {limit[:1].upper()}{limit[1:]}" for limit in _limits(report)),
        "",
        "## Data and licences",
        "",
        *_data(report),
        "",
        "## Files",
        "",
        *_files(files),
        "",
        *_made_by(report),
    ]
    return "\n".join(lines) + "\n"


def _what_it_hears(report):
    rate, samples = report["sample_rate"], report["window_samples"]
    lines = [
        f"Names what it hears in a mono waveform of {rate} Hz, float32 in [-1, 1], in "
        f"windows of {samples / rate:g} s",
        f"({samples} samples).",
    ]
    for head in report["heads"]:
        kind = "any number of them" if head["activation"] == SIGMOID else "one of them"
        of = f" of `{head['name']}`" if head["name"] else ""
        labels = head["labels"]
        named = ", ".join(map(code, labels[:_MOST_LABELS]))
        rest = ", ..." if len(labels) > _MOST_LABELS else ""
        n = f"{len(labels)} label{'s' * (len(labels) != 1)}"
        lines += [
            "",
            f"**{n}**{of}, {kind} a clip ({head['activation']}), in the order of "
            f"`{head['labels_file']}`: {named}{rest}.",
        ]
    training = report.get("training") or {}
    parts = [
        f"{what} `{training[key]}`"
        for key, what in (("frontend", "frontend"), ("encoder", "encoder"))
        if key in training
    ]
    if "parameters" in training:
        parts.append(f"{training['parameters']:,} parameters")
    if parts:
        lines += [
            "",
            f"A model of leaf_tf: {', '.join(parts)}. The files take the waveform "
            "itself.",
        ]
    return lines


def _limits(report) -> Iterator[str]:
    heads = [head_of(entry) for entry in report["heads"]]
    for head in heads:
        of = f" of `{head.name}`" if head.name else ""
        if head.activation == SIGMOID:
            if not head.decisions.can_refuse:
                yield (
                    f"No thresholds were chosen{of}: that a label's probability is "
                    "above 0.5 may be too much or too little."
                )
        elif not head.decisions.can_refuse:
            yield (
                f"It knows no other sounds: it always names one of its labels{of}, "
                "whatever it hears, and may be sure of it. There is neither a class "
                "for the rest nor a threshold."
            )
        else:
            yield (
                f"That a sound is none of its labels{of} is told by thresholds, or a "
                f"class of background, alone ({NONE_OF_THESE}): other sounds than it "
                "was trained with may pass."
            )
    yield (
        f"It hears nothing above {report['sample_rate'] / 2:g} Hz, and one channel; a "
        "sound that is longer than a window is heard window by window."
    )
    yield (
        "Microphones, rooms, distances and noise that it wasn't trained with may "
        "change its answers."
    )
    for task in (report.get("training") or {}).get("tasks", ()):
        yield from _limits_of_test(task)
    if report.get("moving_averages"):
        yield f"{plain(report['moving_averages'])}."
    for note in report["notes"]:
        yield f"{plain(note)}."


def _limits_of_test(task):
    test, about = task.get("test"), task["about"]
    if not test:
        return
    clips = f"the test clips of {code(task['name'])}"
    rule = plain(about.get("split", ""))
    if test["intervals_over"] == "groups":
        n = test.get("n_intervals_over", 0)
        known = "as much as the interval says" if test["intervals"] else "little"
        yield (
            f"{clips} are of {n} group{'s' * (n != 1)} of speakers, recordings or "
            f"devices{f' ({rule})' if rule else ''}: of others the scores tell {known}."
        )
    elif rule and about.get("split_by") == "the data set":
        yield f"{clips} are those that the data set names ({rule})."
    elif rule:
        yield (
            f"{clips} were held out by a rule that knows no speakers, recordings or "
            f"devices ({rule}): where the same were in training, the scores flatter, "
            "and unseen ones do worse."
        )
    else:
        yield (
            f"How {clips} were held out isn't known: where speakers, recordings or "
            "devices were the same in training, the scores flatter."
        )


def _data(report):
    tasks = (report.get("training") or {}).get("tasks") or ()
    if not tasks:
        lines = [f"Trained on: {_NOT_KNOWN}. Licence of the data: {_NOT_KNOWN}."]
    else:
        rows = [
            [
                code(task["name"]),
                *(str(task["clips"].get(s, "?")) for s in _SPLITS),
                task["about"].get("licence", _NOT_KNOWN),
                _link(task["about"].get("homepage", "")),
            ]
            for task in tasks
        ]
        titles = ["data", "clips to train on", "to validate", "to test", "licence", ""]
        if not any(row[-1] for row in rows):
            titles, rows = titles[:-1], [row[:-1] for row in rows]
        lines = list(plain_table(titles, rows))
    return [
        *lines,
        "",
        f"Licence of the model: {plain(report.get('license') or _NO_LICENCE)}. "
        f"`{LISTEN}` and leaf_tf are Apache-2.0.",
    ]


def _link(homepage):
    return f"<{homepage}>" if homepage.startswith("https://") else ""


def _files(files):
    rows = [
        [code(path), f"{entry['bytes']:,}", _about_file(path), f"`{entry['sha256']}`"]
        for path, entry in files.items()
    ]
    return [
        *plain_table(["file", "bytes", "", "SHA-256"], rows),
        "",
        f"`{REPORT_JSON}` has the same for programs, and the checksum of this file. "
        "Each file says itself",
        "what it takes and how it decides, and can be renamed and moved.",
    ]


def _about_file(path):
    if path.startswith(f"{SAVED_MODEL}/"):
        return "TensorFlow SavedModel" if path.endswith(".pb") else ""
    if path.startswith("labels") and path.endswith(".txt"):
        return "one label a line"
    if path.endswith((C_SOURCE, C_HEADER)):
        return "the file of that name as C"
    return _FILES.get(path, "")


def _made_by(report):
    versions = ", ".join(f"{n} {v}" for n, v in report["versions"].items())
    return [
        f"Written by {versions}.",
        f"`{script('export')} verify .` says whether the folder is as it was written.",
    ]
