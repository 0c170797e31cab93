"""Runs a SavedModel with plain TensorFlow: neither Keras nor leaf_tf."""

import numpy as np

from export.heads import heads_of_outputs, output_name
from export.layout import INPUT, OUTPUT
from files.errors import UserError
from files.quiet import import_tensorflow, native_logs_hidden

_BATCH = 8  # windows at once; the filtered waveform of one takes about 5 MB a second


class SavedModelRunner:
    """A SavedModel's `serving_default`.

    Args:
        folder: Holds `saved_model.pb`.

    Attributes:
        window_samples: Samples that the model takes; None when it takes any number.
        n_classes: {head: classes that it tells apart}; a single head is "".

    Raises:
        UserError: The folder holds no SavedModel, or it lacks the signature.
    """

    def __init__(self, folder):
        self._tf = import_tensorflow()
        with native_logs_hidden():
            try:
                # Kept: a signature doesn't keep the weights it reads alive.
                self._loaded = self._tf.saved_model.load(str(folder))
            # TensorFlow raises many kinds, depending on what is broken.
            except Exception as error:
                raise UserError(
                    f"{folder} is not a SavedModel that loads: {_reason(error)}"
                ) from error
        self._folder = folder
        self.signature = self._loaded.signatures.get("serving_default")
        inputs = self.signature.structured_input_signature[1] if self.signature else {}
        outputs = self.signature.structured_outputs if self.signature else {}
        heads = heads_of_outputs(outputs)
        if set(inputs) != {INPUT} or not heads:
            raise UserError(
                f"{folder} must have a signature serving_default from {INPUT} to "
                f"{OUTPUT}, as python -m export writes it; received from "
                f"{sorted(inputs)} to {sorted(outputs)}"
            )
        self.window_samples = inputs[INPUT].shape[1]
        self.n_classes = {head: outputs[output_name(head)].shape[1] for head in heads}

    def probabilities(self, windows):
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
                f"{self._folder} is not a SavedModel that runs: {_reason(error)}"
            ) from error
        return {
            head: np.concatenate(
                [answer[output_name(head)].numpy() for answer in answers]
            )
            for head in self.n_classes
        }


def _reason(error):
    return (str(error).strip() or type(error).__name__).splitlines()[0]
