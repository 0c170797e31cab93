"""Runs a `.tflite` file with LiteRT alone."""

import numpy as np

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
        n_classes: Classes that it tells apart.

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
        if set(inputs) != {INPUT} or OUTPUT not in outputs:
            raise UserError(
                f"{path} must have a signature from {INPUT} to {OUTPUT}, as python -m "
                f"export writes it; received from {sorted(inputs)} to {sorted(outputs)}"
            )
        self.window_samples = int(inputs[INPUT]["shape"][1])
        self.n_classes = int(outputs[OUTPUT]["shape"][1])

    def probabilities(self, windows):
        """(n, window_samples) -> (n, classes), float32."""
        one_by_one = [
            self._signature(**{INPUT: window[None]})[OUTPUT][0] for window in windows
        ]
        return np.stack(one_by_one)
