"""Reads what a `.tflite` file computes."""

import collections
import dataclasses

from export.contract.heads import SIGMOID, SOFTMAX
from export.tflite_format.graph_edits import ENCODER
from export.tflite_format.model import operator_name, outputs_of, read_model

# Of constants, runtimes do it as they load.
_WIDENING = "DEQUANTIZE"
_PASSING = (_WIDENING, "QUANTIZE", "RESHAPE", "CAST")  # they keep what values mean


@dataclasses.dataclass(frozen=True)
class Graph:
    """What a `.tflite` file holds.

    Attributes:
        n_subgraphs: 1 unless the model has control flow.
        ops: {operator name: count}, builtin names in capitals; a custom or
            select-TF operator keeps its own name, e.g. "FlexErfinv".
        unfolded_ops: The same for the operators that take constants alone, so
            that every run computes them again. Empty when all is folded.
        float_encoder_ops: The same for the encoder's operators that make float32, in
            a file whose parts are named (see `export.tflite_format.graph_edits`).
    """

    n_subgraphs: int
    ops: dict
    unfolded_ops: dict
    float_encoder_ops: dict


def read_graph(path):
    """The `Graph` of the `.tflite` file at `path`."""
    from ai_edge_litert.schema_py_generated import TensorType

    with open(path, "rb") as file:
        model = read_model(file.read())
    ops, unfolded, in_float = (collections.Counter() for _ in range(3))
    for subgraph in model.subgraphs:
        at_run_time = set(subgraph.inputs)
        for operator in subgraph.operators:
            name = operator_name(model, operator)
            ops[name] += 1
            made = [subgraph.tensors[index] for index in operator.outputs]
            if name != _WIDENING and made[0].type == TensorType.FLOAT32:
                in_float[name] += made[0].name.decode().startswith(f"{ENCODER}/")
            if not at_run_time.isdisjoint(operator.inputs or []):
                at_run_time.update(operator.outputs)
            elif name != _WIDENING:
                unfolded[name] += 1
    return Graph(
        len(model.subgraphs),
        *(dict(sorted((+c).items())) for c in (ops, unfolded, in_float)),
    )


def read_activations(content):
    """What makes each output of a classifier probabilities.

    Args:
        content: bytes of a `.tflite` file of one signature.

    Returns:
        {output: "softmax" or "sigmoid"}.
    """
    model = read_model(content)
    operators = model.subgraphs[0].operators
    makers = {index: op for op in operators for index in op.outputs}

    def last_operator(index):
        for _ in operators:  # at most: a damaged file may run in a circle
            maker = makers.get(index)
            name = maker and operator_name(model, maker)
            if name not in _PASSING:
                return name
            index = maker.inputs[0]
        return None

    return {
        name: SIGMOID if last_operator(index) == "LOGISTIC" else SOFTMAX
        for name, index in outputs_of(model).items()
    }
