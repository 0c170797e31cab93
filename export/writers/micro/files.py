"""The files of a microcontroller's model."""

import functools
import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np

from export.contract.layout import MICRO, MICRO_INT8
from export.runners.micro import arena_bytes
from export.source.opening import Source
from export.source.stages import as_numpy
from export.tflite_format.ends import ends_of
from export.tflite_format.graph_edits import drop_names, drop_remarks
from export.tflite_format.model import read_model, write_model
from export.tflite_format.sharing import write_shared
from export.tflite_format.stream_facts import StreamFacts, add_facts
from export.tflite_format.strips import run_in_strips, strip_plans
from export.tflite_format.words import add_words
from export.writers.micro.answers import integer_answers
from export.writers.micro.c_source import MicroModel, write_c
from export.writers.micro.encoder import integer_encoder
from export.writers.micro.frames import FrameStream
from export.writers.micro.integers import integer_frames
from export.writers.micro.model import joined_model
from export.writers.micro.operators import micro_operators
from export.writers.words import made_by, words_of_source
from leaf_files.errors import UserError

_PACKAGE = "tflite_micro"
_BATCH = 32
# Ways to run a model of which the one is taken that needs the least memory.
_MOST_PLANS = 14


def require_micro() -> None:
    """Checks that TFLite Micro is installed: no file is written that it wasn't asked.

    Raises:
        UserError: It isn't; the message says how to install it.
    """
    if importlib.util.find_spec(_PACKAGE) is None:
        raise UserError(
            "the format micro needs tflite-micro, to run and measure what it writes; "
            'install leaf_tf with its extra: pip install "leaf_tf[micro]"'
        )


class MicroFiles:
    """The files of a model for microcontrollers.

    Args:
        source: The model.
        calibration: Function to (n, window_samples), float32: windows such as the
            model was trained on.
        chunk_ms: Length of a chunk, ms; None for about 40.

    Attributes:
        facts: The facts that the files hold.

    Raises:
        UserError: The frontend can't be streamed, or the chunk is no multiple of its
            hop.
    """

    def __init__(
        self,
        source: Source,
        calibration: Callable[[], np.ndarray],
        chunk_ms: float | None = None,
    ):
        self._source = source
        self._calibration = calibration
        self._frames = FrameStream(source, chunk_ms)
        stream, frontend = self._frames.stream, self._frames.frontend
        self.facts = StreamFacts(
            sample_rate=source.sample_rate,
            chunk_samples=self._frames.chunk_samples,
            hop_samples=stream.strides,
            delay_hops=stream.delay,
            latency_ms=round(stream.latency_ms, 3),
            window_frames=frontend.n_frames(source.window_samples),
            window_samples=source.window_samples,
            activations={head.name: head.activation for head in source.heads},
            is_micro=True,
        )

    def write(self, folder: Path) -> tuple[Path, int]:
        """Writes `micro.tflite`, `micro.c` and `micro.h`.

        The frontend computes in float32, the encoder in int8.

        Args:
            folder: Artifact folder.

        Returns:
            Path of the `.tflite` file; bytes of the arena that it takes.

        Raises:
            UserError: TFLite or TFLite Micro lacks an operator, or the quantizer fails.
        """
        front = self._frames.float32()
        return self._written(front, self._encoder(), folder / MICRO)

    def write_integers(self, folder: Path) -> tuple[Path, int]:
        """Writes `micro_int8.tflite` and its C, all of which is in integers.

        Args:
            folder: Artifact folder.

        Returns:
            Path of the `.tflite` file; bytes of the arena that it takes.

        Raises:
            UserError: As of `write`, or something of the model isn't computed in
                integers.
        """
        largest = float(self._calibration_features.max())
        front = integer_frames(self._frames, largest)
        encoder = self._encoder()
        integer_answers(encoder)
        return self._written(front, encoder, folder / MICRO_INT8)

    def _encoder(self):
        """The encoder in integers."""
        silence = self._frames.stream.silence
        frames = self._calibration_features - silence
        return integer_encoder(self._source, frames, silence)

    @functools.cached_property
    def _calibration_features(self):
        """(n, window_frames, channels): features of the calibration windows."""
        windows = self._calibration()
        batches = [
            as_numpy(self._frames.frontend(windows[start : start + _BATCH]))
            for start in range(0, len(windows), _BATCH)
        ]
        return np.concatenate(batches)

    def _written(self, front, encoder, path):
        candidates = list(self._candidates(front, encoder, path.name))
        content, arena_bytes = min(candidates, key=lambda candidate: candidate[1])
        path.write_bytes(content)
        model = read_model(content)
        inputs, outputs = ends_of(model)
        write_c(
            MicroModel(
                content=content,
                facts=self.facts,
                heads=tuple(self._source.heads),
                inputs=inputs,
                outputs=outputs,
                operators=micro_operators(model, path.name),
                arena_bytes=arena_bytes,
                made_by=made_by(),
            ),
            path,
        )
        return path, arena_bytes

    def _candidates(self, front, encoder, name):
        """Yields (bytes of the file, bytes of its arena) of some ways to run it."""
        outputs = [head.output for head in self._source.heads]
        plans = [None, *strip_plans(encoder)[:_MOST_PLANS]]
        parts = write_model(front), write_model(encoder)
        for plan in plans:
            front, encoder = map(read_model, parts)
            if plan is not None:
                run_in_strips(encoder, plan)
            model = joined_model(front, encoder, outputs)
            micro_operators(model, name)
            drop_remarks(model)
            drop_names(model)
            add_facts(model, self.facts)
            add_words(model, words_of_source(self._source))
            content = write_shared(model)
            yield content, arena_bytes(content)
