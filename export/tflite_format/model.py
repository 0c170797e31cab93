"""Reads and writes a `.tflite` file as the objects of its schema."""

import functools
from typing import Any

import numpy as np


def read_model(content: bytes) -> Any:
    """The `ModelT` in the bytes of a `.tflite` file, which it keeps views of.

    Example:

    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> len(model.subgraphs)
    1
    """
    from ai_edge_litert.tools import flatbuffer_utils

    return flatbuffer_utils.read_model_from_bytearray(bytearray(content))


def write_model(model: Any) -> bytes:
    """The bytes of a `.tflite` file with that `ModelT`, less what it doesn't use.

    Args:
        model: `ModelT`; loses the tensors and buffers that nothing refers to.

    Example:

    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> read_model(write_model(model)).signatureDefs[0].inputs[0].name
    b'waveform'
    """
    from ai_edge_litert.tools import flatbuffer_utils

    drop_unused(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def outputs_of(model: Any) -> dict[str, int]:
    """{name: index of the tensor} of the outputs, in the order of the signature.

    Example:

    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> list(outputs_of(model))
    ['probabilities']
    """
    (signature,) = model.signatureDefs
    return {output.name.decode(): output.tensorIndex for output in signature.outputs}


def operator_name(model: Any, operator: Any) -> str:
    """The builtin name of an operator in capitals, or a custom one's own name.

    Example:

    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> "SOFTMAX" in {operator_name(model, o) for o in model.subgraphs[0].operators}
    True
    """
    from ai_edge_litert import schema_py_generated as schema

    code = model.operatorCodes[operator.opcodeIndex]
    if code.customCode:
        return code.customCode.decode()
    # Files older than builtinCode keep the number in the deprecated byte.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return _builtin_names(schema)[number]


@functools.cache
def _builtin_names(schema):
    return {
        number: name
        for name, number in vars(schema.BuiltinOperator).items()
        if name.isupper()
    }


def inputs_of(operator: Any) -> list[int]:
    """Indices of the tensors that an operator takes, without -1, which is none.

    Example:

    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> min(min(inputs_of(operator)) for operator in model.subgraphs[0].operators) >= 0
    True
    """
    return [index for index in operator.inputs or [] if index >= 0]


def values_of(model: Any, tensor: Any) -> np.ndarray | None:
    """The bytes of a constant, (n,) uint8; None of any other tensor.

    Example:

    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> waveform = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    >>> values_of(model, waveform) is None
    True
    """
    data = model.buffers[tensor.buffer].data
    return None if data is None else np.frombuffer(bytes(data), np.uint8)


def drop_unused(model: Any) -> None:
    """Leaves out tensors and buffers that nothing refers to.

    Example:

    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> n_tensors = len(model.subgraphs[0].tensors)
    >>> model.subgraphs[0].tensors.append(model.subgraphs[0].tensors[0])
    >>> drop_unused(model)
    >>> len(model.subgraphs[0].tensors) == n_tensors
    True
    """
    for graph in model.subgraphs:
        used = {*graph.inputs, *graph.outputs}
        for operator in graph.operators:
            used.update(inputs_of(operator), operator.outputs)
            used.update(i for i in operator.intermediates or [] if i >= 0)
        _renumber_tensors(model, graph, sorted(used))
    buffers = sorted(
        {0}  # the empty one, which has to be the first
        | {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
        | {entry.buffer for entry in model.metadata or []}
    )
    places = {old: new for new, old in enumerate(buffers)}
    model.buffers = [model.buffers[old] for old in buffers]
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.buffer = places[tensor.buffer]
    for entry in model.metadata or []:
        entry.buffer = places[entry.buffer]


def _renumber_tensors(model, graph, kept):
    """Leaves a graph the tensors of some indices, and renumbers all references."""
    places = {old: new for new, old in enumerate(kept)} | {-1: -1}  # -1: none
    graph.tensors = [graph.tensors[old] for old in kept]
    graph.inputs = [places[i] for i in graph.inputs]
    graph.outputs = [places[i] for i in graph.outputs]
    for operator in graph.operators:
        operator.inputs = [places[i] for i in operator.inputs or []]
        operator.outputs = [places[i] for i in operator.outputs]
        if operator.intermediates:
            operator.intermediates = [places[i] for i in operator.intermediates]
    number = model.subgraphs.index(graph)
    for signature in model.signatureDefs or []:
        if signature.subgraphIndex == number:
            for end in (*signature.inputs, *signature.outputs):
                end.tensorIndex = places[end.tensorIndex]
