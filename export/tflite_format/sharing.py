"""Writes a `.tflite` file for devices: few bytes, and all numbers in their places."""

import copy
import functools
from typing import Any

import numpy as np

from export.tflite_format.model import drop_unused

_IDENTIFIER = b"TFL3"
_ALIGNMENT = 16
# Vectors of more bytes are hardly ever equal.
_LARGEST_SHARED = 256


def write_shared(model: Any) -> bytes:
    """`write_model`, with equal parts written once, and aligned constants.

    A FlatBuffer may refer to one place from many; the schema's own writer doesn't.
    Neither does it align constants, which many microcontrollers read by words.

    Args:
        model: `ModelT` of the TFLite schema; is changed.

    Example:

    >>> from export.tflite_format.model import read_model, write_model
    >>> content = Path("artifacts/model.tflite").read_bytes()
    >>> len(write_shared(read_model(content))) < len(write_model(read_model(content)))
    True
    """
    drop_unused(model)
    once = functools.partial(_once, {})
    for graph in model.subgraphs:
        graph.inputs, graph.outputs = _vector(graph.inputs), _vector(graph.outputs)
        for tensor in graph.tensors:
            tensor.shape = _vector(tensor.shape)
            tensor.quantization = once(tensor.quantization)
        for operator in graph.operators:
            operator.inputs = _vector(operator.inputs)
            operator.outputs = _vector(operator.outputs)
            operator.builtinOptions = once(operator.builtinOptions)
    for buffer in model.buffers:
        if buffer.data is not None:
            buffer.data = np.frombuffer(bytes(buffer.data), np.uint8)
    builder = _builder()
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _vector(numbers):
    return None if numbers is None else np.array(numbers, np.int32)


def _once(shared, part):
    if part is None:
        return None
    content = [
        (name, value.tobytes() if isinstance(value, np.ndarray) else repr(value))
        for name, value in sorted(vars(part).items())
    ]
    return shared.setdefault((type(part), *content), _PackedOnce(part))


class _PackedOnce:
    """A part that a builder packs at the first time only.

    Args:
        part: An object of the schema.
    """

    def __init__(self, part):
        self._part = copy.copy(part)
        self._place = None

    def Pack(self, builder):
        """Its place in what the builder writes, as the schema's objects say it."""
        if self._place is None:
            self._place = self._part.Pack(builder)
        return self._place


def _builder():
    import flatbuffers

    class Sharing(flatbuffers.Builder):
        """A builder that writes equal short vectors once, and aligns bytes."""

        def __init__(self):
            super().__init__(1024)
            self._places: dict[tuple, int] = {}

        def CreateNumpyVector(self, x):
            key = (x.dtype.str, x.tobytes())
            if x.nbytes > _LARGEST_SHARED or key not in self._places:
                if x.dtype == np.uint8:  # the numbers of a constant
                    self.Prep(_ALIGNMENT, x.nbytes)
                self._places[key] = super().CreateNumpyVector(x)
            return self._places[key]

    return Sharing()
