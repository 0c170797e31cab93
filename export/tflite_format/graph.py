"""Reads the computations of a `.tflite` file: operators, subgraphs, activations."""

import collections
import dataclasses
from pathlib import Path

from export.tflite_format.model import operator_name, outputs_of, read_model
from leaf_files.run_folder import SIGMOID, SOFTMAX

# Parts of a model, as names of tensors begin: see `export.tflite_format.graph_edits`.
FRONTEND, ENCODER, OUTPUT = "frontend", "encoder", "output"

_WIDENING = "DEQUANTIZE"  # runtimes widen constants as they load
_PASSING = (_WIDENING, "QUANTIZE", "RESHAPE", "CAST")  # they keep the values' meaning


@dataclasses.dataclass(frozen=True)
class Graph:
    """Contents of a `.tflite` file.

    Attributes:
        n_subgraphs: Number of subgraphs, 1 unless the model has control flow.
        ops: {operator name: count}, builtin names in capitals; a custom or
            select-TF operator keeps its own name, e.g. "FlexErfinv".
        unfolded_ops: Those that take constants alone, so that every run computes them
            again. Empty when all is folded.
        float_encoder_ops: Those of the encoder that make float32, in a file whose
            parts are named (see `export.tflite_format.graph_edits`).

    Example:

    >>> graph = read_graph("artifacts/model.tflite")
    >>> graph.n_subgraphs, graph.ops["SOFTMAX"], graph.unfolded_ops
    (1, 1, {})
    """

    n_subgraphs: int
    ops: dict[str, int]
    unfolded_ops: dict[str, int]
    float_encoder_ops: dict[str, int]


def read_graph(path: str | Path) -> Graph:
    """The `Graph` of the `.tflite` file at `path`.

    Example:

    >>> read_graph("artifacts/model.tflite").ops["FULLY_CONNECTED"] > 0
    True
    """
    from ai_edge_litert.schema_py_generated import TensorType

    with open(path, "rb") as file:
        model = read_model(file.read())
    ops: collections.Counter[str] = collections.Counter()
    unfolded: collections.Counter[str] = collections.Counter()
    in_float: collections.Counter[str] = collections.Counter()
    for subgraph in model.subgraphs:
        at_run_time = set(subgraph.inputs)
        for operator in subgraph.operators:
            name = operator_name(model, operator)
            ops[name] += 1
            output = subgraph.tensors[operator.outputs[0]]
            if name != _WIDENING and output.type == TensorType.FLOAT32:
                is_encoder = (output.name or b"").startswith(f"{ENCODER}/".encode())
                in_float[name] += is_encoder
            if not at_run_time.isdisjoint(operator.inputs or []):
                at_run_time.update(operator.outputs)
            elif name != _WIDENING:
                unfolded[name] += 1
    return Graph(
        len(model.subgraphs),
        *(dict(sorted((+c).items())) for c in (ops, unfolded, in_float)),
    )


def read_activations(content: bytes) -> dict[str, str]:
    """The activation of each output of a classifier, by its last operator.

    Args:
        content: A `.tflite` file of one signature.

    Returns:
        {output: "softmax" or "sigmoid"}.

    Example:

    >>> read_activations(Path("artifacts/model.tflite").read_bytes())
    {'probabilities': 'softmax'}
    """
    model = read_model(content)
    operators = model.subgraphs[0].operators
    makers = {index: op for op in operators for index in op.outputs}

    def last_operator(index):
        for _ in operators:  # at most: a damaged file may run in a circle
            maker = makers.get(index)
            if maker is None:
                return None
            name = operator_name(model, maker)
            if name not in _PASSING:
                return name
            index = maker.inputs[0]
        return None

    return {
        name: SIGMOID if last_operator(index) == "LOGISTIC" else SOFTMAX
        for name, index in outputs_of(model).items()
    }
