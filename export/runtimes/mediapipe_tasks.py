"""MediaPipe's AudioClassifier, by which apps of Android and iOS run a file."""

import importlib
import threading
from pathlib import Path

import numpy as np

from export.contract.heads import heads_of_outputs, output_name
from export.contract.layout import INPUT
from export.contract.probes import Run
from export.runtimes.ports import failures_named, run_of, tflite_ports
from export.tflite_format.words import read_words
from leaf_files.errors import UserError
from leaf_files.quiet import native_logs_hidden


def load(path: Path) -> Run:
    """Opens a classifier's `.tflite` file.

    Args:
        path: The file.

    Raises:
        UserError: It is no classifier of whole windows, or doesn't load; or it carries
            decisions, which MediaPipe applies, so that it doesn't give all scores.
    """
    ports = tflite_ports(path)
    heads = heads_of_outputs(ports.outputs)
    words = read_words(path, ports.outputs)
    if ports.is_stream or not heads or words is None:
        raise UserError(f"{path} is no classifier of whole windows, as MediaPipe takes")
    if any(not head.decisions.is_identity for head in words.heads):
        raise UserError(
            f"{path} carries decisions: MediaPipe applies them, and doesn't give all "
            "scores"
        )
    only = output_name(heads[0]) if len(heads) == 1 else None
    with native_logs_hidden(), failures_named(path):
        classifier = _Classifier(path, words.sample_rate, only)
    return run_of(path, ports, classifier.call)


class _Classifier:
    """MediaPipe's classifier; closed with this, as it complains if it is not."""

    def __init__(self, path, sample_rate, only):
        # MediaPipe keeps the error of a missing PortAudio, and with it all frames below
        # its import and what they hold. In a thread there are none.
        importing = threading.Thread(
            target=importlib.import_module, args=("mediapipe.tasks.python.audio",)
        )
        importing.start()
        importing.join()
        from mediapipe.tasks.python import audio
        from mediapipe.tasks.python.core.base_options import BaseOptions

        options = audio.AudioClassifierOptions(BaseOptions(model_asset_path=str(path)))
        self._classifier = audio.AudioClassifier.create_from_options(options)
        self._sample_rate = sample_rate
        self._only = only

    def call(self, values):
        from mediapipe.tasks.python.components.containers import AudioData

        sound = AudioData.create_from_array(values[INPUT][0], self._sample_rate)
        (window,) = self._classifier.classify(sound)
        return {
            self._only or head.head_name: _in_order(head.categories)
            for head in window.classifications
        }

    def __del__(self):
        if hasattr(self, "_classifier"):
            self._classifier.close()


def _in_order(categories):
    """(1, classes): the scores, which come sorted, by the index of their label."""
    scores = np.zeros((1, len(categories)), np.float32)
    for category in categories:
        scores[0, category.index] = category.score
    return scores
