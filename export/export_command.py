"""`python -m export RUN_OR_KERAS_FILE --output DIR`."""

from export.arguments import export_parser
from export.artifacts import MAKERS
from export.clips import describe, head_clips
from export.layout import (
    REPORT_JSON,
    REPORT_MD,
    refuse_foreign_files,
)
from export.parity import (
    check_tolerance,
    differences,
    keras_probabilities,
    latency_ms,
    over_heads,
)
from export.report import build_report, report_markdown, summary
from export.scores import score
from export.sources import open_source
from files.atomic import (
    replacing_folder,
    writable_folder,
    write_json,
    write_text,
)


def main(argv):
    """Runs the command; see `export.arguments` for what it takes."""
    arguments = export_parser().parse_args(argv)
    refuse_foreign_files(arguments.output)
    writable_folder(arguments.output)
    _say(f"Loading {arguments.source}")
    source = open_source(
        arguments.source, arguments.window, arguments.labels, arguments.clips
    )
    clips = [
        head_clips(head, source.sample_rate, source.window_samples)
        for head in source.heads
    ]
    report = export(source, clips, arguments.formats, arguments.output)
    print(f"\n{summary(report)}\n\nWritten to {arguments.output}")


def export(source, clips, formats, output):
    """Writes an artifact folder, whole or not at all.

    Args:
        source: `export.sources.Source`.
        clips: list of `export.clips.Clips` to compare on, one per head.
        formats: Some of `export.arguments.FORMATS`.
        output: The folder; an earlier export there is replaced.

    Returns:
        The report, as in `report.json`.

    Raises:
        UserError: The folder can't be written, the model can't be converted,
            or an artifact differs from Keras by more than the tolerance.
    """
    with replacing_folder(output, marker=REPORT_JSON) as folder:
        for head in source.heads:
            lines = "".join(f"{label}\n" for label in head.labels)
            write_text(folder / head.labels_file, lines)
        about = describe(clips)
        _say(f"Keras: {about['n_windows']} windows of {about['n_clips']} clips")
        expected = [
            keras_probabilities(source, own.windows)[head.name]
            for head, own in zip(source.heads, clips)
        ]
        keras = [
            score(head, answers, own)
            for head, answers, own in zip(source.heads, expected, clips)
        ]
        measured = {
            name: _make_and_measure(name, source, clips, expected, folder)
            for name in formats
        }
        report = build_report(source, clips, keras, measured)
        write_json(folder / REPORT_JSON, report)
        write_text(folder / REPORT_MD, report_markdown(report))
    return report


def _make_and_measure(name, source, clips, expected, folder):
    _say(f"{name}: converting")
    artifact = MAKERS[name](source, folder)
    _say(f"{artifact.path}: comparing with Keras")
    heads = [
        _compare(head, artifact.runner, own, answers)
        for head, own, answers in zip(source.heads, clips, expected)
    ]
    compared = over_heads(heads)
    check_tolerance(artifact.path, compared, describe(clips)["n_windows"])
    return {
        "path": artifact.path,
        **artifact.description,
        **compared,
        "heads": heads,
        "latency_ms": latency_ms(artifact.runner, clips[0].windows[:1]),
    }


def _compare(head, runner, clips, expected):
    probabilities = runner.probabilities(clips.windows)[head.name]
    return {
        **differences(probabilities, expected),
        **score(head, probabilities, clips),
    }


def _say(line):
    print(line, flush=True)
