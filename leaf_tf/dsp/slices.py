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
