"""Opens an artifact to run it, with the report and the labels beside it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from export.contract.heads import Head, heads_of_outputs, numbered_labels
from export.contract.layout import (
    ASSETS,
    REPORT_JSON,
    artifact_folder,
    as_reported,
    is_onnx,
)
from export.contract.own_words import OwnWords, require_fit
from export.contract.probes import Run
from export.runners.beside import note_beside, read_report
from export.runners.finding import find_artifact
from export.runners.integrity import require_intact
from export.runners.streams import is_micro, open_micro
from leaf_files.errors import UserError
from leaf_files.labels import read_labels
from leaf_files.run_folder import SOFTMAX, labels_file


class Runner(Protocol):
    """A classifier at work: `LiteRTRunner`, `OnnxRunner`, ... ."""

    window_samples: int | None
    n_classes: dict[str, int]

    def own_words(self) -> OwnWords | None:
        """The artifact's words about itself."""

    def probabilities(self, windows: np.ndarray) -> Mapping[str, np.ndarray]:
        """(n, window_samples) -> {head: (n, classes), float32}."""


@dataclasses.dataclass(frozen=True)
class OpenArtifact:
    """A model that is ready to run.

    Attributes:
        path: The `.tflite` or `.onnx` file or the SavedModel's folder.
        runner: The runtime that has loaded it.
        sample_rate: Sample rate, Hz.
        window_samples: Length of a window.
        heads: The model's heads; labels are class_0, ... where nothing says them.
        note: Line for people where the report beside it is another model's; None
            where it isn't.

    Example:

    >>> model = open_artifact("artifacts")
    >>> model.path.name, model.sample_rate, model.window_samples, model.note
    ('model.tflite', 8000, 4000, None)
    """

    path: Path
    runner: Runner
    sample_rate: int
    window_samples: int
    heads: tuple[Head, ...]
    note: str | None = None


def open_artifact(path: str | Path, sample_rate: int | None = None) -> OpenArtifact:
    """Opens an artifact; rate, window and labels come from itself, else its report.

    Args:
        path: `.tflite` or `.onnx` file, SavedModel folder or its parent, or
            artifact folder, see `export.runners.finding.find_artifact`.
        sample_rate: Sample rate, Hz, for an artifact whose rate nothing says.

    Raises:
        UserError: There is no artifact, it is damaged or doesn't load, its sample rate
            is not known or another one, or the labels beside it are another model's.

    Example:

    >>> model = open_artifact("artifacts")
    >>> model.heads[0].labels
    ('north', 'south', 'east', 'west')
    >>> model.runner.probabilities(np.zeros((1, 4000), np.float32))[""].shape
    (1, 4)
    """
    path = as_reported(find_artifact(path))
    require_intact(path)
    runner = _runner(path)
    words, note = runner.own_words(), None
    if words is not None:
        require_fit(path, words, runner.n_classes, "inside")
        note = note_beside(path, words)
    else:
        words = read_report(artifact_folder(path) / REPORT_JSON)
    sample_rate = _sample_rate(path, sample_rate, words)
    if words is None:
        words = _guess(path, runner, sample_rate)
    require_fit(path, words, runner.n_classes, "beside")
    return OpenArtifact(
        path=path,
        runner=runner,
        sample_rate=sample_rate,
        window_samples=runner.window_samples or words.window_samples,
        heads=words.heads,
        note=note,
    )


def open_any(path: Path) -> tuple[Run, OwnWords | None]:
    """Opens an artifact of any kind, a classifier or a part of one.

    Args:
        path: `.tflite` or `.onnx` file, or folder of a `saved_model.pb`.

    Returns:
        (run, words): `run` is a function, (n, window_samples) -> {name of a head or
        part: (n, ...)}, that of a streaming model is `StreamRunner.run`; `words` are
        the artifact's own, None if it has none.

    Raises:
        UserError: It doesn't load.

    Example:

    >>> run, words = open_any(Path("artifacts/frontend.tflite"))
    >>> run(np.zeros((1, 4000), np.float32))["features"].shape, words.heads
    ((1, 50, 6), ())
    """
    if path.is_file() and not is_onnx(path):
        from export.runners.litert import LiteRTFile, LiteRTModel
        from export.runners.stream import StreamRunner

        if is_micro(path):
            runner = _runner(path)
            return runner.probabilities, runner.own_words()
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
    if is_micro(path):
        return open_micro(path)
    from export.runners.litert import LiteRTRunner

    return LiteRTRunner(path)


def _sample_rate(path, option, words):
    """The rate in an artifact's words, or that of `--sample-rate` without them."""
    if words is None and option is None:
        raise UserError(
            f"{path} doesn't say what rate of waveforms it takes, and no "
            f"{REPORT_JSON} lies beside it; pass --sample-rate HZ"
        )
    if words is not None and option not in (None, words.sample_rate):
        raise UserError(
            f"{path} takes {words.sample_rate} Hz; received --sample-rate {option}, "
            "leave it out"
        )
    return option if words is None else words.sample_rate


def _guess(path, runner, sample_rate):
    """The `OwnWords` of a model that has none, from its files of labels."""
    heads = tuple(
        Head(name, _labels(path, name, n), SOFTMAX)
        for name, n in runner.n_classes.items()
    )
    # A window of one second, the default of `python -m export`.
    return OwnWords(sample_rate, sample_rate, heads)


def _labels(path, name, n_classes):
    file_name = labels_file(name)
    for file in (path / ASSETS / file_name, artifact_folder(path) / file_name):
        if file.is_file():
            return read_labels(file)
    return numbered_labels(n_classes)
