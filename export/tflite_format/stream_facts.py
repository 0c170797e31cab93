"""What a streaming `.tflite` file says about itself, beside its metadata."""

import dataclasses
import json

from export.tflite_format.entries import add_entry, read_entry

_ENTRY = b"LEAF_TF_STREAM"  # in the model's own list of metadata


@dataclasses.dataclass(frozen=True)
class StreamFacts:
    """What it takes to run a streaming model.

    Attributes:
        sample_rate: Of the waveform, Hz.
        chunk_samples: Taken at a time.
        hop_samples: Between frames.
        delay_hops: Hops by which frames come later than their own.
        latency_ms: From the middle of a frame's window until the frame is there, in
            chunks of one hop.
        window_frames: Frames that the answer is about, the trailing window.
        window_samples: The length of that window of sound.
        activations: {head: "softmax" or "sigmoid"}.
    """

    sample_rate: int
    chunk_samples: int
    hop_samples: int
    delay_hops: int
    latency_ms: float
    window_frames: int
    window_samples: int
    activations: dict

    @property
    def chunk_ms(self):
        return 1000.0 * self.chunk_samples / self.sample_rate


def add_facts(model, facts):
    """Puts facts into a model.

    Args:
        model: `ModelT` of the TFLite schema; is changed.
        facts: `StreamFacts`.
    """
    text = json.dumps(dataclasses.asdict(facts), sort_keys=True)
    add_entry(model, _ENTRY, text.encode())


def read_facts(content):
    """The `StreamFacts` in a `.tflite` file; None if it is no streaming model.

    Args:
        content: bytes of the file.
    """
    text = read_entry(content, _ENTRY)
    return None if text is None else StreamFacts(**json.loads(text))
