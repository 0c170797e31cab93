"""Runs an ONNX file with ONNX Runtime alone."""

import json
from pathlib import Path

import numpy as np

from export.contract.classifier import require_classifier, shape_of
from export.contract.failures import parsing
from export.contract.heads import output_name
from export.contract.layout import INPUT
from export.contract.own_words import OwnWords, words_of
from leaf_files.errors import UserError, first_line


class OnnxRunner:
    """An ONNX file of a classifier with a fixed window.

    Args:
        path: The file.
        n_threads: CPU threads. Defaults to 1.

    Attributes:
        window_samples: Length of the waveform that the model takes; None when it takes
            any length.
        n_classes: {head: number of classes}; a single head is "".

    Raises:
        UserError: The file is no model, lacks the outputs, or ONNX Runtime is not
            installed.
    """

    def __init__(self, path: Path, n_threads: int = 1):
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError(
                f"{path} needs ONNX Runtime; install it: pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.log_severity_level = 4  # failures arrive as exceptions
        try:
            self._session = onnxruntime.InferenceSession(str(path), options)
        # Its many kinds of errors have no common base but this.
        except Exception as error:
            raise _refusal(path, error) from error
        inputs, outputs = (
            {entry.name: shape_of(entry.shape) for entry in entries}
            for entries in (self._session.get_inputs(), self._session.get_outputs())
        )
        self._path = path
        self.window_samples, self.n_classes = require_classifier(path, inputs, outputs)

    def own_words(self) -> OwnWords | None:
        """The `OwnWords` in the file's metadata; None without them.

        Raises:
            UserError: They can't be read.
        """
        metadata = self._session.get_modelmeta().custom_metadata_map
        if not {"sample_rate", "heads"} <= set(metadata):
            return None
        with parsing(self._path):
            heads = json.loads(metadata["heads"])
            # Older files tell the window by their input alone.
            window = self.window_samples or metadata.get("window_samples")
            return words_of(
                {
                    "sample_rate": int(metadata["sample_rate"]),
                    "window_samples": int(window),
                    "heads": [{"name": name, **head} for name, head in heads.items()],
                    "made_by": metadata.get("made_by", ""),
                }
            )

    def probabilities(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """(n, window_samples) -> {head: (n, classes), float32}."""
        names = [output_name(head) for head in self.n_classes]
        try:
            answers = self._session.run(names, {INPUT: windows})
        except Exception as error:  # many kinds, as above
            raise _refusal(self._path, error) from error
        for name, answer, n in zip(names, answers, self.n_classes.values()):
            if answer.shape != (len(windows), n):
                reason = f"{name} has the shape {answer.shape}, not the declared one"
                raise _refusal(self._path, reason)
        return dict(zip(self.n_classes, answers))


def _refusal(path, error):
    return UserError(
        f"{path} is not a model that ONNX Runtime runs: {first_line(error)}"
    )
