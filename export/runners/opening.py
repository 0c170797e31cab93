"""Opens an artifact to run it, with what lies beside it."""

import dataclasses
from pathlib import Path

from export.contract.heads import SOFTMAX, Head, heads_of_outputs
from export.contract.layout import (
    ASSETS,
    REPORT_JSON,
    artifact_folder,
    as_reported,
    is_onnx,
    labels_file,
)
from export.contract.own_words import (
    OwnWords,
    difference,
    require_fit,
    words_of,
)
from export.runners.finding import find_artifact
from export.runners.integrity import require_intact
from files.errors import UserError
from files.json_files import read_json
from files.labels import read_labels


@dataclasses.dataclass(frozen=True)
class OpenArtifact:
    """A model that is ready to run.

    Attributes:
        path: The `.tflite` or `.onnx` file or the SavedModel's folder.
        runner: `LiteRTRunner`, `OnnxRunner` or `SavedModelRunner`.
        sample_rate: In Hz.
        window_samples: Length of a window.
        heads: tuple of `export.contract.heads.Head`; labels are class_0, ... where
            nothing tells them.
        note: A line for people where the report beside it tells of another model;
            None where it doesn't.
    """

    path: Path
    runner: object
    sample_rate: int
    window_samples: int
    heads: tuple
    note: str | None = None


def open_artifact(path, sample_rate=None):
    """Opens an artifact; rate, window and labels come from itself, else its report.

    Args:
        path: `.tflite` or `.onnx` file, SavedModel folder or its parent, or
            artifact folder, see `export.runners.finding.find_artifact`.
        sample_rate: In Hz, where nothing tells it.

    Returns:
        `OpenArtifact`.

    Raises:
        UserError: No artifact lies there, it is damaged or doesn't load, its sample
            rate is not known or another one, or the labels beside it are another
            model's.
    """
    path = as_reported(find_artifact(path))
    require_intact(path)
    runner = _runner(path)
    own, note = runner.own_words(), None
    if own is not None:
        require_fit(path, own, runner.n_classes, "inside")
        note = note_beside(path, own)
    told = own or _read_report(artifact_folder(path) / REPORT_JSON)
    sample_rate = _sample_rate(path, sample_rate, told)
    if told is None:
        told = _guess(path, runner, sample_rate)
    require_fit(path, told, runner.n_classes, "beside")
    return OpenArtifact(
        path=path,
        runner=runner,
        sample_rate=sample_rate,
        window_samples=runner.window_samples or told.window_samples,
        heads=told.heads,
        note=note,
    )


def open_any(path):
    """Opens an artifact of any kind, a classifier or a part of one.

    Args:
        path: `.tflite` or `.onnx` file, or folder of a `saved_model.pb`.

    Returns:
        (run, own): a function, (n, window_samples) -> {name of a head or part:
        (n, ...)}, of a streaming model as `StreamRunner.run`; and the `OwnWords` of
        the artifact, None if it has none.

    Raises:
        UserError: It doesn't load.
    """
    if path.is_file() and not is_onnx(path):
        from export.runners.litert import LiteRTFile, LiteRTModel
        from export.runners.stream import StreamRunner

        if LiteRTFile(path).is_stream:
            stream = StreamRunner(path)
            return stream.run, stream.own_words()
        model = LiteRTModel(path)
        if not heads_of_outputs(model.outputs):
            return model.run, model.own_words()
    runner = _runner(path)
    return runner.probabilities, runner.own_words()


def _runner(path):
    # Imported here: a .tflite file is run where TensorFlow is not installed.
    if path.is_dir():
        from export.runners.saved_model import SavedModelRunner

        return SavedModelRunner(path)
    if is_onnx(path):
        from export.runners.onnx import OnnxRunner

        return OnnxRunner(path)
    from export.runners.litert import LiteRTRunner

    return LiteRTRunner(path)


def note_beside(path, own):
    """What to say where the files beside an artifact tell something else than it.

    Args:
        path: Of the artifact.
        own: Its `OwnWords`.

    Returns:
        str, a line; None if they agree, or can't be read: they aren't needed.
    """
    folder = artifact_folder(path)
    try:
        report = _read_report(folder / REPORT_JSON)
    except UserError:
        report = None
    differs = report and difference(own, report)
    if differs:
        return (
            f"{path} says of itself: {differs} as {REPORT_JSON} beside it has it, "
            "which is another model's; the file is believed"
        )
    for head in own.heads:
        index = _first_other(head.labels, folder / head.labels_file)
        if index is not None:
            return (
                f"{path} names label {index + 1} {head.labels[index]} itself, other "
                f"than {head.labels_file} beside it; the file is believed, and "
                "python -m export --labels writes one with other names"
            )
    return None


def _first_other(labels, file):
    """Where a file of as many labels first has another one; None if nowhere."""
    try:
        others = read_labels(file) if file.is_file() else labels
    except UserError:
        return None
    if len(others) != len(labels):
        return None  # of another model
    differ = (i for i, (own, other) in enumerate(zip(labels, others)) if own != other)
    return next(differ, None)


def _read_report(path):
    """The `OwnWords` in a report; None if there is no report."""
    if not path.is_file():
        return None
    try:
        return words_of(read_json(path))
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is not a report of python -m export "
            f"({type(error).__name__}: {error}); move it away and pass "
            "--sample-rate"
        ) from error


def _sample_rate(path, given, told):
    if told is None and given is None:
        raise UserError(
            f"{path} doesn't say what rate of waveforms it takes, and no "
            f"{REPORT_JSON} lies beside it; pass --sample-rate HZ"
        )
    if told is not None and given not in (None, told.sample_rate):
        raise UserError(
            f"{path} takes {told.sample_rate} Hz; received --sample-rate {given}, "
            "leave it out"
        )
    return given if told is None else told.sample_rate


def _guess(path, runner, sample_rate):
    """The `OwnWords` of a model of which nothing but its files of labels is known."""
    heads = tuple(
        Head(name, _labels(path, name, n), SOFTMAX)
        for name, n in runner.n_classes.items()
    )
    # One second, as `python -m export` has it.
    return OwnWords(sample_rate, sample_rate, heads)


def _labels(path, name, n_classes):
    file_name = labels_file(name)
    for file in (path / ASSETS / file_name, artifact_folder(path) / file_name):
        if file.is_file():
            return read_labels(file)
    return tuple(f"class_{index}" for index in range(n_classes))
