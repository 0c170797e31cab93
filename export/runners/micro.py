"""Runs a model for microcontrollers by TFLite Micro, in its Python package."""

import re
from pathlib import Path

import numpy as np

from export.contract.failures import parsing
from export.contract.heads import heads_of_outputs, output_name
from export.contract.layout import INPUT, STATE
from export.runners.chunks import Chunks
from export.tflite_format.ends import ends_of
from export.tflite_format.model import read_model
from export.tflite_format.stream_facts import read_facts
from leaf_files.errors import UserError, first_line
from leaf_files.quiet import native_logs_kept

# Bytes of an arena for files that no device takes.
_ARENA = 16_000_000
_ALIGNMENT = 1024


class MicroRunner(Chunks):
    """A `.tflite` file for microcontrollers, as its device runs it.

    The same interpreter and the same kernels, in C++ without a device's own: package
    tflite-micro.

    Args:
        path: The file.

    Attributes:
        facts: `StreamFacts` in the file.
        inputs, outputs: {name: `export.tflite_format.ends.End`}.
        n_classes: {head: number of classes}; a single head is "".
        window_samples: Samples of the window that an answer is about.

    Raises:
        UserError: The file is no such model, or TFLite Micro doesn't run it.
        ImportError: tflite-micro is not installed.

    Example:

    >>> runner = MicroRunner("artifacts/micro.tflite")  # doctest: +SKIP
    >>> chunk = np.zeros(runner.facts.chunk_samples, np.float32)  # doctest: +SKIP
    >>> runner.hear(chunk)[""].shape  # doctest: +SKIP
    (4,)
    """

    def __init__(self, path: str | Path):
        self._path = path
        content = Path(path).read_bytes()
        with parsing(path):
            facts = read_facts(content)
            inputs, outputs = ends_of(read_model(content))
        self.inputs = {end.name: end for end in inputs}
        self.outputs = {end.name: end for end in outputs}
        self._order = [[end.name for end in ends] for ends in (inputs, outputs)]
        heads = heads_of_outputs(self.outputs)
        if facts is None or not facts.is_micro or not heads:
            raise UserError(f"{path} is not a model for microcontrollers")
        self.facts = facts
        self.window_samples = facts.window_samples
        self._names = {head: output_name(head) for head in heads}
        self.n_classes = {
            head: self.outputs[name].shape[1] for head, name in self._names.items()
        }
        self._interpreter = _interpreter(content, path)
        self.reset()

    def _zeros(self):
        return {
            name: end.zeros()
            for name, end in self.inputs.items()
            if name.startswith(STATE)
        }

    def hear(self, chunk: np.ndarray) -> dict[str, np.ndarray]:
        """Continues the stream by a chunk, see `Chunks.hear`."""
        values = {INPUT: self.inputs[INPUT].values.numbers(chunk[None]), **self._state}
        inputs, outputs = self._order
        for place, name in enumerate(inputs):
            self._interpreter.set_input(values[name], place)
        self._interpreter.invoke()
        answers = {
            name: np.array(self._interpreter.get_output(place))
            for place, name in enumerate(outputs)
        }
        self._state = {name: answers[name] for name in self._state}
        return {
            head: self.outputs[name].values.real(answers[name][0]).astype(np.float32)
            for head, name in self._names.items()
        }

    def probabilities(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """(n, window_samples) -> {head: (n, classes), float32}.

        Each window is a stream of its own, with silence behind it until all of its
        frames are there. As the last chunk may end later than that, the answer may be
        about a window that begins as much later, less than a chunk.
        """
        missing = self.facts.delay_hops * self.facts.hop_samples
        answers = [self.run(np.pad(window, (0, missing))) for window in windows]
        return {
            head: np.stack([answer[head][-1] for answer in answers])
            for head in self._names
        }


def arena_bytes(content: bytes) -> int:
    """Bytes of the arena that a model takes, by TFLite Micro's own record.

    Measured on this computer, whose pointers are of 8 bytes: a microcontroller of 32
    bits takes less.

    Args:
        content: A `.tflite` file.

    Returns:
        Bytes, whole KiB, rounded up.

    Raises:
        UserError: TFLite Micro doesn't run it.
    """
    interpreter = _interpreter(content, "the model")
    for place, end in enumerate(ends_of(read_model(content))[0]):
        interpreter.set_input(end.zeros(), place)
    interpreter.invoke()
    with native_logs_kept() as log:
        interpreter.print_allocations()
        found = re.search(r"allocation total (\d+)", log())
    if found is None:
        raise UserError("TFLite Micro doesn't say how much memory a model takes")
    return -(-int(found[1]) // _ALIGNMENT) * _ALIGNMENT


def _interpreter(content, name):
    from tflite_micro.python.tflite_micro import runtime

    with native_logs_kept() as log:
        try:
            return runtime.Interpreter.from_bytes(content, arena_size=_ARENA)
        except (ValueError, RuntimeError) as error:
            raise UserError(
                f"{name} is not a model that TFLite Micro runs: {first_line(error)}"
                + "".join(f"; {line}" for line in log().splitlines()[:1])
            ) from error
