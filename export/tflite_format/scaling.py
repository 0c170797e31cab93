"""What scales the features before an encoder, and is kept out of the integers."""

from collections.abc import Iterator
from typing import Any

from export.tflite_format.graph_edits import ENCODER, FRONTEND, part_of
from export.tflite_format.model import inputs_of, operator_name, values_of

_MOVING = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")
_SCALING = ("MUL", "ADD", "SUB")


def scale_in_float(model: Any) -> int:
    """Counts products and sums of the features with constants to the frontend.

    Batch normalisation of the features is such. In integers each of these would round
    again what is on a grid already, to a grid of nearly the same step: all values move
    the same way, by up to half a step. The encoder takes that for another volume.

    Args:
        model: `ModelT`, after `graph_edits.name_parts`.

    Returns:
        Number of operators that are now the frontend's.

    Example:

    >>> from export.tflite_format.graph_edits import name_parts
    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> name_parts(model, features=None)  # no part is the frontend
    >>> scale_in_float(model)
    0
    """
    graph = model.subgraphs[0]
    waiting: list[Any] = []
    moved = 0
    for operator in _behind_the_features(model):
        waiting.append(operator)
        if operator_name(model, operator) in _SCALING:
            for each in waiting:
                tensor = graph.tensors[each.outputs[0]]
                _, _, name = tensor.name.decode().partition("/")
                tensor.name = f"{FRONTEND}/{name}".encode()
            moved += len(waiting)
            waiting.clear()
    return moved


def _behind_the_features(model: Any) -> Iterator[Any]:
    """The encoder's first operators, as long as they work on each value alone."""
    graph = model.subgraphs[0]
    takers: dict[int, list[Any]] = {}
    for operator in graph.operators:
        for index in inputs_of(operator):
            takers.setdefault(index, []).append(operator)
    makers = {index: op for op in graph.operators for index in op.outputs}
    features = {
        index
        for index, operators in takers.items()
        if index in makers
        and part_of(graph, makers[index]) == FRONTEND
        and any(part_of(graph, op) == ENCODER for op in operators)
    }
    while len(features) == 1:
        (index,) = features
        if len(takers.get(index, ())) != 1:
            return
        (operator,) = takers[index]
        constants = [i for i in inputs_of(operator) if i != index]
        if (
            part_of(graph, operator) != ENCODER
            or operator_name(model, operator) not in (*_MOVING, *_SCALING)
            or any(values_of(model, graph.tensors[i]) is None for i in constants)
        ):
            return
        yield operator
        features = set(operator.outputs)
