"""Runs a `.tflite` file with LiteRT alone."""

import numpy as np

from export.heads import heads_of_outputs, output_name
from export.layout import INPUT, OUTPUT
from files.errors import UserError
from files.quiet import native_logs_hidden


class LiteRTRunner:
    """A `.tflite` file with a fixed window, one window at a time.

    Args:
        path: The file.
        n_threads: CPU threads. Defaults to 1.

    Attributes:
        window_samples: Samples that the model takes.
        n_classes: {head: classes that it tells apart}; a single head is "".

    Raises:
        UserError: The file is no model, or lacks the signature.
    """

    def __init__(self, path, n_threads=1):
        with native_logs_hidden():
            from ai_edge_litert.interpreter import Interpreter

            try:
                self._interpreter = Interpreter(str(path), num_threads=n_threads)
                self._interpreter.allocate_tensors()
                self._signature = self._interpreter.get_signature_runner()
            except (ValueError, RuntimeError) as error:
                reason = str(error).splitlines()[0]
                raise UserError(
                    f"{path} is not a TFLite model that LiteRT runs: {reason}"
                ) from error
        inputs = self._signature.get_input_details()
        outputs = self._signature.get_output_details()
        heads = heads_of_outputs(outputs)
        if set(inputs) != {INPUT} or not heads:
            raise UserError(
                f"{path} must have a signature from {INPUT} to {OUTPUT}, as python -m "
                f"export writes it; received from {sorted(inputs)} to {sorted(outputs)}"
            )
        self.window_samples = int(inputs[INPUT]["shape"][1])
        self.n_classes = {
            head: int(outputs[output_name(head)]["shape"][1]) for head in heads
        }

    def probabilities(self, windows):
        """(n, window_samples) -> {head: (n, classes), float32}."""
        answers = [self._signature(**{INPUT: window[None]}) for window in windows]
        return {
            head: np.concatenate([answer[output_name(head)] for answer in answers])
            for head in self.n_classes
        }
