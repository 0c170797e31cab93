"""Adds operators to a `.tflite` file, one after another."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from export.tflite_format.model import operator_name
from export.tflite_format.pieces import add_tensor, new_operator, operator_code

_MOST_JOINED = 10  # tensors that TFLite Micro concatenates at once
# Operators with options: the schema's name of them.
_OPTIONS = {
    "ADD": "AddOptions",
    "CAST": "CastOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "GATHER": "GatherOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MEAN": "ReducerOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "MUL": "MulOptions",
    "PAD": "PadOptions",
    "QUANTIZE": "QuantizeOptions",
    "RESHAPE": "ReshapeOptions",
    "SLICE": "SliceOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SUB": "SubOptions",
}


@dataclasses.dataclass(frozen=True)
class Values:
    """Numbers of a tensor, and what they mean.

    Attributes:
        dtype: "float32", "int8", "int16", "int32" or "int64".
        scale: Factor to real numbers; one for each channel where it is a tuple; None:
            no quantization.
        zero_point: Number that stands for 0.
        axis: Axis of the channels.

    Example:

    >>> Values("int8", 0.5, -128).real(np.int8([-128, -127]))
    array([0. , 0.5])
    """

    dtype: str
    scale: float | tuple[float, ...] | None = None
    zero_point: int = 0
    axis: int = 0

    @property
    def step(self) -> float:
        """The scale, where there is one for all channels."""
        assert isinstance(self.scale, float)
        return self.scale

    def real(self, numbers: np.ndarray) -> np.ndarray:
        """The real numbers that numbers stand for."""
        if self.scale is None:
            return numbers
        return (numbers.astype(np.float64) - self.zero_point) * self.scale

    def numbers(self, real: np.ndarray) -> np.ndarray:
        """The nearest numbers to real ones, within the type's range."""
        if self.scale is None:
            return np.asarray(real).astype(self.dtype)
        scaled = np.round(np.asarray(real, np.float64) / self.scale) + self.zero_point
        limits = np.iinfo(self.dtype)
        return np.clip(scaled, limits.min, limits.max).astype(self.dtype)


class Builder:
    """Appends operators to the first subgraph of a model.

    Args:
        model: `ModelT` of the TFLite schema; is changed.

    Example:

    >>> from export.tflite_format.model import operator_name, read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> builder = Builder(model)
    >>> half = builder.constant(np.float32([0.5]), Values("float32"))
    >>> source = model.subgraphs[0].outputs[0]
    >>> _ = builder.operator("MUL", [source, half], (1, 4), Values("float32"))
    >>> operator_name(model, model.subgraphs[0].operators[-1])
    'MUL'
    """

    def __init__(self, model: Any):
        self.model = model
        self.graph = model.subgraphs[0]
        self._constants: dict = {}

    def tensor(self, shape: Sequence[int], values: Values, name: str = "") -> int:
        """Adds a tensor that is an input, or that an operator makes.

        Returns:
            Its index.
        """
        name = name or f"t{len(self.graph.tensors)}"
        kind = _type(values.dtype)
        index = add_tensor(self.model, tuple(shape), kind, 0, name.encode())
        self.graph.tensors[index].quantization = _quantization(values)
        return index

    def constant(self, numbers: np.ndarray, values: Values) -> int:
        """Adds a constant, once for all that are equal.

        Args:
            numbers: Array of the type of `values`.
            values: Their meaning.

        Returns:
            Index of the tensor.
        """
        from ai_edge_litert import schema_py_generated as schema

        numbers = np.asarray(numbers, values.dtype)
        key = (numbers.tobytes(), numbers.shape, values)
        if key not in self._constants:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(numbers.tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            index = self.tensor(numbers.shape, values)
            self.graph.tensors[index].buffer = len(self.model.buffers) - 1
            self._constants[key] = index
        return self._constants[key]

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        shape: Sequence[int],
        values: Values,
        **options: Any,
    ) -> int:
        """Appends an operator of one output.

        Args:
            name: Builtin name in capitals.
            inputs: Indices of tensors.
            shape, values: Of the output.
            options: Options of the schema, by name.

        Returns:
            Index of the output.
        """
        from ai_edge_litert import schema_py_generated as schema

        output = self.tensor(shape, values)
        code = operator_code(self.model, name, 1)
        operator = new_operator(code, list(inputs), [output])
        if name in _OPTIONS:
            kind = _OPTIONS[name]
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = getattr(schema, f"{kind}T")()
            for option, value in options.items():
                setattr(operator.builtinOptions, option, value)
        self.graph.operators.append(operator)
        return output

    def shape_of(self, index: int) -> tuple[int, ...]:
        """Shape of a tensor."""
        return tuple(int(size) for size in self.graph.tensors[index].shape)

    def values_of(self, index: int) -> Values:
        """`Values` of a tensor, of one scale."""
        tensor = self.graph.tensors[index]
        quantization = tensor.quantization
        dtype = _dtype(tensor.type)
        if quantization is None or quantization.scale is None:
            return Values(dtype)
        (scale,), (zero_point,) = quantization.scale, quantization.zeroPoint
        return Values(dtype, float(scale), int(zero_point))

    def reread(self, source: int, values: Values) -> int:
        """Takes the numbers of a tensor for other values, without any operator.

        It is for a tensor that an operator has just made, for which the scale it had
        is known to that operator alone.

        Returns:
            The tensor, or one of the same numbers where that scale has to stay.
        """
        maker = self.graph.operators[-1]
        if maker.outputs[0] == source and _is_mover(self.model, maker):
            self.graph.tensors[source].quantization = _quantization(values)
            return source
        shape = self.shape_of(source)
        return self.reshape_as(source, shape, values)

    def retype(self, index: int, values: Values) -> None:
        """Gives a tensor another type."""
        self.graph.tensors[index].type = _type(values.dtype)
        self.graph.tensors[index].quantization = _quantization(values)

    def name_ends(self, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> None:
        """Makes tensors the inputs and outputs of the graph, and of its signature.

        Args:
            inputs, outputs: {name: index of the tensor}.
        """
        from ai_edge_litert import schema_py_generated as schema

        def entries(ends):
            for name, index in ends.items():
                entry = schema.TensorMapT()
                entry.name, entry.tensorIndex = name.encode(), index
                self.graph.tensors[index].name = entry.name
                yield entry

        if not self.model.signatureDefs:
            signature = schema.SignatureDefT()
            signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
            self.model.signatureDefs = [signature]
        (signature,) = self.model.signatureDefs
        signature.inputs = list(entries(inputs))
        signature.outputs = list(entries(outputs))
        self.graph.inputs, self.graph.outputs = [*inputs.values()], [*outputs.values()]

    # Operators that only move numbers.

    def reshape(self, source: int, shape: Sequence[int]) -> int:
        """A tensor in another shape."""
        return self.operator(
            "RESHAPE",
            [source],
            shape,
            self.values_of(source),
            newShape=np.array(shape, np.int32),
        )

    def reshape_as(self, source: int, shape: Sequence[int], values: Values) -> int:
        """`reshape`, the numbers taken for other values."""
        reshaped = self.reshape(source, shape)
        self.graph.tensors[reshaped].quantization = _quantization(values)
        return reshaped

    def cut(self, source: int, axis: int, start: int, size: int) -> int:
        """Part of a tensor along an axis; the tensor itself if that is all of it."""
        shape = self.shape_of(source)
        if start == 0 and size == shape[axis]:
            return source
        begin = [start if i == axis else 0 for i in range(len(shape))]
        sizes = [size if i == axis else n for i, n in enumerate(shape)]
        inputs = [
            source,
            self.constant(np.array(begin), Values("int32")),
            self.constant(np.array(sizes), Values("int32")),
        ]
        return self.operator("SLICE", inputs, sizes, self.values_of(source))

    def joined(self, sources: Sequence[int], axis: int) -> int:
        """Tensors side by side."""
        if len(sources) == 1:
            return sources[0]
        if len(sources) > _MOST_JOINED:
            first = self.joined(sources[:_MOST_JOINED], axis)
            return self.joined([first, *sources[_MOST_JOINED:]], axis)
        shape = list(self.shape_of(sources[0]))
        shape[axis] = sum(self.shape_of(source)[axis] for source in sources)
        values = self.values_of(sources[0])
        return self.operator("CONCATENATION", sources, shape, values, axis=axis)


def new_model() -> Any:
    """A `ModelT` of one empty graph.

    Example:

    >>> len(new_model().subgraphs[0].operators)
    0
    """
    from ai_edge_litert import schema_py_generated as schema

    model, graph = schema.ModelT(), schema.SubGraphT()
    graph.tensors, graph.operators = [], []
    graph.inputs, graph.outputs = [], []
    model.version, model.subgraphs = 3, [graph]
    model.buffers, model.operatorCodes = [schema.BufferT()], []
    model.signatureDefs, model.metadata = [], []
    return model


def _is_mover(model, operator):
    """Whether an operator copies numbers, whatever they mean."""
    return operator_name(model, operator) in ("RESHAPE", "CONCATENATION", "SLICE")


def _type(dtype):
    from ai_edge_litert import schema_py_generated as schema

    return getattr(schema.TensorType, dtype.upper())


def _dtype(kind):
    from ai_edge_litert import schema_py_generated as schema

    names = {n: name for name, n in vars(schema.TensorType).items() if name.isupper()}
    return names[kind].lower()


def _quantization(values):
    from ai_edge_litert import schema_py_generated as schema

    if values.scale is None:
        return None
    quantization = schema.QuantizationParametersT()
    scales = np.atleast_1d(np.asarray(values.scale, np.float32))
    quantization.scale = scales
    quantization.zeroPoint = np.full(len(scales), values.zero_point, np.int64)
    quantization.quantizedDimension = values.axis
    return quantization
