"""Runs a SavedModel with plain TensorFlow: neither Keras nor leaf_tf."""

from pathlib import Path

import numpy as np

from export.contract.classifier import require_classifier, shape_of
from export.contract.failures import parsing
from export.contract.heads import output_name
from export.contract.layout import (
    ABOUT,
    ASSETS,
    INPUT,
    QUESTION,
    SIGNATURE,
)
from export.contract.own_words import OwnWords, words_of
from leaf_files.decisions import Decisions
from leaf_files.errors import UserError, first_line
from leaf_files.json_files import parse_json
from leaf_files.quiet import import_tensorflow, native_logs_hidden
from leaf_files.run_folder import labels_file
from leaf_files.text import lines_of

_BATCH = 8  # windows at once: a second of filtered waveform takes about 5 MB


class SavedModelRunner:
    """A SavedModel's `serving_default`.

    Args:
        folder: Folder of a `saved_model.pb`.

    Attributes:
        window_samples: Length of the waveform that the model takes; None when it takes
            any length.
        n_classes: {head: number of classes}; a single head is "".
        signature: The loaded signature.
        signatures: Names of all of them, sorted.

    Raises:
        UserError: The folder holds no SavedModel, or it lacks the signature.
    """

    def __init__(self, folder: Path):
        self._tf = import_tensorflow()
        with native_logs_hidden():
            try:
                # Kept, since a signature doesn't keep its weights alive.
                self._loaded = self._tf.saved_model.load(str(folder))
            # TensorFlow raises many kinds of errors.
            except Exception as error:
                raise UserError(
                    f"{folder} is not a SavedModel that loads: {first_line(error)}"
                ) from error
        self._folder = folder
        self.signature = self._loaded.signatures.get(SIGNATURE)
        self.signatures = sorted(self._loaded.signatures)
        inputs = self.signature.structured_input_signature[1] if self.signature else {}
        outputs = self.signature.structured_outputs if self.signature else {}
        self.window_samples, self.n_classes = require_classifier(
            folder, _shapes(inputs), _shapes(outputs)
        )

    def own_words(self) -> OwnWords | None:
        """The `OwnWords` in the signature `about`; None without it.

        The labels are those of its assets, which people change, if there are any.

        Raises:
            UserError: They can't be read.
        """
        about = self._loaded.signatures.get(ABOUT)
        if about is None or "sample_rate" not in about.structured_outputs:
            return None
        with parsing(self._folder):
            answer = about(**{QUESTION: self._tf.constant("")})
            return words_of(
                {
                    "sample_rate": int(answer["sample_rate"]),
                    "window_samples": int(answer["window_samples"]),
                    "heads": [self._head(name, answer) for name in self.n_classes],
                }
            )

    def _head(self, name, answer):
        labels = answer[output_name(name, "labels")].numpy()
        activation = answer[output_name(name, "activation")].numpy()
        asset = Path(self._folder, ASSETS, labels_file(name))
        inside = [label.decode() for label in labels.tolist()]
        labels = lines_of(asset.read_bytes()) if asset.is_file() else inside
        head = {"name": name, "labels": labels, "activation": activation.decode()}
        decisions = answer.get(output_name(name, "decisions"))
        if decisions is not None:
            of_inside = Decisions.from_dict(parse_json(decisions.numpy()))
            head["decisions"] = of_inside.relabelled(inside, labels).to_dict()
        return head

    def probabilities(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """(n, samples) -> {head: (n, classes), float32}."""
        try:
            answers = [
                self.signature(
                    **{INPUT: self._tf.constant(windows[start : start + _BATCH])}
                )
                for start in range(0, len(windows), _BATCH)
            ]
        except self._tf.errors.OpError as error:
            raise UserError(
                f"{self._folder} is not a SavedModel that runs: {first_line(error)}"
            ) from error
        return {
            head: np.concatenate(
                [answer[output_name(head)].numpy() for answer in answers]
            )
            for head in self.n_classes
        }


def _shapes(entries):
    return {
        name: shape_of(entry.shape.as_list() if entry.shape.rank else None)
        for name, entry in entries.items()
    }
