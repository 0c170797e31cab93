"""Runs a streaming `.tflite` file with LiteRT alone."""

from pathlib import Path

import numpy as np

from export.contract.failures import parsing
from export.contract.heads import heads_of_outputs, output_name
from export.contract.layout import INPUT, STATE
from export.runners.chunks import Chunks
from export.runners.litert import LiteRTFile, failures_named
from export.tflite_format.stream_facts import read_facts
from leaf_files.command_line import program, runner
from leaf_files.errors import UserError


class StreamRunner(Chunks, LiteRTFile):
    """A `.tflite` file that takes a chunk of sound and its states.

    Args:
        path, n_threads: Arguments of `LiteRTFile`.

    Attributes:
        facts: The facts in the file.
        n_classes: {head: number of classes}; a single head is "".

    Raises:
        UserError: The file is no streaming model of `python -m export`.

    Example:

    >>> runner = StreamRunner("artifacts/model_streaming.tflite")
    >>> runner.hear(np.zeros(runner.facts.chunk_samples, np.float32))[""].shape
    (4,)
    >>> runner.run(np.zeros(4000, np.float32))[""].shape  # half a second
    (5, 4)
    """

    def __init__(self, path: str | Path, n_threads: int = 1):
        LiteRTFile.__init__(self, path, n_threads)
        with open(path, "rb") as file, parsing(path):
            facts = read_facts(file.read())
        heads = heads_of_outputs(self.outputs)
        states = [name for name in self.inputs if name.startswith(STATE)]
        if facts is None or not heads or not set(states) <= set(self.outputs):
            raise _no_stream(path, takes_windows=set(self.inputs) == {INPUT})
        self.facts = facts
        self._names = {head: output_name(head) for head in heads}
        self.n_classes = {
            head: self.outputs[name][1] for head, name in self._names.items()
        }
        self.reset()

    def _zeros(self):
        return {
            name: np.zeros(shape, np.float32)
            for name, shape in self.inputs.items()
            if name.startswith(STATE)
        }

    def hear(self, chunk: np.ndarray) -> dict[str, np.ndarray]:
        """Continues the stream by a chunk, see `Chunks.hear`."""
        with failures_named(self._path):
            outputs = self._signature(**{INPUT: chunk[None]}, **self._state)
        self._state = {name: outputs[name] for name in self._state}
        return {head: outputs[name][0] for head, name in self._names.items()}


def _no_stream(path, takes_windows):
    """The error for a file that is no streaming model."""
    advice = f"; of whole windows, such as this one takes, run {runner('predict')}"
    return UserError(
        f"{path} is not a streaming model; {program('export')} RUN --output DIR "
        f"--streaming writes one{advice * takes_windows}"
    )
