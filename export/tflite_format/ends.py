"""Inputs and outputs of a `.tflite` file, as its signature names them."""

import dataclasses
from typing import Any

import numpy as np

from export.tflite_format.building import Builder, Values


@dataclasses.dataclass(frozen=True)
class End:
    """An input or an output.

    Attributes:
        name: Its name.
        shape: Its shape.
        values: Its type, and the meaning of its numbers.

    Example:

    >>> End("state_features", (1, 2), Values("int8", 0.5, -128)).zeros()
    array([[-128, -128]], dtype=int8)
    """

    name: str
    shape: tuple[int, ...]
    values: Values

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    def zeros(self) -> np.ndarray:
        """The numbers that stand for zeros."""
        return np.full(self.shape, self.values.zero_point, self.values.dtype)


def ends_of(model: Any) -> tuple[tuple[End, ...], tuple[End, ...]]:
    """The inputs and the outputs of a model, in the order of its graph.

    Args:
        model: `ModelT` of one signature.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> inputs, outputs = ends_of(model)
    >>> inputs[0].name, outputs[0].shape
    ('waveform', (1, 4))
    """
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    builder = Builder(model)

    def ends(indices, entries):
        names = {entry.tensorIndex: entry.name.decode() for entry in entries}
        return tuple(
            End(names[i], builder.shape_of(i), builder.values_of(i)) for i in indices
        )

    return (
        ends(graph.inputs, signature.inputs),
        ends(graph.outputs, signature.outputs),
    )
