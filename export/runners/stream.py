"""Runs a streaming `.tflite` file with LiteRT alone."""

from pathlib import Path

import numpy as np

from export.contract.failures import parsing
from export.contract.heads import Head, heads_of_outputs, output_name
from export.contract.layout import INPUT, STATE
from export.contract.own_words import OwnWords
from export.runners.litert import LiteRTFile, failures_named
from export.tflite_format.stream_facts import read_facts
from export.tflite_format.words import read_words
from leaf_files.command_line import program, runner
from leaf_files.decisions import Decisions
from leaf_files.errors import UserError


class StreamRunner(LiteRTFile):
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
        super().__init__(path, n_threads)
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

    def own_words(self) -> OwnWords:
        """The file's `OwnWords`; labels are () where it has none.

        Raises:
            UserError: They can't be read.
        """
        facts, path = self.facts, Path(self._path)
        words = read_words(path, self._names.values())
        known = {head.name: head for head in words.heads} if words else {}
        heads = tuple(
            Head(
                name,
                known[name].labels if name in known else (),
                activation,
                decisions=known[name].decisions if name in known else Decisions(),
            )
            for name, activation in facts.activations.items()
        )
        made_by = words.made_by if words else ""
        return OwnWords(facts.sample_rate, facts.window_samples, heads, made_by)

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self._state)

    @property
    def state_size(self) -> int:
        """Number of values in all states."""
        return sum(value.size for value in self._state.values())

    def reset(self) -> None:
        """Begins a stream anew: all states are zero."""
        self._state = {
            name: np.zeros(shape, np.float32)
            for name, shape in self.inputs.items()
            if name.startswith(STATE)
        }

    def hear(self, chunk: np.ndarray) -> dict[str, np.ndarray]:
        """Continues the stream by a chunk.

        Args:
            chunk: (chunk_samples,), float32 in [-1, 1].

        Returns:
            {head: (classes,)}, the probabilities of the trailing window.
        """
        with failures_named(self._path):
            outputs = self._signature(**{INPUT: chunk[None]}, **self._state)
        self._state = {name: outputs[name] for name in self._state}
        return {head: outputs[name][0] for head, name in self._names.items()}

    def run(self, sound: np.ndarray) -> dict[str, np.ndarray]:
        """Runs a stream from its start, chunk by chunk.

        Args:
            sound: Samples in any shape, such as chunks or windows.

        Returns:
            {head: (chunks, classes)}, the answers after each chunk; the last chunk is
            filled with zeros.
        """
        self.reset()
        size = self.facts.chunk_samples
        sound = np.reshape(sound, -1)
        chunks = np.pad(sound, (0, -sound.size % size)).reshape(-1, size)
        answers = [self.hear(chunk) for chunk in chunks]
        return {head: np.stack([a[head] for a in answers]) for head in self._names}


def _no_stream(path, takes_windows):
    """The error for a file that is no streaming model."""
    advice = f"; of whole windows, such as this one takes, run {runner('predict')}"
    return UserError(
        f"{path} is not a streaming model; {program('export')} RUN --output DIR "
        f"--streaming writes one{advice * takes_windows}"
    )
