"""Probabilities in integers."""

from typing import Any

from export.tflite_format.building import Builder, Values
from export.tflite_format.model import operator_name
from leaf_files.errors import UserError

# What TFLite's kernels give.
_SOFTMAX = Values("int16", 2.0**-16, -(2**15))
_LOGISTIC = Values("int8", 2.0**-8, -(2**7))
_MAKERS = {"SOFTMAX": _SOFTMAX, "LOGISTIC": _LOGISTIC}


def integer_answers(model: Any) -> None:
    """Lets the probabilities be made of integers, and be integers.

    Args:
        model: `ModelT` of an encoder in integers, whose probabilities are float32; is
            changed.

    Raises:
        UserError: Something else of the encoder computes in float32.
    """
    from ai_edge_litert import schema_py_generated as schema

    graph = model.subgraphs[0]
    for operator in list(graph.operators):
        name = operator_name(model, operator)
        if name not in _MAKERS or operator.outputs[0] not in graph.outputs:
            continue
        makers = [op for op in graph.operators if operator.inputs[0] in op.outputs]
        if makers and operator_name(model, makers[0]) == "DEQUANTIZE":
            operator.inputs = [makers[0].inputs[0]]
            graph.operators.remove(makers[0])
            Builder(model).retype(operator.outputs[0], _MAKERS[name])
    left = sorted(
        {
            operator_name(model, op)
            for op in graph.operators
            for index in op.outputs
            if graph.tensors[index].type == schema.TensorType.FLOAT32
        }
    )
    if left:
        raise UserError(
            f"the encoder isn't all integers: {', '.join(left)} computes in float32"
        )
