"""`python -m export RUN_OR_KERAS_FILE --output DIR`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from export.commands.arguments import export_parser, options_of
from export.contract.checksums import checksums
from export.contract.layout import (
    C_HEADER,
    C_SOURCE,
    PROBES,
    README,
    REPORT_JSON,
    REPORT_MD,
    REPORT_PNG,
    STREAMING,
    refuse_foreign_files,
)
from export.contract.probes import Probes
from export.report.card import card_markdown
from export.report.content import build_report
from export.report.figure import draw_report
from export.report.measuring import Measurer
from export.report.text import report_markdown, summary
from export.source.calibrating import calibrated
from export.source.clips import Clips, describe, head_clips
from export.source.opening import Source, open_source
from export.source.settling import unsettled_line, unsettled_norms
from export.writers.listener import write_listener
from export.writers.options import Options
from leaf_files.atomic import (
    replacing_folder,
    writable_folder,
    write_json,
    write_text,
)
from leaf_files.command_line import one_line, program
from leaf_files.errors import UserError


def main(argv: list[str]) -> None:
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
    if arguments.calibrated:
        source = calibrated(source)
    report = export(source, clips, options, arguments.output)
    print(f"\n{summary(report)}\n\nWritten to {arguments.output}", flush=True)
    for note in source.notes:
        print(one_line(f"{program('export')}: note: {note}"), file=sys.stderr)


def export(
    source: Source, clips: Sequence[Clips], options: Options, output: str | Path
) -> dict:
    """Writes an artifact folder, whole or not at all.

    Args:
        source: The model.
        clips: Clips to compare on, of each head.
        options: The files to make.
        output: Folder to write; an earlier export there is replaced.

    Returns:
        The content of `report.json`.

    Raises:
        UserError: The folder can't be written, the model can't be converted,
            an artifact differs from Keras by more than the tolerance, or a
            quantized one that was asked for loses more accuracy than is allowed.
    """
    # Imported here: it loads the libraries that write the artifacts.
    from export.writers.artifacts import makers

    makers_by_name = makers(source, options)
    with replacing_folder(output, marker=REPORT_JSON) as folder:
        for head in source.heads:
            lines = "".join(f"{label}\n" for label in head.labels)
            write_text(folder / head.labels_file, lines)
        about = describe(clips)
        _say(f"Keras: {about['n_windows']} windows of {about['n_clips']} clips")
        measurer = Measurer(source, clips, options.max_accuracy_drop)
        warning = _moving_averages_line(source, clips)
        probes = Probes(source.sample_rate, source.window_samples)
        measured, left_out = {}, {}
        for name, maker in makers_by_name.items():
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
        report["moving_averages"] = warning
        if options.license:
            report["license"] = options.license
        is_drawn = draw_report(report, folder / REPORT_PNG)
        text = report_markdown(report, REPORT_PNG if is_drawn else None)
        write_text(folder / REPORT_MD, text)
        write_json(folder / PROBES, probes.content)
        if (folder / STREAMING).is_file():
            write_listener(folder, source.sample_rate)
        write_text(folder / README, card_markdown(report, checksums(folder)))
        report["files"] = checksums(folder)
        write_json(folder / REPORT_JSON, report)
    return report


def _moving_averages_line(source, clips):
    """A warning on moving averages that don't fit real clips; "" if they do."""
    real = [c.windows for head, c in zip(source.heads, clips) if head.clips_folder]
    warning = unsettled_line(unsettled_norms(source.model, real[0])) if real else ""
    if warning:
        _say(f"Warning: {warning}")
    return warning


def _make_and_measure(name, maker, measurer, probes, folder):
    """The measurements of an artifact; one that fails is removed."""
    _say(f"{name}: converting")
    artifact = maker.make(folder)
    _say(f"{artifact.path}: comparing with Keras")
    try:
        measured = measurer.measure(artifact, maker)
    except UserError:
        if not maker.is_wanted:  # else the whole folder goes
            _remove(folder / artifact.path)
        raise
    probes.ask(artifact.path, artifact.run, maker.is_exact)
    return measured


def _remove(path):
    """Removes the file of an artifact, and its C."""
    for ending in ("", C_SOURCE, C_HEADER):
        (path.with_suffix(ending) if ending else path).unlink(missing_ok=True)


def _say(line):
    print(line, flush=True)
