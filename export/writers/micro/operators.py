"""The operators that TFLite Micro has."""

from typing import Any

from export.tflite_format.model import operator_name
from leaf_files.errors import UserError

# Those that the files of this package may have: builtin name, and what a
# `MicroMutableOpResolver` calls it.
METHODS = {
    "ABS": "AddAbs",
    "ADD": "AddAdd",
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "BATCH_MATMUL": "AddBatchMatMul",
    "CAST": "AddCast",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "DEQUANTIZE": "AddDequantize",
    "DIV": "AddDiv",
    "EXP": "AddExp",
    "EXPAND_DIMS": "AddExpandDims",
    "FULLY_CONNECTED": "AddFullyConnected",
    "GATHER": "AddGather",
    "HARD_SWISH": "AddHardSwish",
    "LEAKY_RELU": "AddLeakyRelu",
    "LOG": "AddLog",
    "LOGISTIC": "AddLogistic",
    "MAXIMUM": "AddMaximum",
    "MAX_POOL_2D": "AddMaxPool2D",
    "MEAN": "AddMean",
    "MINIMUM": "AddMinimum",
    "MUL": "AddMul",
    "NEG": "AddNeg",
    "PACK": "AddPack",
    "PAD": "AddPad",
    "PADV2": "AddPadV2",
    "PRELU": "AddPrelu",
    "QUANTIZE": "AddQuantize",
    "REDUCE_MAX": "AddReduceMax",
    "RELU": "AddRelu",
    "RELU6": "AddRelu6",
    "RESHAPE": "AddReshape",
    "RSQRT": "AddRsqrt",
    "SLICE": "AddSlice",
    "SOFTMAX": "AddSoftmax",
    "SPLIT": "AddSplit",
    "SPLIT_V": "AddSplitV",
    "SQRT": "AddSqrt",
    "SQUARE": "AddSquare",
    "SQUARED_DIFFERENCE": "AddSquaredDifference",
    "SQUEEZE": "AddSqueeze",
    "STRIDED_SLICE": "AddStridedSlice",
    "SUB": "AddSub",
    "SUM": "AddSum",
    "TANH": "AddTanh",
    "TRANSPOSE": "AddTranspose",
    "TRANSPOSE_CONV": "AddTransposeConv",
    "UNPACK": "AddUnpack",
}


def micro_operators(model: Any, name: str) -> list[str]:
    """The methods that add a model's operators to a resolver, sorted.

    Args:
        model: `ModelT` of the TFLite schema.
        name: Name of the file, for the message.

    Raises:
        UserError: TFLite Micro lacks an operator.

    Example:

    >>> from export.tflite_format.model import read_model
    >>> model = read_model(Path("artifacts/model.tflite").read_bytes())
    >>> micro_operators(model, "model.tflite")
    Traceback (most recent call last):
    leaf_files.errors.UserError: model.tflite would need ...
    """
    names = {operator_name(model, op) for op in model.subgraphs[0].operators}
    unknown = sorted(names - METHODS.keys())
    if unknown:
        raise UserError(
            f"{name} would need {', '.join(unknown)}, which TFLite Micro lacks; "
            "replace it in the model, or leave micro out of --formats"
        )
    return sorted(METHODS[name] for name in names)
