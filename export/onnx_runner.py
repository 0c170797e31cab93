"""Runs an ONNX file with ONNX Runtime alone."""

from export.heads import heads_of_outputs, output_name
from export.layout import INPUT, OUTPUT
from files.errors import UserError


class OnnxRunner:
    """An ONNX file of a classifier with a fixed window.

    Args:
        path: The file.
        n_threads: CPU threads. Defaults to 1.

    Attributes:
        window_samples: Samples that the model takes.
        n_classes: {head: classes that it tells apart}; a single head is "".

    Raises:
        UserError: The file is no model, lacks the outputs, or ONNX Runtime is not
            installed.
    """

    def __init__(self, path, n_threads=1):
        try:
            import onnxruntime
        except ImportError as error:
            raise UserError(
                f"{path} needs ONNX Runtime; install it: pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = n_threads
        options.log_severity_level = 4  # what goes wrong arrives as an exception
        try:
            self._session = onnxruntime.InferenceSession(str(path), options)
        # Its many kinds have no common base but this.
        except Exception as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"{path} is not a model that ONNX Runtime runs: {reason}"
            ) from error
        inputs = {entry.name: entry.shape for entry in self._session.get_inputs()}
        outputs = {entry.name: entry.shape for entry in self._session.get_outputs()}
        heads = heads_of_outputs(outputs)
        if set(inputs) != {INPUT} or not heads:
            raise UserError(
                f"{path} must be a model from {INPUT} to {OUTPUT}, as python -m export "
                f"writes it; received from {sorted(inputs)} to {sorted(outputs)}"
            )
        self.window_samples = inputs[INPUT][1]
        self.n_classes = {head: outputs[output_name(head)][1] for head in heads}

    def probabilities(self, windows):
        """(n, window_samples) -> {head: (n, classes), float32}."""
        names = [output_name(head) for head in self.n_classes]
        answers = self._session.run(names, {INPUT: windows})
        return dict(zip(self.n_classes, answers))
