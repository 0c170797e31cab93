"""Reads what a `.tflite` file computes."""

import collections
import dataclasses


@dataclasses.dataclass(frozen=True)
class Graph:
    """What a `.tflite` file holds.

    Attributes:
        n_subgraphs: 1 unless the model has control flow.
        ops: {operator name: count}, builtin names in capitals; a custom or
            select-TF operator keeps its own name, e.g. "FlexErfinv".
        unfolded_ops: The same for the operators that take constants alone, so
            that every run computes them again. Empty when all is folded.
    """

    n_subgraphs: int
    ops: dict
    unfolded_ops: dict


def read_graph(path):
    """The `Graph` of the `.tflite` file at `path`."""
    from ai_edge_litert import schema_py_generated as schema

    with open(path, "rb") as file:
        model = schema.ModelT.InitFromPackedBuf(file.read(), 0)
    builtin_names = {
        code: name
        for name, code in vars(schema.BuiltinOperator).items()
        if name.isupper()
    }
    ops, unfolded_ops = collections.Counter(), collections.Counter()
    for subgraph in model.subgraphs:
        at_run_time = set(subgraph.inputs)
        for operator in subgraph.operators:
            name = _name(model.operatorCodes[operator.opcodeIndex], builtin_names)
            ops[name] += 1
            if at_run_time.isdisjoint(
                operator.inputs if operator.inputs is not None else []
            ):
                unfolded_ops[name] += 1
            else:
                at_run_time.update(operator.outputs)
    return Graph(
        len(model.subgraphs),
        dict(sorted(ops.items())),
        dict(sorted(unfolded_ops.items())),
    )


def _name(code, builtin_names):
    if code.customCode:
        return code.customCode.decode()
    # Files older than builtinCode keep the number in the deprecated byte.
    return builtin_names[max(code.builtinCode, code.deprecatedBuiltinCode)]
