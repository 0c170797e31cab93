"""Opens a streaming file by the runtime that it is for."""

from pathlib import Path
from typing import Any

from export.contract.failures import parsing
from export.runners.stream import StreamRunner
from export.tflite_format.stream_facts import read_facts
from leaf_files.errors import UserError


def is_micro(path: Path) -> bool:
    """Whether a `.tflite` file is a model for microcontrollers, by its own facts.

    Example:

    >>> is_micro(Path("artifacts/model_streaming.tflite"))
    False
    """
    with open(path, "rb") as file, parsing(path):
        facts = read_facts(file.read())
    return facts is not None and facts.is_micro


def open_stream(path: Path) -> Any:
    """Opens a streaming file by the runtime that it is for.

    Args:
        path: The `.tflite` file.

    Returns:
        `StreamRunner`, or `MicroRunner` of a model for microcontrollers.

    Raises:
        UserError: It is no streaming file, or that runtime is not installed.

    Example:

    >>> open_stream(Path("artifacts/model_streaming.tflite")).facts.chunk_ms
    100.0
    """
    return open_micro(path) if is_micro(path) else StreamRunner(path)


def open_micro(path: Path) -> Any:
    """Opens a model for microcontrollers by TFLite Micro.

    Args:
        path: The `.tflite` file.

    Returns:
        `MicroRunner`.

    Raises:
        UserError: TFLite Micro is not installed.

    Example:

    >>> open_micro(Path("artifacts/micro.tflite"))  # doctest: +SKIP
    <export.runners.micro.MicroRunner object at ...>
    """
    from export.runners.micro import MicroRunner

    try:
        return MicroRunner(path)
    except ImportError as error:
        raise UserError(
            f"{path} is a model for microcontrollers, and tflite-micro, which runs "
            "it, is not installed; install it: python -m pip install tflite-micro"
        ) from error
