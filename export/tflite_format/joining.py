"""Puts the graph of one `.tflite` file behind that of another."""

from collections.abc import Mapping
from typing import Any

from export.tflite_format.model import operator_name
from export.tflite_format.pieces import operator_code


def append_graph(model: Any, other: Any, inputs: Mapping[int, int]) -> dict[int, int]:
    """Appends the operators of another model's first subgraph.

    Args:
        model: `ModelT` of the TFLite schema; is changed.
        other: Another; not to be used any more.
        inputs: {tensor of the other: tensor of the model to take for it}.

    Returns:
        {tensor of the other: tensor of the model}.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> content = Path("artifacts/model.tflite").read_bytes()
    >>> model, other = read_model(content), read_model(content)
    >>> first = other.subgraphs[0].inputs[0]
    >>> places = append_graph(model, other, {first: model.subgraphs[0].inputs[0]})
    >>> places[first] == model.subgraphs[0].inputs[0]
    True
    """
    graph, added = model.subgraphs[0], other.subgraphs[0]
    buffers = {0: 0}  # the empty one
    places = {**inputs, -1: -1}
    for index, tensor in enumerate(added.tensors):
        if index in inputs:
            continue
        if tensor.buffer not in buffers:
            buffers[tensor.buffer] = len(model.buffers)
            model.buffers.append(other.buffers[tensor.buffer])
        tensor.buffer = buffers[tensor.buffer]
        places[index] = len(graph.tensors)
        graph.tensors.append(tensor)
    for operator in added.operators:
        code = other.operatorCodes[operator.opcodeIndex]
        name = operator_name(other, operator)
        operator.opcodeIndex = operator_code(model, name, code.version)
        operator.inputs = [places[index] for index in operator.inputs]
        operator.outputs = [places[index] for index in operator.outputs]
        graph.operators.append(operator)
    return places
