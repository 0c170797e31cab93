"""Tensors and operators that edits of a `.tflite` file's first subgraph add."""

from typing import Any

import numpy as np


def add_constant(model: Any, values: np.ndarray, name: bytes) -> int:
    """Adds a constant to the first subgraph.

    Args:
        model: `ModelT` of the TFLite schema; is changed.
        values: float16, float32 or int32.
        name: Name of the tensor.

    Returns:
        Index of the tensor.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> index = add_constant(model, np.ones((2, 3), np.float32), b"ones")
    >>> model.subgraphs[0].tensors[index].shape
    (2, 3)
    """
    from ai_edge_litert import schema_py_generated as schema

    buffer = schema.BufferT()
    buffer.data = values.reshape(-1).view(np.uint8)
    model.buffers.append(buffer)
    types = {
        "float16": schema.TensorType.FLOAT16,
        "float32": schema.TensorType.FLOAT32,
        "int32": schema.TensorType.INT32,
    }
    return add_tensor(
        model, values.shape, types[values.dtype.name], len(model.buffers) - 1, name
    )


def add_activation(model: Any, like: int, shape: tuple, ending: bytes) -> int:
    """Adds a tensor that an operator makes, of the type of another one.

    Args:
        model: `ModelT` of the TFLite schema; is changed.
        like: Index of the other tensor.
        shape: Shape of the tensor.
        ending: Suffix of its name, behind the name of the other.

    Returns:
        Index of the tensor.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> index = add_activation(model, like=0, shape=(1, 8), ending=b"/flat")
    >>> model.subgraphs[0].tensors[index].name.endswith(b"/flat")
    True
    """
    tensor = model.subgraphs[0].tensors[like]
    return add_tensor(model, shape, tensor.type, 0, tensor.name + ending)


def add_tensor(model: Any, shape: tuple, kind: int, buffer: int, name: bytes) -> int:
    """Adds a tensor to the first subgraph.

    Args:
        model: `ModelT` of the TFLite schema; is changed.
        shape: Shape of the tensor.
        kind: `TensorType` of the schema.
        buffer: Index of the buffer of its values; 0 where an operator makes them.
        name: Name of the tensor.

    Returns:
        Index of the tensor.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> index = add_tensor(model, shape=(1, 8), kind=0, buffer=0, name=b"empty")
    >>> index == len(model.subgraphs[0].tensors) - 1
    True
    """
    from ai_edge_litert import schema_py_generated as schema

    tensor = schema.TensorT()
    tensor.shape, tensor.type, tensor.buffer, tensor.name = shape, kind, buffer, name
    tensor.hasRank = True
    tensors = model.subgraphs[0].tensors
    tensors.append(tensor)
    return len(tensors) - 1


def new_operator(code: int, inputs: list[int], outputs: list[int]) -> Any:
    """An `OperatorT`; it is in no graph yet.

    Args:
        code: Result of `operator_code`.
        inputs, outputs: Indices of tensors.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> operator = new_operator(operator_code(model, "ADD", 1), [0, 1], [2])
    >>> operator.inputs, operator.outputs
    ([0, 1], [2])
    """
    from ai_edge_litert import schema_py_generated as schema

    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, outputs
    return operator


def reshape(model: Any, source: int, target: int) -> Any:
    """An operator that reshapes one tensor into another; both by their index.

    Example:

    >>> from export.tflite_format.model import operator_name, read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> flat = add_activation(model, like=0, shape=(4000,), ending=b"/flat")
    >>> operator_name(model, reshape(model, source=0, target=flat))
    'RESHAPE'
    """
    tensor = model.subgraphs[0].tensors[target]
    shape = np.array(tensor.shape, np.int32)
    inputs = [source, add_constant(model, shape, tensor.name + b"/shape")]
    return new_operator(operator_code(model, "RESHAPE", 1), inputs, [target])


def operator_code(model: Any, name: str, version: int) -> int:
    """Index of an operator's code among the model's, added if it isn't there.

    Args:
        model: `ModelT` of the TFLite schema; may be changed.
        name: Builtin name in capitals.
        version: Version of the operator.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> code = operator_code(model, "ADD", 1)
    >>> operator_code(model, "ADD", 1) == code  # it is there now
    True
    """
    from ai_edge_litert import schema_py_generated as schema

    number = getattr(schema.BuiltinOperator, name)
    for index, code in enumerate(model.operatorCodes):
        if code.builtinCode == number and code.version == version:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.version = number, version
    # For old readers, which have one byte.
    most = schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES
    code.deprecatedBuiltinCode = min(number, most)
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1
