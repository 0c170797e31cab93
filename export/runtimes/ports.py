"""What a model takes and gives, and its answers to windows or to a stream."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from export.contract.failures import parsing
from export.contract.heads import heads_of_outputs, output_name
from export.contract.layout import INPUT, STATE
from export.contract.probes import Run
from export.tflite_format.ends import ends_of
from export.tflite_format.model import read_model
from leaf_files.errors import UserError, first_line

# {name of an input: its value} -> {name of an output: its value}.
Call = Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]]


@dataclasses.dataclass(frozen=True)
class Ports:
    """Inputs and outputs, in the order in which a runtime numbers them.

    Attributes:
        inputs, outputs: {name: shape}.

    Example:

    >>> Ports({"waveform": (1, 4000)}, {"probabilities": (1, 4)}).is_stream
    False
    """

    inputs: dict[str, tuple[int, ...]]
    outputs: dict[str, tuple[int, ...]]

    @property
    def is_stream(self) -> bool:
        """Whether it is a streaming model, which continues from chunk to chunk."""
        return any(name.startswith(STATE) for name in self.inputs)


def tflite_ports(path: Path) -> Ports:
    """The ports of a `.tflite` file of one signature.

    Args:
        path: The file.

    Raises:
        UserError: It can't be read, or has no such signature.

    Example:

    >>> tflite_ports(Path("artifacts/frontend.tflite"))
    Ports(inputs={'waveform': (1, 4000)}, outputs={'features': (1, 50, 6)})
    """
    with parsing(path):
        inputs, outputs = ends_of(read_model(path.read_bytes()))
    return Ports(*({end.name: end.shape for end in ends} for ends in (inputs, outputs)))


def run_of(path: Path, ports: Ports, call: Call) -> Run:
    """The function that answers probes, over one that runs a model once.

    Args:
        path: The artifact, for messages.
        ports: Its ports.
        call: Runs it once.

    Returns:
        (n, window_samples) -> {name of a head or part: (n, ...)}. A streaming model
        takes the windows as one sound, chunk by chunk, and answers each.

    Example:

    >>> ports = Ports({"waveform": (1, 4)}, {"probabilities": (1, 1)})
    >>> run = run_of(Path("a.tflite"), ports, lambda inputs: {"probabilities": [[0.5]]})
    >>> run(np.zeros((3, 4)))
    {'': array([[0.5],
           [0.5],
           [0.5]])}
    """
    heads = {output_name(head): head for head in heads_of_outputs(ports.outputs)}
    names = heads or {n: n for n in ports.outputs if not n.startswith(STATE)}
    ask = _stream(ports, call) if ports.is_stream else _windows(call)

    def run(windows):
        with failures_named(path):
            answers = list(ask(windows))
        return {
            name: np.concatenate([answer[output] for answer in answers])
            for output, name in names.items()
        }

    return run


def _windows(call):
    def ask(windows):
        for window in windows:
            yield call({INPUT: window[None]})

    return ask


def _stream(ports, call):
    def ask(windows):
        shapes = dict(ports.inputs)
        _, size = shapes.pop(INPUT)
        states = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        sound = np.reshape(windows, -1)
        for chunk in np.pad(sound, (0, -sound.size % size)).reshape(-1, size):
            outputs = call({INPUT: chunk[None], **states})
            # Copied: a runtime may hand out memory that its next run writes to.
            states = {name: np.array(outputs[name]) for name in states}
            yield outputs

    return ask


@contextlib.contextmanager
def failures_named(path: Path) -> Iterator[None]:
    """Makes `UserError`s of a runtime's errors, while it loads or runs an artifact.

    Args:
        path: The artifact, for the message.

    Example:

    >>> with failures_named(Path("model.tflite")):
    ...     raise RuntimeError("DEQUANTIZE failed to prepare")
    Traceback (most recent call last):
    leaf_files.errors.UserError: model.tflite does not run: DEQUANTIZE failed to prepare
    """
    try:
        yield
    except UserError:
        raise
    # Runtimes raise errors of many kinds; what they say last says most.
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else first_line(error)
        raise UserError(f"{path} does not run: {reason:.200}") from error
