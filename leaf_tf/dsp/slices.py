"""Slicing whose gradient is cheap."""

from keras import ops


def cut(values, axis, start, length):
    """values[start : start + length] along one axis.

    The same as indexing; but the gradient of `[]` takes TensorFlow longer than all
    convolutions of a LEAF, and that of `ops.slice` is a pad.

    Args:
        values: Tensor of known rank.
        axis: Axis to cut, >= 0.
        start, length: Integers, or integer tensors in a graph.
    """
    starts = [0] * len(values.shape)
    starts[axis] = start
    shape = list(ops.shape(values))
    shape[axis] = length
    return ops.slice(values, starts, shape)


def last(values, length):
    """The last `length` entries along axis 1, whose size is known."""
    return cut(values, 1, values.shape[1] - length, length)


def last_frame(values):
    """The last frame (batch, channels) of (batch, frames, channels)."""
    return ops.reshape(last(values, 1), (-1, values.shape[2]))
