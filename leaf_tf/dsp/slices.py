"""Slicing whose gradient is cheap, and lengths that may be unknown."""

import keras
from keras import ops

from leaf_tf.dsp.types import Size, Tensor


def cut(
    values: Tensor,
    axis: int | tuple[int, ...],
    start: Size | tuple[Size, ...],
    length: Size | tuple[Size, ...],
) -> Tensor:
    """values[start : start + length] along one axis, or along several at once.

    The same as indexing; but the gradient of `[]` takes TensorFlow longer than all
    convolutions of a LEAF, and that of `ops.slice` is a pad.

    Args:
        values: Tensor of known rank.
        axis: Axis to cut, >= 0, or a tuple of axes.
        start, length: Integers, or integer tensors in a graph; or tuples, one an axis.

    Example:
        >>> cut(ops.array([[1, 2, 3], [4, 5, 6]]), axis=1, start=1, length=2).numpy()
        array([[2, 3],
               [5, 6]], dtype=int32)
    """
    if not isinstance(axis, tuple):
        axis, start, length = (axis,), (start,), (length,)
    starts, shape = [0] * len(values.shape), list(ops.shape(values))
    if keras.config.backend() == "tensorflow":
        # All of an axis, in TensorFlow's word: its size, where unknown, is not asked.
        shape = [size if isinstance(size, int) else -1 for size in shape]
    for one, *cut_there in zip(axis, start, length):
        starts[one], shape[one] = cut_there
    return ops.slice(values, starts, shape)


def last(values: Tensor, length: int) -> Tensor:
    """The last `length` entries along axis 1, whose size is known.

    Example:
        >>> last(ops.array([[1, 2, 3], [4, 5, 6]]), 1).numpy()
        array([[3],
               [6]], dtype=int32)
    """
    return cut(values, 1, values.shape[1] - length, length)


def last_frame(values: Tensor) -> Tensor:
    """The last frame (batch, channels) of (batch, frames, channels).

    Example:
        >>> last_frame(ops.ones((8, 100, 40))).shape
        TensorShape([8, 40])
    """
    return ops.reshape(last(values, 1), (-1, values.shape[2]))


def longer(first: Size, second: Size) -> Size:
    """The greater of two lengths, integers or tensors.

    Example:
        >>> longer(100, 80)
        100
    """
    # An integer stays one: a shape that is known when a graph is traced.
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return ops.maximum(first, second)
