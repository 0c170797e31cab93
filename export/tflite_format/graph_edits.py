"""Edits the graph of a `.tflite` file, as the objects of its schema.

Tensors of the first subgraph get names by which a quantizer can tell the parts of a
model: `frontend/...` is all that features are made of, `output/...` makes an output,
`encoder/...` is what lies between.
"""

import math

import numpy as np

from export.tflite_format.model import inputs_of, operator_name, outputs_of, values_of
from export.tflite_format.pieces import (
    add_activation,
    add_constant,
    add_tensor,
    new_operator,
    operator_code,
    reshape,
)

FRONTEND, ENCODER, OUTPUT = "frontend", "encoder", "output"

# Below it, an operator that widens a constant takes more bytes than it saves.
_LEAST_HALVED = 128
_HALF_VERSION = 3  # of DEQUANTIZE, the first that takes float16


def keep_outputs(model, names):
    """Leaves of a model what these outputs need, in this order."""
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    tensors = outputs_of(model)
    signature.outputs = [
        next(output for output in signature.outputs if output.name.decode() == name)
        for name in names
    ]
    graph.outputs = [tensors[name] for name in names]
    needed = made_from(graph, graph.outputs)
    graph.operators = [
        operator for operator in graph.operators if id(operator) in needed
    ]


def order_inputs(model, names):
    """Puts the inputs of a model into this order; all of them are named."""
    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    by_name = {entry.name.decode(): entry for entry in signature.inputs}
    signature.inputs = [by_name[name] for name in names]
    graph.inputs = [entry.tensorIndex for entry in signature.inputs]


def name_parts(model, features):
    """Names the tensors of the first subgraph by the part of the model.

    What makes one of the model's outputs is no part of the encoder, so outputs that
    are to go go first.

    Args:
        model: `ModelT`.
        features: Index of the tensor of the features, or None.
    """
    graph = model.subgraphs[0]
    frontend = made_from(graph, [features])
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


def part_of(graph, operator):
    """The part of the model that an operator is in, after `name_parts`."""
    return graph.tensors[operator.outputs[0]].name.decode().partition("/")[0]


def made_from(graph, tensors):
    """The operators that some tensors are computed by, as a set of their `id`."""
    makers = {index: op for op in graph.operators for index in op.outputs}
    found, waiting = set(), list(tensors)
    while waiting:
        operator = makers.get(waiting.pop())
        if operator is not None and id(operator) not in found:
            found.add(id(operator))
            waiting.extend(inputs_of(operator))
    return found


def averaging_products(model):
    """The products of the frontend that average energies.

    Their terms don't cancel, so an error in a weight is no more than that error in
    the average. A filter's terms do, outside its band: there an error in a tap is
    all that is heard.

    Args:
        model: `ModelT`, after `name_parts`.

    Returns:
        list of the names of the tensors that they make.
    """
    graph = model.subgraphs[0]
    energies, found = set(), []
    for operator in graph.operators:
        inputs = inputs_of(operator)
        if _is_square(model, operator) or not energies.isdisjoint(inputs):
            energies.update(operator.outputs)
        is_product = operator_name(model, operator) == "FULLY_CONNECTED"
        averages = is_product and inputs[0] in energies
        if averages and part_of(graph, operator) == FRONTEND:
            found.append(graph.tensors[operator.outputs[0]].name.decode())
    return found


def halve_constants(model):
    """Keeps float32 constants as float16, widened as the model is loaded.

    But for small ones, those that an operator takes beside integer weights, and those
    that are too large or too tiny for float16.
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


def drop_remarks(model):
    """Drops what nobody reads: names of constants, and quantizations that are none."""
    for tensor in model.subgraphs[0].tensors:
        if model.buffers[tensor.buffer].data is not None:
            tensor.name = None
        if tensor.quantization is not None and tensor.quantization.scale is None:
            tensor.quantization = None


def pool_maxima(model):
    """Writes maxima over neighbouring axes as max pooling, which computes the same.

    Quantizers make integers of that; a REDUCE_MAX they leave in float.
    """
    graph = model.subgraphs[0]
    graph.operators = [
        part for operator in graph.operators for part in _as_pooling(model, operator)
    ]


def _as_pooling(model, operator):
    """The operators in place of one: three for a maximum that pooling can do."""
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    if operator_name(model, operator) != "REDUCE_MAX":
        return [operator]
    (source, axes), (target,) = operator.inputs, operator.outputs
    shape = [int(size) for size in graph.tensors[source].shape]
    axes = sorted(values_of(model, graph.tensors[axes]).view(np.int32) % len(shape))
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


def guard_outputs(model, waveform):
    """Makes the outputs NaN where the waveform can't be meant.

    That is where a sample is NaN or infinite, or the effective value is beyond two
    million, full scale being 1: the third power of its square is no float32, and zero
    times that is NaN, else zero. It is added to the outputs, as the maxima of many
    processors drop NaN, and give answers that look right. Done last, since a converter
    may take any product with zero for zero.

    Args:
        model: `ModelT` with outputs of float32.
        waveform: Name of the input, (1, samples).
    """
    from ai_edge_litert import schema_py_generated as schema

    graph, (signature,) = model.subgraphs[0], model.signatureDefs
    (entry,) = (e for e in signature.inputs if e.name.decode() == waveform)
    added = []

    def add(name, inputs, shape, options=None):
        ending = f"guard/{len(added)}".encode()
        made = add_tensor(model, shape, schema.TensorType.FLOAT32, 0, ending)
        operator = new_operator(operator_code(model, name, 1), inputs, [made])
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            operator.builtinOptions = options
        added.append(operator)
        return made

    samples = tuple(graph.tensors[entry.tensorIndex].shape)
    mean = schema.ReducerOptionsT()
    mean.keepDims = True
    axis = add_constant(model, np.ones(1, np.int32), b"guard/axis")
    squares = add("SQUARE", [entry.tensorIndex], samples)
    mark = add("MEAN", [squares, axis], (1, 1), mean)
    zero = add_constant(model, np.zeros(1, np.float32), b"guard/zero")
    for factor in (mark, mark, zero):
        mark = add("MUL", [mark, factor], (1, 1), schema.MulOptionsT())
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
