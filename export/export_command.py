"""`python -m export RUN_OR_KERAS_FILE --output DIR`."""

from export.arguments import export_parser
from export.artifacts import MAKERS
from export.clips import read_clips, synthetic_clips
from export.layout import (
    LABELS,
    REPORT_JSON,
    REPORT_MD,
    refuse_foreign_files,
)
from export.parity import (
    accuracy,
    check_tolerance,
    differences,
    keras_probabilities,
    latency_ms,
)
from export.report import build_report, report_markdown, summary
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
    clips = _clips(source)
    report = export(source, clips, arguments.formats, arguments.output)
    print(f"\n{summary(report)}\n\nWritten to {arguments.output}")


def export(source, clips, formats, output):
    """Writes an artifact folder, whole or not at all.

    Args:
        source: `export.sources.Source`.
        clips: `export.clips.Clips` to compare on.
        formats: Some of `export.arguments.FORMATS`.
        output: The folder; an earlier export there is replaced.

    Returns:
        The report, as in `report.json`.

    Raises:
        UserError: The folder can't be written, the model can't be converted,
            or an artifact differs from Keras by more than the tolerance.
    """
    with replacing_folder(output, marker=REPORT_JSON) as folder:
        write_text(folder / LABELS, "".join(f"{x}\n" for x in source.labels))
        _say(f"Keras: {len(clips.windows)} windows of {clips.n_clips} clips")
        expected = keras_probabilities(source, clips.windows)
        keras = {"accuracy": accuracy(expected, clips, source.activation)}
        measured = {
            name: _make_and_measure(name, source, clips, expected, folder)
            for name in formats
        }
        report = build_report(source, clips, keras, measured)
        write_json(folder / REPORT_JSON, report)
        write_text(folder / REPORT_MD, report_markdown(report))
    return report


def _clips(source):
    if source.clips_folder is None:
        return synthetic_clips(source.sample_rate, source.window_samples)
    return read_clips(
        source.clips_folder,
        source.sample_rate,
        source.window_samples,
        source.labels,
    )


def _make_and_measure(name, source, clips, expected, folder):
    _say(f"{name}: converting")
    artifact = MAKERS[name](source, folder)
    _say(f"{artifact.path}: comparing with Keras")
    probabilities = artifact.runner.probabilities(clips.windows)
    compared = differences(probabilities, expected)
    check_tolerance(artifact.path, compared, len(clips.windows))
    return {
        "path": artifact.path,
        **artifact.description,
        **compared,
        "accuracy": accuracy(probabilities, clips, source.activation),
        "latency_ms": latency_ms(artifact.runner, clips.windows[:1]),
    }


def _say(line):
    print(line, flush=True)
