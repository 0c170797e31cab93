"""Computes the first convolutions of a network strip by strip.

A convolution of an image and the pooling behind it hold the whole image at once, and
the first images of a network are the largest. Here the rows of the image are cut in
strips, and each goes through several layers before the next one does. The numbers are
the same; rows at the edges of strips are computed twice.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from export.tflite_format.building import Builder, Values
from export.tflite_format.model import operator_name

# Layers that strips may go through.
_LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D")
_MOST_STRIPS = 10
# Bytes that TFLite Micro keeps for a layer of a strip, roughly, and for a channel of a
# convolution.
_LAYER_BYTES = 350
_CHANNEL_BYTES = 8


@dataclasses.dataclass(frozen=True)
class _Layer:
    """A layer of a chain.

    Attributes:
        operator: `OperatorT`.
        name: Its name.
        size: Rows and columns of its kernel.
        stride: Rows and columns between outputs.
        before: Zeros above and left of the image.
        source, target: Shapes of its input and output.
    """

    operator: Any
    name: str
    size: tuple[int, ...]
    stride: tuple[int, ...]
    before: tuple[int, ...]
    source: tuple[int, ...]
    target: tuple[int, ...]

    def rows(self, start, end):
        """Rows of the input, from and to, outside of it, too, that rows need."""
        first = start * self.stride[0] - self.before[0]
        return first, (end - 1) * self.stride[0] - self.before[0] + self.size[0]

    def columns_after(self):
        """Zeros to the right of the image."""
        reach = (self.target[2] - 1) * self.stride[1] + self.size[1]
        return max(reach - self.before[1] - self.source[2], 0)


@dataclasses.dataclass(frozen=True)
class StripPlan:
    """A way to run the first layers in strips.

    Attributes:
        depth: Layers that each strip goes through.
        ends: (strips + 1,), rows of the last one's output.

    Example:

    >>> StripPlan(depth=2, ends=(0, 5, 10)).n_strips
    2
    """

    depth: int
    ends: tuple[int, ...]

    @property
    def n_strips(self) -> int:
        """Number of strips."""
        return len(self.ends) - 1

    def estimate(self, chain: list) -> int:
        """Bytes that the whole chain should take, roughly."""
        plan = _Plan(tuple(chain[: self.depth]), self.ends)
        rest = [
            math.prod(layer.source) + math.prod(layer.target)
            for layer in chain[self.depth :]
        ]
        return max(plan.bytes(), *rest, 0) + plan.kept_bytes()


@dataclasses.dataclass(frozen=True)
class _Plan:
    """How many layers strips go through, and where the strips end.

    Attributes:
        layers: Of the chain.
        ends: (strips + 1,), rows of the last layer's output.
    """

    layers: tuple[_Layer, ...]
    ends: tuple[int, ...]

    def kept_bytes(self):
        """What is kept for the operators."""
        channels = sum(x.target[3] for x in self.layers if x.name != "MAX_POOL_2D")
        layers = _LAYER_BYTES * len(self.layers) + _CHANNEL_BYTES * channels
        return layers * (len(self.ends) - 1)

    def bytes(self):
        """The most that is held at a time, roughly."""
        whole = math.prod(self.layers[-1].target)
        source = math.prod(self.layers[0].source)
        most = 2 * whole
        for start, end in zip(self.ends, self.ends[1:]):
            for layer in reversed(self.layers):
                after = (end - start) * math.prod(layer.target[2:])
                start, end = layer.rows(start, end)
                before = (end - start) * math.prod(layer.source[2:])
                padded = 2 * before if layer.name != "MAX_POOL_2D" else before
                most = max(
                    most, source + whole + padded, source + whole + before + after
                )
        return most


def strip_plans(model: Any) -> list[StripPlan]:
    """Ways to run a network in strips, those that should take least memory first.

    Args:
        model: `ModelT` of one graph, whose convolutions are of int8.

    Returns:
        List of `StripPlan`; [] where it has no images.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> strip_plans(model)  # it has no images
    []
    """
    chain = _chain(model)
    return sorted(_plans(chain), key=lambda plan: plan.estimate(chain))


def run_in_strips(model: Any, plan: StripPlan) -> None:
    """Cuts the images of the first convolutions of a network into strips.

    Args:
        model: `ModelT`, as `strip_plans` had it, or a copy of it; is changed.
        plan: One of its plans.

    Example:

    >>> from export.tflite_format.building import new_model
    >>> model, image = new_model(), Values("int8", 0.1)
    >>> builder = Builder(model)
    >>> source = builder.tensor((1, 8, 4, 1), image)
    >>> size = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2}
    >>> _ = builder.operator("MAX_POOL_2D", [source], (1, 4, 2, 1), image, **size)
    >>> run_in_strips(model, StripPlan(depth=1, ends=(0, 2, 4)))
    >>> [operator_name(model, op) for op in model.subgraphs[0].operators][:2]
    ['SLICE', 'MAX_POOL_2D']
    """
    _rewrite(model, _Plan(tuple(_chain(model)[: plan.depth]), plan.ends))


def _plans(chain):
    """Plans to choose from: strips end in front of a convolution."""
    plans = []
    for depth in range(1, len(chain) + 1):
        if depth < len(chain) and chain[depth].name == "MAX_POOL_2D":
            continue
        rows = chain[depth - 1].target[1]
        for n in range(2, min(_MOST_STRIPS, rows) + 1):
            ends = tuple(int(end) for end in np.linspace(0, rows, n + 1).round())
            plans.append(StripPlan(depth, ends))
    return plans


def _chain(model):
    """The first convolution of an image and the layers behind it, each fed by one."""
    graph = model.subgraphs[0]
    takers: dict[int, list] = {}
    for operator in graph.operators:
        for index in operator.inputs:
            takers.setdefault(index, []).append(operator)
    chain: list[_Layer] = []
    for operator in graph.operators:
        layer = _layer(model, operator)
        if layer is None:
            if chain:
                break
            continue
        if not chain and layer.source[1] == 1:
            continue
        if chain:
            (last,) = chain[-1].operator.outputs
            if operator.inputs[0] != last or len(takers[last]) > 1:
                break
        chain.append(layer)
    return chain


def _layer(model, operator):
    """The `_Layer` of an operator; None if strips can't go through it."""
    from ai_edge_litert import schema_py_generated as schema

    name = operator_name(model, operator)
    if name not in _LAYERS:
        return None
    tensors = model.subgraphs[0].tensors
    options = operator.builtinOptions
    source, target = (
        tuple(int(n) for n in tensors[index].shape)
        for index in (operator.inputs[0], operator.outputs[0])
    )
    if name == "MAX_POOL_2D":
        size: tuple[int, ...] = (options.filterHeight, options.filterWidth)
    else:
        size = tuple(int(n) for n in tensors[operator.inputs[1]].shape[1:3])
        if options.dilationHFactor != 1 or options.dilationWFactor != 1:
            return None
    stride = (options.strideH, options.strideW)
    before: tuple[int, ...] = (0, 0)
    if options.padding == schema.Padding.SAME:
        before = tuple(
            max((target[i + 1] - 1) * stride[i] + size[i] - source[i + 1], 0) // 2
            for i in range(2)
        )
    # A zero is none to a maximum: pooling must need no rows above.
    if name == "MAX_POOL_2D" and before != (0, 0):
        return None
    return _Layer(operator, name, size, stride, before, source, target)


def _rewrite(model, plan):
    """Puts the strips in place of the layers."""
    graph = model.subgraphs[0]
    first = graph.operators.index(plan.layers[0].operator)
    replaced = {id(layer.operator) for layer in plan.layers}
    behind = [op for op in graph.operators[first:] if id(op) not in replaced]
    graph.operators = graph.operators[:first]
    builder = Builder(model)
    source = _padded_once(builder, plan.layers[0])
    strips = [
        _strip(builder, plan.layers, source, start, end)
        for start, end in zip(plan.ends, plan.ends[1:])
    ]
    builder.joined(strips, axis=1)
    # The name and all takers of the output stay.
    (target,) = plan.layers[-1].operator.outputs
    graph.operators[-1].outputs = [target]
    graph.operators += behind


def _padded_once(builder, layer):
    """The image that strips are cut from, with the zeros around it that a layer needs.

    So strips aren't padded one by one in front of that layer.
    """
    source = layer.operator.inputs[0]
    if layer.name == "MAX_POOL_2D":
        return source
    _, end = layer.rows(0, layer.target[1])
    return _padded(builder, layer, source, layer.before[0], end - layer.source[1])


def _strip(builder, layers, source, start, end):
    """The rows `start` to `end` of the last layer's output, from `_padded_once`."""
    first, *behind = layers
    # Rows that are outside the image of each layer behind the first, above and below.
    outside: list[tuple[int, int]] = []
    for layer in reversed(behind):
        above, below = layer.rows(start, end)
        start, end = max(above, 0), min(below, layer.source[1])
        outside.insert(0, (start - above, below - end))
    start, end = first.rows(start, end)
    if first.name == "MAX_POOL_2D":
        end = min(end, first.source[1])
    strip = builder.cut(source, 1, start + first.before[0], end - start)
    strip = _apply(builder, first, strip)
    for layer, (above, below) in zip(behind, outside):
        if layer.name != "MAX_POOL_2D":
            strip = _padded(builder, layer, strip, above, below)
        strip = _apply(builder, layer, strip)
    return strip


def _apply(builder, layer, strip):
    """A layer on a strip, which has all the zeros that the layer needs."""
    from ai_edge_litert import schema_py_generated as schema

    padding = schema.Padding.VALID
    if layer.name == "MAX_POOL_2D":
        # Rows and columns that are missing at the end are no maximum.
        padding = schema.Padding.SAME
    _, rows, columns, _ = builder.shape_of(strip)
    size = [-(-n // step) for n, step in zip((rows, columns), layer.stride)]
    if padding == schema.Padding.VALID:
        size = [
            (n - length) // step + 1
            for n, length, step in zip((rows, columns), layer.size, layer.stride)
        ]
    inputs = [strip, *layer.operator.inputs[1:]]
    (target,) = layer.operator.outputs
    shape = (1, *size, layer.target[3])
    output = builder.operator(
        layer.name, inputs, shape, builder.values_of(target), **_options(layer, padding)
    )
    builder.graph.operators[-1].opcodeIndex = layer.operator.opcodeIndex
    return output


def _options(layer, padding):
    return {**vars(layer.operator.builtinOptions), "padding": padding}


def _padded(builder, layer, strip, above, below):
    """A strip with rows of zeros, and the columns of zeros that a layer needs."""
    rows = (above, max(below, 0))
    columns = (layer.before[1], layer.columns_after())
    if not any((*rows, *columns)):
        return strip
    shape = builder.shape_of(strip)
    widths = np.array([(0, 0), rows, columns, (0, 0)], np.int32)
    wanted = [n + sum(width) for n, width in zip(shape, widths.tolist())]
    inputs = [strip, builder.constant(widths, Values("int32"))]
    return builder.operator("PAD", inputs, wanted, builder.values_of(strip))
