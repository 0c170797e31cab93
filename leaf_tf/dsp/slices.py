"""Slicing whose gradient is cheap, and lengths that may be unknown."""

from keras import ops


def cut(values, axis, start, length):
    """values[start : start + length] along one axis, or along several at once.

    The same as indexing; but the gradient of `[]` takes TensorFlow longer than all
    convolutions of a LEAF, and that of `ops.slice` is a pad.

    Args:
        values: Tensor of known rank.
        axis: Axis to cut, >= 0, or a tuple of such.
        start, length: Integers, or integer tensors in a graph; or tuples, one an axis.
    """
    if not isinstance(axis, tuple):
        axis, start, length = (axis,), (start,), (length,)
    starts, shape = [0] * len(values.shape), list(ops.shape(values))
    for one, *cut_there in zip(axis, start, length):
        starts[one], shape[one] = cut_there
    return ops.slice(values, starts, shape)


def last(values, length):
    """The last `length` entries along axis 1, whose size is known."""
    return cut(values, 1, values.shape[1] - length, length)


def last_frame(values):
    """The last frame (batch, channels) of (batch, frames, channels)."""
    return ops.reshape(last(values, 1), (-1, values.shape[2]))


def longer(first, second):
    """The greater of two lengths, integers or tensors."""
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return ops.maximum(first, second)
