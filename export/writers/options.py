"""Options of an export: the files to make, and the losses to allow."""

import dataclasses

from export.contract.layout import DYNAMIC, FLOAT16, INT4, INT8

FORMATS = ("saved_model", "tflite", "onnx", "micro")
DEFAULT_FORMATS = ("saved_model", "tflite")  # those that need no other packages
NONE = "none"  # float32
DEFAULT_QUANTIZATIONS = (NONE, FLOAT16, DYNAMIC, INT8)
QUANTIZATIONS = (*DEFAULT_QUANTIZATIONS, INT4)  # made where it is asked for by name
MAX_ACCURACY_DROP = 1.0


@dataclasses.dataclass(frozen=True)
class Options:
    """The files that an export makes, and the losses that it allows.

    Attributes:
        formats: Some of `FORMATS`.
        quantize: Some of `QUANTIZATIONS`, all of which must succeed; None for all
            of `DEFAULT_QUANTIZATIONS` that the model, its clips and its accuracy allow.
        embeddings: Whether to make `embeddings.tflite`.
        max_accuracy_drop: Points of its score that a quantized file may lose, above 0.
        streaming: Whether to make `model_streaming.tflite`.
        chunk_ms: Length of its chunks, and of those of microcontrollers' models, ms;
            None for about 100, and about 40.
        trainable: Whether the SavedModel's weights stay variables, to train further.
        license: Licence of the model, as a model card names it; None if it is unknown.

    Example:

    >>> Options(streaming=True).formats
    ('saved_model', 'tflite')
    """

    formats: tuple[str, ...] = DEFAULT_FORMATS
    quantize: tuple[str, ...] | None = None
    embeddings: bool = False
    max_accuracy_drop: float = MAX_ACCURACY_DROP
    streaming: bool = False
    chunk_ms: float | None = None
    trainable: bool = False
    license: str | None = None
