"""Edits the graph of a `.tflite` file, as the objects of its schema.

Tensors of the first subgraph get names by which a quantizer distinguishes the parts of
a model: `frontend/...` computes the features, `output/...` makes an output, and
`encoder/...` is everything between.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from export.tflite_format.graph import ENCODER, FRONTEND, OUTPUT
from export.tflite_format.model import inputs_of, operator_name, outputs_of, values_of
from export.tflite_format.pieces import (
    add_activation,
    add_constant,
    add_tensor,
    new_operator,
    operator_code,
    reshape,
)

# Values of the smallest constant to halve: of fewer, the operator that widens it takes
# more bytes than are saved.
_LEAST_HALVED = 128
_HALF_VERSION = 3  # first version of DEQUANTIZE that takes float16
# The fourth power of so much of a mean square is no finite float32 from an effective
# value of 2.6 million on.
_GUARD_SCALE = float(np.finfo(np.float32).max) ** (-1 / 12)


def keep_outputs(model: Any, names: Sequence[str]) -> None:
    """Reduces a model to these outputs, in this order, and the operators they need.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model_streaming.tflite").read_bytes())
    >>> keep_outputs(model, ["probabilities"])  # and no states
    >>> list(outputs_of(model))
    ['probabilities']
    """
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    tensors = outputs_of(model)
    signature.outputs = [
        next(output for output in signature.outputs if output.name.decode() == name)
        for name in names
    ]
    graph.outputs = [tensors[name] for name in names]
    needed = _made_from(graph, graph.outputs)
    graph.operators = [
        operator for operator in graph.operators if id(operator) in needed
    ]


def order_inputs(model: Any, names: Sequence[str]) -> None:
    """Puts the inputs of a model, all of which are named, into this order.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model_streaming.tflite").read_bytes())
    >>> names = [entry.name.decode() for entry in model.signatureDefs[0].inputs]
    >>> order_inputs(model, names[::-1])
    >>> model.signatureDefs[0].inputs[-1].name.decode() == names[0]
    True
    """
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    by_name = {entry.name.decode(): entry for entry in signature.inputs}
    signature.inputs = [by_name[name] for name in names]
    graph.inputs = [entry.tensorIndex for entry in signature.inputs]


def name_parts(model: Any, features: int | None) -> None:
    """Names the tensors of the first subgraph by the part of the model.

    An operator that makes one of the model's outputs is no part of the encoder, so
    call `keep_outputs` first.

    Args:
        model: `ModelT`.
        features: Index of the tensor of the features, or None.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> name_parts(model, features=None)
    >>> model.subgraphs[0].tensors[model.subgraphs[0].outputs[0]].name
    b'output/probabilities'
    """
    graph = model.subgraphs[0]
    frontend = _made_from(graph, [features])
    outputs = {index: name for name, index in outputs_of(model).items()}
    for index, tensor in enumerate(graph.tensors):
        tensor.name = f"constant/{index}".encode()
    for number, operator in enumerate(graph.operators):
        makes_output = not outputs.keys().isdisjoint(operator.outputs)
        part = OUTPUT if makes_output else ENCODER
        part = FRONTEND if id(operator) in frontend else part
        for place, index in enumerate(operator.outputs):
            name = outputs.get(index, f"{number}.{place}")
            graph.tensors[index].name = f"{part}/{name}".encode()


def part_of(graph: Any, operator: Any) -> str:
    """The part of the model that an operator belongs to, after `name_parts`.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> name_parts(model, features=None)
    >>> part_of(model.subgraphs[0], model.subgraphs[0].operators[0])
    'encoder'
    """
    return graph.tensors[operator.outputs[0]].name.decode().partition("/")[0]


def _made_from(graph: Any, tensors: Iterable[int | None]) -> set[int]:
    """The operators that compute some tensors, as a set of their `id`."""
    makers = {index: op for op in graph.operators for index in op.outputs}
    operators: set[int] = set()
    waiting = list(tensors)
    while waiting:
        operator = makers.get(waiting.pop())
        if operator is not None and id(operator) not in operators:
            operators.add(id(operator))
            waiting.extend(inputs_of(operator))
    return operators


def averaging_products(model: Any) -> list[str]:
    """The products of the frontend that average energies.

    Their terms don't cancel, so a relative error in a weight is at most the same error
    in the average. A filter's terms cancel outside its band: there an error in a tap
    is the whole output.

    Args:
        model: `ModelT`, after `name_parts`.

    Returns:
        Names of the tensors that they make.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> name_parts(model, features=None)  # no part is the frontend
    >>> averaging_products(model)
    []
    """
    graph = model.subgraphs[0]
    energies: set[int] = set()
    products = []
    for operator in graph.operators:
        inputs = inputs_of(operator)
        if _is_square(model, operator) or not energies.isdisjoint(inputs):
            energies.update(operator.outputs)
        is_product = operator_name(model, operator) == "FULLY_CONNECTED"
        averages = is_product and inputs[0] in energies
        if averages and part_of(graph, operator) == FRONTEND:
            products.append(graph.tensors[operator.outputs[0]].name.decode())
    return products


def halve_constants(model: Any) -> None:
    """Keeps float32 constants as float16, widened as the model is loaded.

    Exceptions are small constants, those that an operator takes beside integer
    weights, and those that are too large or too small for float16.

    Example:

    >>> from export.tflite_format.model import operator_name, read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> halve_constants(model)
    >>> operator_name(model, model.subgraphs[0].operators[0])
    'DEQUANTIZE'
    """
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    kept = {
        index
        for operator in graph.operators
        if any(_is_integer_constant(model, i) for i in inputs_of(operator))
        for index in inputs_of(operator)
    }
    used = {index for operator in graph.operators for index in inputs_of(operator)}
    widen = operator_code(model, "DEQUANTIZE", _HALF_VERSION)
    widening = []
    for index in sorted(used - kept - set(graph.outputs)):
        tensor = graph.tensors[index]
        values = values_of(model, tensor)
        if values is None or tensor.type != schema.TensorType.FLOAT32:
            continue
        if values.size < 4 * _LEAST_HALVED:
            continue
        half = _halved(values.view(np.float32).reshape(tensor.shape))
        if half is None:
            continue
        place = add_constant(model, half, tensor.name + b"/half")
        tensor.buffer = 0  # the empty one: a tensor that an operator makes
        widening.append(new_operator(widen, [place], [index]))
    graph.operators = widening + graph.operators


def drop_remarks(model: Any) -> None:
    """Drops what nobody reads: long names of constants, and empty quantizations.

    Each constant keeps a name, its number: OpenVINO refuses a file with a tensor that
    has none.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> before = sum(len(tensor.name) for tensor in model.subgraphs[0].tensors)
    >>> drop_remarks(model)
    >>> before > sum(len(tensor.name) for tensor in model.subgraphs[0].tensors) > 0
    True
    """
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        if model.buffers[tensor.buffer].data is not None:
            tensor.name = str(index).encode()
        if tensor.quantization is not None and tensor.quantization.scale is None:
            tensor.quantization = None


def drop_names(model: Any) -> None:
    """Drops what takes bytes and isn't read by TFLite Micro.

    Names of tensors that are no inputs or outputs, the meaning of biases, and zeros
    of the channels of weights.

    Args:
        model: `ModelT` of the TFLite schema.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> drop_names(model)
    >>> sum(tensor.name is not None for tensor in model.subgraphs[0].tensors)
    2
    """
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    wide = (schema.TensorType.INT32, schema.TensorType.INT64)
    for index, tensor in enumerate(graph.tensors):
        if index not in (*graph.inputs, *graph.outputs):
            tensor.name = None
        if tensor.type in wide:
            tensor.quantization = None
        elif tensor.quantization is not None:
            zeros = tensor.quantization.zeroPoint
            if zeros is not None and len(zeros) > 1 and not np.any(zeros):
                tensor.quantization.zeroPoint = zeros[:1]


def pool_maxima(model: Any) -> None:
    """Writes maxima over neighbouring axes as max pooling, which computes the same.

    Quantizers convert pooling to integers; a REDUCE_MAX they leave in float.

    Example:

    >>> from export.tflite_format.model import operator_name, read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> pool_maxima(model)
    >>> "REDUCE_MAX" in {operator_name(model, o) for o in model.subgraphs[0].operators}
    False
    """
    graph = model.subgraphs[0]
    graph.operators = [
        part for operator in graph.operators for part in _as_pooling(model, operator)
    ]


def _as_pooling(model, operator):
    """An operator, or three in place of a maximum that pooling can compute."""
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    if operator_name(model, operator) != "REDUCE_MAX":
        return [operator]
    (source, axes), (target,) = operator.inputs, operator.outputs
    shape = [int(size) for size in graph.tensors[source].shape]
    constant = values_of(model, graph.tensors[axes])
    if constant is None:
        return [operator]
    axes = sorted(constant.view(np.int32) % len(shape))
    first, last = axes[0], axes[-1]
    pooled = math.prod(shape[first : last + 1])
    if len(axes) != last - first + 1 or first == 0 or last + 1 == len(shape):
        return [operator]
    if pooled == 1:
        return [operator]
    before, channels = math.prod(shape[:first]), math.prod(shape[last + 1 :])
    wide = add_activation(model, target, (before, 1, pooled, channels), b"/wide")
    narrow = add_activation(model, target, (before, 1, 1, channels), b"/narrow")
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.filterHeight = 1
    options.filterWidth = pooled
    pooling = new_operator(operator_code(model, "MAX_POOL_2D", 1), [wide], [narrow])
    pooling.builtinOptionsType = schema.BuiltinOptions.Pool2DOptions
    pooling.builtinOptions = options
    return [
        reshape(model, source, wide),
        pooling,
        reshape(model, narrow, target),
    ]


def guard_outputs(model: Any, waveform: str) -> None:
    """Makes the outputs NaN for a waveform that is no sound.

    That is one with a sample that is NaN or infinite, or of an effective value beyond
    two million, full scale being 1. There a power of the mean square is no finite
    float32, so zero times it is NaN, and zero for any other waveform. This is added to
    the outputs: the maxima of many processors drop NaN, and would give answers that
    look right. The power comes by SQUARE, since TFLite Micro keeps what MUL gives
    finite. Call it last, since a converter may take any product with zero for zero.

    Args:
        model: `ModelT` with outputs of float32.
        waveform: Name of the input, (1, samples).

    Example:

    >>> from export.tflite_format.model import operator_name, read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> guard_outputs(model, "waveform")
    >>> operator_name(model, model.subgraphs[0].operators[-1])
    'ADD'
    """
    from ai_edge_litert import schema_py_generated as schema

    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    (entry,) = (e for e in signature.inputs if e.name.decode() == waveform)
    added: list[Any] = []

    def add(name, inputs, shape, options=None):
        ending = f"guard/{len(added)}".encode()
        output = add_tensor(model, shape, schema.TensorType.FLOAT32, 0, ending)
        operator = new_operator(operator_code(model, name, 1), inputs, [output])
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        added.append(operator)
        return output

    samples = tuple(graph.tensors[entry.tensorIndex].shape)
    mean = schema.ReducerOptionsT()
    mean.keepDims = True
    axis = add_constant(model, np.ones(1, np.int32), b"guard/axis")
    squares = add("SQUARE", [entry.tensorIndex], samples)
    mark = add("MEAN", [squares, axis], (1, 1), mean)
    scale = add_constant(model, np.full(1, _GUARD_SCALE, np.float32), b"guard/scale")
    zero = add_constant(model, np.zeros(1, np.float32), b"guard/zero")
    mark = add("MUL", [mark, scale], (1, 1), schema.MulOptionsT())
    for _ in range(2):
        mark = add("SQUARE", [mark], (1, 1))
    mark = add("MUL", [mark, zero], (1, 1), schema.MulOptionsT())
    guarded = {}
    for index in graph.outputs:
        output = graph.tensors[index]
        shape = tuple(output.shape)
        guarded[index] = add("ADD", [index, mark], shape, schema.AddOptionsT())
        graph.tensors[guarded[index]].name = output.name
        output.name += b"/unguarded"
    graph.outputs = [guarded[index] for index in graph.outputs]
    for output in signature.outputs:
        output.tensorIndex = guarded[output.tensorIndex]
    graph.operators = [*graph.operators, *added]


def _is_square(model, operator):
    name = operator_name(model, operator)
    return name == "SQUARE" or (
        name == "MUL" and len(set(operator.inputs)) < len(operator.inputs)
    )


def _halved(values):
    """The values as float16; None if that is off by more than its rounding."""
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    allowed = np.finfo(np.float16).eps * np.abs(values).max()
    off = np.abs(half.astype(np.float32) - values).max()
    return half if off <= allowed else None  # infinity is not


def _is_integer_constant(model, index):
    from ai_edge_litert import schema_py_generated as schema

    tensor = model.subgraphs[0].tensors[index]
    integers = (schema.TensorType.INT8, schema.TensorType.INT4)
    return tensor.type in integers and model.buffers[tensor.buffer].data is not None
