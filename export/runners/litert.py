"""Runs a `.tflite` file with LiteRT alone."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from export.contract.classifier import foreign_model, require_classifier
from export.contract.heads import output_name
from export.contract.layout import INPUT, STATE
from export.contract.own_words import OwnWords
from export.tflite_format.words import read_words
from leaf_files.command_line import runner
from leaf_files.errors import UserError, first_line
from leaf_files.quiet import native_logs_hidden

_DELEGATE = "DELEGATE"  # LiteRT's name of a piece of the graph that XNNPACK runs


@dataclasses.dataclass(frozen=True)
class Delegation:
    """Division of a graph between LiteRT and XNNPACK, its library of fast operators.

    Attributes:
        partitions: Number of pieces that XNNPACK runs, each as a whole.
        operators_outside: Number of operators that LiteRT runs itself, in between.

    Example:

    >>> Delegation(partitions=1, operators_outside=0).partitions
    1
    """

    partitions: int
    operators_outside: int


class LiteRTFile:
    """A `.tflite` file of one signature.

    Args:
        path: The file.
        n_threads: CPU threads. Defaults to 1.

    Attributes:
        inputs, outputs: {name: shape} of the signature.

    Raises:
        UserError: The file is no such model.

    Example:

    >>> file = LiteRTFile("artifacts/model.tflite")
    >>> file.inputs, file.outputs, file.is_stream
    ({'waveform': (1, 4000)}, {'probabilities': (1, 4)}, False)
    """

    def __init__(self, path: str | Path, n_threads: int = 1):
        with native_logs_hidden():
            from ai_edge_litert.interpreter import Interpreter

            try:
                self._interpreter = Interpreter(str(path), num_threads=n_threads)
                self._interpreter.allocate_tensors()
                if len(self._interpreter.get_signature_list()) != 1:
                    raise _foreign(path, self._interpreter)
                self._signature = self._interpreter.get_signature_runner()
                self.inputs: dict[str, tuple[int, ...]] = _shapes(
                    self._signature.get_input_details()
                )
                self.outputs: dict[str, tuple[int, ...]] = _shapes(
                    self._signature.get_output_details()
                )
            except (ValueError, RuntimeError) as error:
                raise _refusal(path, error) from error
        self._path = path

    @property
    def is_stream(self) -> bool:
        """Whether it is a streaming model, which continues from chunk to chunk."""
        return any(name.startswith(STATE) for name in self.inputs)

    def delegation(self) -> Delegation | None:
        """The `Delegation`; None where this LiteRT doesn't give it."""
        try:
            operators = self._interpreter._get_ops_details()
            pieces = [op for op in operators if op["op_name"] == _DELEGATE]
            others = [op for op in operators if op["op_name"] != _DELEGATE]
            pieces_inputs = [set(op["inputs"].tolist()) for op in pieces]
            pieces_outputs = [op["outputs"].tolist() for op in pieces]
        except (AttributeError, KeyError, TypeError):
            return None
        makers = {
            index: op["index"] for op in others for index in op["outputs"].tolist()
        }
        inputs = {op["index"]: op["inputs"].tolist() for op in others}
        # LiteRT lists the operators of a piece as well: those between its outputs and
        # its inputs.
        inside: set[int] = set()
        for piece_inputs, waiting in zip(pieces_inputs, pieces_outputs):
            while waiting:
                tensor = waiting.pop()
                maker = makers.get(tensor)
                if tensor in piece_inputs or maker is None or maker in inside:
                    continue
                inside.add(maker)
                waiting.extend(inputs[maker])
        return Delegation(len(pieces), len(others) - len(inside))


@contextlib.contextmanager
def failures_named(path: str | Path) -> Iterator[None]:
    """Makes `UserError`s of LiteRT's errors, while it runs the file at `path`.

    Example:

    >>> with failures_named("model.tflite"):
    ...     raise RuntimeError("tensor 3 is missing")
    Traceback (most recent call last):
    leaf_files.errors.UserError: model.tflite is not a TFLite model ...
    """
    try:
        yield
    except (ValueError, RuntimeError) as error:
        raise _refusal(path, error) from error


def _refusal(path, error):
    return UserError(
        f"{path} is not a TFLite model that LiteRT runs: {first_line(error)}"
    )


def _foreign(path, interpreter):
    """The `UserError` for a file without a signature, or with several."""
    shapes = [
        {detail["name"]: tuple(detail["shape"].tolist()) for detail in details}
        for details in (
            interpreter.get_input_details(),
            interpreter.get_output_details(),
        )
    ]
    return foreign_model(path, *shapes)


def _shapes(details) -> dict[str, tuple[int, ...]]:
    return {
        name: tuple(int(size) for size in detail["shape"])
        for name, detail in details.items()
    }


class LiteRTModel(LiteRTFile):
    """A `.tflite` file of one signature from a window to named outputs.

    Args:
        path, n_threads: Arguments of `LiteRTFile`.

    Attributes:
        window_samples: Length of the waveform that the model takes.

    Raises:
        UserError: The file is no model, or takes something else.

    Example:

    >>> model = LiteRTModel("artifacts/frontend.tflite")
    >>> model.run(np.zeros((2, 4000), np.float32))["features"].shape
    (2, 50, 6)
    """

    def __init__(self, path: str | Path, n_threads: int = 1):
        super().__init__(path, n_threads)
        if self.is_stream:
            raise UserError(
                f"{path} is a streaming model, which takes chunk after chunk; run "
                f"it with {runner('listen')}"
            )
        if set(self.inputs) != {INPUT} or len(self.inputs[INPUT]) != 2:
            raise foreign_model(Path(path), self.inputs, self.outputs)
        self.window_samples: int = self.inputs[INPUT][1]

    def own_words(self) -> OwnWords | None:
        """The file's `OwnWords`; None if it has none.

        Raises:
            UserError: They can't be read.
        """
        words = read_words(Path(self._path), self.outputs)
        # The input tells the length, whatever the words say.
        return words and dataclasses.replace(words, window_samples=self.window_samples)

    def run(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """(n, window_samples) -> {output: (n, ...), float32}, one window at a time."""
        with failures_named(self._path):
            answers = [self._signature(**{INPUT: window[None]}) for window in windows]
        return {
            name: np.concatenate([answer[name] for answer in answers])
            for name in self.outputs
        }


class LiteRTRunner(LiteRTModel):
    """A `.tflite` file of a classifier with a fixed window.

    Args:
        path, n_threads: Arguments of `LiteRTFile`.

    Attributes:
        window_samples: Length of the waveform that the model takes.
        n_classes: {head: number of classes}; a single head is "".

    Raises:
        UserError: The file is no model, or lacks the signature.

    Example:

    >>> runner = LiteRTRunner("artifacts/model.tflite")
    >>> runner.probabilities(np.zeros((2, 4000), np.float32))[""].shape
    (2, 4)
    """

    def __init__(self, path: str | Path, n_threads: int = 1):
        super().__init__(path, n_threads)
        _, self.n_classes = require_classifier(Path(path), self.inputs, self.outputs)

    def probabilities(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """(n, window_samples) -> {head: (n, classes), float32}."""
        answers = self.run(windows)
        return {head: answers[output_name(head)] for head in self.n_classes}
