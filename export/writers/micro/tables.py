"""Functions of integers, looked up in tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from export.tflite_format.building import Builder, Values

# Logarithms to base 2 are numbers of 1/1024, of at most 32 either way: the least one
# stands for nothing at all.
LOG = Values("int16", 2.0**-10)
LEAST = -32.0
# A table of logarithms has an entry for so many steps of an int16.
LOG_ENTRIES = 512
LOG_STEP = 2**15 // LOG_ENTRIES
_COARSEST = 8
# The schema's number of an activation that an operator ends with.
RELU = 1
# A table has 14 bits a value: TFLite Micro looks up bytes alone, and joins a high one
# of 8 bits with a low one of 6 by a product.
_LOW = 64
_MOST = 127 * _LOW + _LOW - 1
_LEAST = -128 * _LOW


def look_up(
    builder: Builder,
    numbers: int,
    table: np.ndarray,
    scale: float,
    shift: int = 0,
    shape: Sequence[int] | None = None,
) -> int:
    """Values of a table, by the number of each.

    Args:
        builder: Graph to add to.
        numbers: Tensor of int16, >= 0.
        table: (n,), the values.
        scale: Step of the values, which are within -8192 and 8127 of these.
        shift: Tensor of int32 to add to the numbers; 0 for none.
        shape: Of the result. Defaults to that of the numbers.

    Returns:
        Tensor of int16, of that scale.

    Example:

    >>> from export.tflite_format.building import new_model
    >>> builder = Builder(new_model())
    >>> numbers = builder.tensor((1, 5), Values("int16", 1.0))
    >>> roots = look_up(builder, numbers, np.sqrt(np.arange(100)), scale=2.0**-9)
    >>> builder.shape_of(roots), builder.values_of(roots).step
    ((1, 5), 0.001953125)
    """
    looked_up = builder.shape_of(numbers)
    index = builder.operator(
        "CAST", [numbers], looked_up, Values("int32"), inDataType=7, outDataType=2
    )
    if shift:
        index = builder.operator("ADD", [index, shift], looked_up, Values("int32"))
    steps = np.clip(np.round(table / scale), _LEAST, _MOST).astype(int)
    rows = np.stack([steps // _LOW, steps % _LOW], axis=1)
    byte = Values("int8", 1.0)
    rows_constant = builder.constant(rows, byte)
    pairs = builder.operator("GATHER", [rows_constant, index], (*looked_up, 2), byte)
    numbers_of_1 = Values("int16", 1.0)
    pairs = builder.operator("QUANTIZE", [pairs], (*looked_up, 2), numbers_of_1)
    weights = builder.constant(np.array([[_LOW, 1]]), Values("int8", 1.0))
    size = int(np.prod(looked_up))
    # As numbers of 1, whose scale is then read as another.
    joined = builder.operator(
        "FULLY_CONNECTED", [pairs, weights, -1], (size, 1), numbers_of_1
    )
    joined = builder.reshape(joined, looked_up if shape is None else shape)
    return builder.reread(joined, Values("int16", scale))


def look_up_bytes(
    builder: Builder, numbers: int, table: np.ndarray, values: Values
) -> int:
    """`look_up` of values of 8 bits: fewer operators.

    Args:
        builder, numbers, table: Arguments of `look_up`.
        values: Their meaning, as int8.

    Returns:
        Tensor of logarithms, see `LOG`.

    Example:

    >>> from export.tflite_format.building import new_model
    >>> builder = Builder(new_model())
    >>> numbers = builder.tensor((1, 5), Values("int16", 1.0))
    >>> halves = Values("int8", 0.5, -128)
    >>> found = look_up_bytes(builder, numbers, np.arange(100) / 2, halves)
    >>> builder.values_of(found) == LOG
    True
    """
    shape = builder.shape_of(numbers)
    index = builder.operator(
        "CAST", [numbers], shape, Values("int32"), inDataType=7, outDataType=2
    )
    rows = builder.constant(values.numbers(table), values)
    found = builder.operator("GATHER", [rows, index], shape, values)
    return builder.operator("QUANTIZE", [found], shape, LOG)


def steps_of(builder: Builder, source: int, step: float) -> int:
    """Numbers of steps in a tensor of int16, rounded: what a table is looked up by.

    Example:

    >>> from export.tflite_format.building import new_model
    >>> builder = Builder(new_model())
    >>> steps = steps_of(builder, builder.tensor((1, 5), LOG), step=0.25)
    >>> builder.values_of(steps).step
    0.25
    """
    shape = builder.shape_of(source)
    values = Values("int16", step)
    return builder.operator("QUANTIZE", [source], shape, values)


def log2_table() -> np.ndarray:
    """Logarithms of 0 ... `LOG_ENTRIES`; then again, but nothing up to the coarsest.

    The second half is for numbers that another tensor has finer.

    Example:

    >>> log2_table()[[1, 2, LOG_ENTRIES, LOG_ENTRIES + 1 + 2]]
    array([  0.,   1.,   9., -32.])
    """
    numbers = np.arange(LOG_ENTRIES + 1)
    logs = np.log2(np.maximum(numbers, 1))
    fine = np.where(numbers < 1, LEAST, logs)
    return np.concatenate([fine, np.where(numbers < _COARSEST, LEAST, logs)])


def log_constant(builder: Builder, values: Sequence | np.ndarray) -> int:
    """A constant in logarithms to base 2.

    Example:

    >>> from export.tflite_format.building import new_model
    >>> builder = Builder(new_model())
    >>> builder.shape_of(log_constant(builder, [1.0, 2.5]))
    (2,)
    """
    return builder.constant(LOG.numbers(np.asarray(values)), LOG)


def combine(
    builder: Builder, name: str, one: int, other: int, values=LOG, **options: Any
) -> int:
    """ADD, SUB, MUL, MINIMUM or MAXIMUM of two tensors, which may be broadcast.

    Args:
        builder: Graph to add to.
        name: Name of the operator.
        one, other: The tensors.
        values: `Values` of the result.
        **options: Options of the operator.

    Example:

    >>> from export.tflite_format.building import new_model
    >>> builder = Builder(new_model())
    >>> one, other = (builder.tensor(shape, LOG) for shape in ((1, 5), (4, 1)))
    >>> builder.shape_of(combine(builder, "ADD", one, other))
    (4, 5)
    """
    shapes = np.broadcast_shapes(builder.shape_of(one), builder.shape_of(other))
    return builder.operator(name, [one, other], shapes, values, **options)
