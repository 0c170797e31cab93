"""The facts in a streaming `.tflite` file, beside its metadata."""

import dataclasses
import json
from typing import Any

from export.tflite_format.entries import add_entry, read_entry

_ENTRY = b"LEAF_TF_STREAM"  # name in the model's own list of metadata


@dataclasses.dataclass(frozen=True)
class StreamFacts:
    """Facts that running a streaming model needs.

    Attributes:
        sample_rate: Rate of the waveform, Hz.
        chunk_samples: Samples of a chunk, the sound that is taken at a time.
        hop_samples: Samples between frames.
        delay_hops: Hops by which a frame comes later than its own.
        latency_ms: Time from the middle of a frame's window until the frame is there,
            in chunks of one hop.
        window_frames: Frames of the trailing window, which the answer is about.
        window_samples: Samples of that window.
        activations: {head: "softmax" or "sigmoid"}.
        is_micro: Whether it is a model for microcontrollers, which TFLite Micro runs.

    Example:

    >>> StreamFacts(16000, 1600, 160, 2, 32.5, 100, 16000, {"": "softmax"}).chunk_ms
    100.0
    """

    sample_rate: int
    chunk_samples: int
    hop_samples: int
    delay_hops: int
    latency_ms: float
    window_frames: int
    window_samples: int
    activations: dict[str, str]
    is_micro: bool = False

    @property
    def chunk_ms(self) -> float:
        """Length of a chunk, ms."""
        return 1000.0 * self.chunk_samples / self.sample_rate


def add_facts(model: Any, facts: StreamFacts) -> None:
    """Puts facts into a model, `ModelT` of the TFLite schema.

    Example:

    >>> from export.tflite_format.model import read_model, write_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> facts = StreamFacts(8000, 800, 80, 2, 32.5, 50, 4000, {"": "softmax"})
    >>> add_facts(model, facts)
    >>> read_facts(write_model(model)) == facts
    True
    """
    text = json.dumps(dataclasses.asdict(facts), sort_keys=True)
    add_entry(model, _ENTRY, text.encode())


def read_facts(content: bytes) -> StreamFacts | None:
    """The `StreamFacts` in a `.tflite` file; None if it is no streaming model.

    Example:

    >>> read_facts(Path("artifacts/model_streaming.tflite").read_bytes()).chunk_ms
    100.0
    >>> read_facts(Path("artifacts/model.tflite").read_bytes()) is None
    True
    """
    text = read_entry(content, _ENTRY)
    return None if text is None else StreamFacts(**json.loads(text))
