"""Functions of integers, looked up in tables."""

from collections.abc import Sequence

import numpy as np

from export.tflite_format.building import Builder, Values

# Logarithms to base 2 are numbers of 1/1024, of at most 32 either way: the least one
# stands for nothing at all.
LOG = Values("int16", 2.0**-10)
LEAST = -32.0
# A table has 14 bits a value: TFLite Micro looks up bytes alone, and joins a high one
# of 8 bits with a low one of 6 by a product.
_LOW = 64
_MOST = 127 * _LOW + _LOW - 1
_LEAST = -128 * _LOW


def look_up(
    builder: Builder, numbers: int, table: np.ndarray, scale: float, shift: int = 0
) -> int:
    """Values of a table, by the number of each.

    Args:
        builder: Graph to add to.
        numbers: Tensor of int16, >= 0.
        table: (n,), the values.
        scale: Step of the values, which are within -8192 and 8127 of these.
        shift: Tensor of int32 to add to the numbers; 0 for none.

    Returns:
        Tensor of int16, of that scale.
    """
    shape = builder.shape_of(numbers)
    index = builder.operator(
        "CAST", [numbers], shape, Values("int32"), inDataType=7, outDataType=2
    )
    if shift:
        index = builder.operator("ADD", [index, shift], shape, Values("int32"))
    steps = np.clip(np.round(table / scale), _LEAST, _MOST).astype(int)
    rows = np.stack([steps // _LOW, steps % _LOW], axis=1)
    byte = Values("int8", 1.0)
    rows_constant = builder.constant(rows, byte)
    pairs = builder.operator("GATHER", [rows_constant, index], (*shape, 2), byte)
    pairs = builder.operator("QUANTIZE", [pairs], (*shape, 2), Values("int16", 1.0))
    weights = builder.constant(np.array([[_LOW, 1]]), Values("int8", 1.0))
    size = int(np.prod(shape))
    # As numbers of 1, whose scale is then read as another.
    joined = builder.operator(
        "FULLY_CONNECTED", [pairs, weights, -1], (size, 1), Values("int16", 1.0)
    )
    return builder.reread(builder.reshape(joined, shape), Values("int16", scale))


def steps_of(builder: Builder, source: int, step: float) -> int:
    """Numbers of steps in a tensor of int16, rounded: what a table is looked up by."""
    shape = builder.shape_of(source)
    values = Values("int16", step)
    return builder.operator("QUANTIZE", [source], shape, values)


def log2_table(n: int, least: int = 1) -> np.ndarray:
    """Logarithms of the numbers up to n; nothing below the least."""
    numbers = np.arange(n + 1)
    logs = np.log2(np.maximum(numbers, 1))
    return np.where(numbers < least, LEAST, logs)


def log_constant(builder: Builder, values: Sequence | np.ndarray) -> int:
    """A constant in logarithms to base 2."""
    return builder.constant(LOG.numbers(np.asarray(values)), LOG)


def combine(builder: Builder, name: str, one: int, other: int, values=LOG) -> int:
    """ADD, SUB, MUL or MAXIMUM of two tensors, one of which may be broadcast."""
    shapes = np.broadcast_shapes(builder.shape_of(one), builder.shape_of(other))
    return builder.operator(name, [one, other], shapes, values)
