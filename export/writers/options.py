"""What an export makes, and what it lets pass."""

import dataclasses

from export.contract.layout import DYNAMIC, FLOAT16, INT8

FORMATS = ("saved_model", "tflite", "onnx")
DEFAULT_FORMATS = ("saved_model", "tflite")  # what needs no other packages
NONE = "none"  # float32
QUANTIZATIONS = (NONE, FLOAT16, DYNAMIC, INT8)
MAX_ACCURACY_DROP = 1.0


@dataclasses.dataclass(frozen=True)
class Options:
    """What an export makes, and what it lets pass.

    Attributes:
        formats: Some of `FORMATS`.
        quantize: Some of `QUANTIZATIONS`, which must then succeed; None for all that
            the model, its clips and its accuracy allow.
        embeddings: Whether to make `embeddings.tflite`.
        max_accuracy_drop: Points that a quantized file may lose, above 0.
        streaming: Whether to make `model_streaming.tflite`.
        chunk_ms: Length of its chunks, ms; None for about 100.
    """

    formats: tuple = DEFAULT_FORMATS
    quantize: tuple | None = None
    embeddings: bool = False
    max_accuracy_drop: float = MAX_ACCURACY_DROP
    streaming: bool = False
    chunk_ms: float | None = None
