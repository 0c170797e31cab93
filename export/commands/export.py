"""`python -m export RUN_OR_KERAS_FILE --output DIR`."""

import sys

from export.commands.arguments import export_parser, options_of
from export.contract.checksums import checksums
from export.contract.layout import (
    PROBES,
    REPORT_JSON,
    REPORT_MD,
    REPORT_PNG,
    refuse_foreign_files,
)
from export.contract.probes import Probes
from export.report.content import build_report
from export.report.figure import draw_report
from export.report.measuring import Measurer
from export.report.text import report_markdown, summary
from export.source.clips import describe, head_clips
from export.source.opening import open_source
from export.source.settling import unsettled_line, unsettled_norms
from files.atomic import (
    replacing_folder,
    writable_folder,
    write_json,
    write_text,
)
from files.command_line import one_line
from files.errors import UserError


def main(argv):
    """Runs the command; see `export.commands.arguments` for what it takes."""
    arguments = export_parser().parse_args(argv)
    options = options_of(arguments)
    refuse_foreign_files(arguments.output)
    writable_folder(arguments.output)
    _say(f"Loading {arguments.source}")
    source = open_source(
        arguments.source,
        arguments.window,
        arguments.labels,
        arguments.clips,
        arguments.calibration,
        arguments.activation,
    )
    clips = [
        head_clips(head, source.sample_rate, source.window_samples)
        for head in source.heads
    ]
    report = export(source, clips, options, arguments.output)
    print(f"\n{summary(report)}\n\nWritten to {arguments.output}", flush=True)
    for note in source.notes:
        print(one_line(f"python -m export: note: {note}"), file=sys.stderr)


def export(source, clips, options, output):
    """Writes an artifact folder, whole or not at all.

    Args:
        source: `export.source.opening.Source`.
        clips: list of `export.source.clips.Clips` to compare on, one per head.
        options: `export.writers.options.Options`.
        output: The folder; an earlier export there is replaced.

    Returns:
        The report, as in `report.json`.

    Raises:
        UserError: The folder can't be written, the model can't be converted,
            an artifact differs from Keras by more than the tolerance, or a
            quantized one that was asked for loses more accuracy than is allowed.
    """
    # Imported here: it loads what writes the artifacts.
    from export.writers.artifacts import makers

    wanted = makers(source, options)
    with replacing_folder(output, marker=REPORT_JSON) as folder:
        for head in source.heads:
            lines = "".join(f"{label}\n" for label in head.labels)
            write_text(folder / head.labels_file, lines)
        about = describe(clips)
        _say(f"Keras: {about['n_windows']} windows of {about['n_clips']} clips")
        measurer = Measurer(source, clips, options.max_accuracy_drop)
        told = _of_moving_averages(source, clips)
        probes = Probes(source.sample_rate, source.window_samples)
        measured, left_out = {}, {}
        for name, maker in wanted.items():
            try:
                measured[name] = _make_and_measure(
                    name, maker, measurer, probes, folder
                )
            except UserError as error:
                if maker.is_wanted:
                    raise UserError(f"{error}; nothing was written") from error
                _say(f"{name}: left out")
                left_out[name] = str(error)
        report = build_report(source, clips, measurer.keras, measured, left_out)
        report["moving_averages"] = told
        is_drawn = draw_report(report, folder / REPORT_PNG)
        text = report_markdown(report, REPORT_PNG if is_drawn else None)
        write_text(folder / REPORT_MD, text)
        write_json(folder / PROBES, probes.content)
        report["files"] = checksums(folder)
        write_json(folder / REPORT_JSON, report)
    return report


def _of_moving_averages(source, clips):
    """What is wrong with them, by clips that are not synthetic; "" if nothing is."""
    own = [c.windows for head, c in zip(source.heads, clips) if head.clips_folder]
    told = unsettled_line(unsettled_norms(source.model, own[0])) if own else ""
    if told:
        _say(f"Warning: {told}")
    return told


def _make_and_measure(name, maker, measurer, probes, folder):
    """What was measured on an artifact; one that fails is removed."""
    _say(f"{name}: converting")
    artifact = maker.make(folder)
    _say(f"{artifact.path}: comparing with Keras")
    try:
        measured = measurer.measure(artifact, maker)
    except UserError:
        if not maker.is_wanted:  # else the whole folder goes
            (folder / artifact.path).unlink()
        raise
    probes.ask(artifact.path, artifact.run, maker.is_exact)
    return measured


def _say(line):
    print(line, flush=True)
