"""The runtimes that `predict` runs artifacts by."""

from pathlib import Path

from export.contract.probes import Run
from export.runners.opening import open_any


def load(path: Path) -> Run:
    """Opens an artifact by LiteRT, ONNX Runtime or TensorFlow.

    Args:
        path: `.tflite` or `.onnx` file, or folder of a `saved_model.pb`.

    Raises:
        UserError: It doesn't load.

    Example:

    >>> run = load(Path("artifacts/model.tflite"))
    >>> run(np.zeros((2, 4000), np.float32))[""].shape
    (2, 4)
    """
    run, _ = open_any(path)
    return run
