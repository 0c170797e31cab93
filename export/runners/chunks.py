"""What a streaming file of any runtime does with its chunks and states."""

import abc
from pathlib import Path

import numpy as np

from export.contract.heads import Head
from export.contract.own_words import OwnWords
from export.tflite_format.stream_facts import StreamFacts
from export.tflite_format.words import read_words
from leaf_files.decisions import Decisions


class Chunks(abc.ABC):
    """A `.tflite` file that takes a chunk of sound and its states.

    Attributes:
        facts: The facts in the file.
        n_classes: {head: number of classes}; a single head is "".

    Example:

    >>> from export.runners.stream import StreamRunner
    >>> stream = StreamRunner("artifacts/model_streaming.tflite")
    >>> isinstance(stream, Chunks), stream.facts.chunk_ms
    (True, 100.0)
    """

    facts: StreamFacts
    n_classes: dict[str, int]
    _path: str | Path
    _names: dict[str, str]  # {head: its output}
    _state: dict[str, np.ndarray]

    @abc.abstractmethod
    def _zeros(self) -> dict[str, np.ndarray]:
        """{state: its value at the start of a stream}."""

    @abc.abstractmethod
    def hear(self, chunk: np.ndarray) -> dict[str, np.ndarray]:
        """Continues the stream by a chunk.

        Args:
            chunk: (chunk_samples,), float32 in [-1, 1].

        Returns:
            {head: (classes,), float32}, the probabilities of the trailing window.
        """

    def own_words(self) -> OwnWords:
        """The file's `OwnWords`; labels are () where it has none.

        Raises:
            UserError: They can't be read.
        """
        facts = self.facts
        words = read_words(Path(self._path), self._names.values())
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
        self._state = self._zeros()

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
