"""Kernels of the groups of a plan, in keras.ops.

Shared by whole clips (`energies`) and streams. Gradients reach all weights; constant
weights leave constant kernels.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from keras import ops

from leaf_tf.dsp.multirate import taps
from leaf_tf.dsp.multirate.errors import interpolation
from leaf_tf.dsp.multirate.plan import Plan
from leaf_tf.dsp.multirate.windows import Windows, folded
from leaf_tf.dsp.slices import cut
from leaf_tf.dsp.types import Size, Tensor

# Tensors that are concatenated at once. XNNPACK takes no more, and a graph with more
# would run in two pieces.
_MOST_JOINED = 5
# Columns that a product computes at a time: a vector. A product of a whole number of
# vectors is faster than one of somewhat fewer columns.
_VECTOR = 16


class GroupKernels(NamedTuple):
    """Kernels of a group.

    Attributes:
        convolution: (blocks, block, per_block * 2 * filters), from the samples that a
            step reads to the real and imaginary parts of its energies.
        pooling: (squares a hop, columns), from the squares of a hop to what they add
            to frames. The first hops * filters columns count: for the frame in which
            the hop is the first, for that in which it is the second, and so on.
        outside: Weights that `ends.pooled` takes; None if it needs none.
    """

    convolution: Tensor
    pooling: Tensor
    outside: Tensor | None


def kernels_of_groups(
    center_freqs: Tensor, sigmas: Tensor, pooling_widths: Tensor, ends: Any, plan: Plan
) -> list[GroupKernels]:
    """Everything that is made of the weights, group by group.

    Args:
        center_freqs, sigmas, pooling_widths: (n_filters,), see
            `energies.pooled_energies`.
        ends: `ends.BatchEnds` or `ends.ClipEnds`.
        plan: `Plan`.

    Returns:
        `GroupKernels` of each group.

    Example:
        >>> from leaf_tf.dsp.multirate import ends, plan_multirate
        >>> bank = ops.array([0.5, 1.0]), ops.array([20.0, 10.0]), ops.array([0.4, 0.4])
        >>> plan = plan_multirate(*bank)
        >>> batch_ends = ends.BatchEnds(ends.frames_of(16000, plan), plan)
        >>> kernels = kernels_of_groups(*bank, batch_ends, plan)
        >>> kernels[0].convolution.shape, kernels[0].pooling.shape
        (TensorShape([3, 80, 32]), TensorShape([64, 6]))
    """
    center_freqs, sigmas, widths = (
        _in_order(values, plan) for values in (center_freqs, sigmas, pooling_widths)
    )
    windows = Windows(widths, plan.pool_size)
    poolings = [
        _pooling_kernel(halves, plan, group)
        for group, halves in zip(plan.groups, by_group(windows.half, plan))
    ]
    convolutions = _convolution_kernels(center_freqs, sigmas, plan)
    outsides = ends.weights(windows)
    return [GroupKernels(*each) for each in zip(convolutions, poolings, outsides)]


def _in_order(values, plan):
    """Values (n_filters,), sorted by the plan's groups."""
    if plan.is_in_order:
        return values
    # One gather of a few numbers, so that all that is made of them comes by slices.
    return ops.take(values, np.array(plan.order), axis=0)


def by_group(values: Tensor, plan: Plan) -> list[Tensor]:
    """Columns of each group.

    Args:
        values: (..., n_filters), in the plan's order.
        plan: `Plan`.

    Returns:
        (..., filters) for each group.

    Example:
        >>> from leaf_tf.dsp.multirate import exact_plan
        >>> plan = exact_plan([0.5, 1.0], [20.0, 10.0], [0.4, 0.4], 401, 401, 160)
        >>> [columns.shape for columns in by_group(ops.ones((7, 2)), plan)]
        [TensorShape([7, 2])]
    """
    if len(plan.groups) == 1:
        return [values]
    ends = np.cumsum([len(group.filters) for group in plan.groups]).tolist()
    # Not a slice each: the gradients of these would be pads, and added up.
    return ops.split(values, ends[:-1], axis=len(values.shape) - 1)


def _convolution_kernels(center_freqs, sigmas, plan):
    """Kernels (blocks, block, per_block * 2 * filters) of all groups.

    Args:
        center_freqs, sigmas: (n_filters,), in the plan's order.
    """
    # All Gabors at once, as long as the longest, although some taps are dropped: with
    # live weights the number of operations costs more than their size.
    reach = max(group.half_length for group in plan.groups)
    parts = (by_group(part, plan) for part in _gabors(center_freqs, sigmas, reach))
    return [
        _convolution_kernel(parts, plan, group)
        for parts, group in zip(zip(*parts), plan.groups)
    ]


def _gabors(center_freqs, sigmas, reach):
    """Real and imaginary parts at times 0 ... reach, each (times, n_filters)."""
    times = np.arange(reach + 1)[:, None]
    phases = _constant(times, sigmas.dtype) * center_freqs
    # exp(-t^2 / (2 sigma^2)) / (sqrt(2 pi) sigma), in few large operations: the height
    # is part of the exponent, so the large arrays are multiplied once.
    slopes = -0.5 / ops.square(sigmas)
    heights = ops.log(math.sqrt(2.0 * math.pi) * sigmas)
    gaussians = ops.exp(_constant(times**2, sigmas.dtype) * slopes - heights)
    return gaussians * ops.cos(phases), gaussians * ops.sin(phases)


def _convolution_kernel(parts, plan, group):
    """Kernel of a group: (blocks, block, per_block * 2 * filters).

    Channels are ordered by energy of the block, then real before imaginary parts, then
    filter.

    Args:
        parts: Real and imaginary parts of the group's Gabors at times 0, 1, ..., each
            (times, filters).
    """
    half = taps.folded_taps(
        plan.kernel_size, group.half_length, group.rate, group.stride
    )
    # Cut and decimation are linear: products with constants, which pass gradients.
    if half.matrices is not None:
        n_times = group.half_length + 1
        parts = [
            ops.matmul(_constant(matrix, part.dtype), cut(part, 0, 0, n_times))
            for matrix, part in zip(half.matrices, parts)
        ]
    # A copy for each energy of a block, a stride later each time, zeros around it: one
    # gather for all of them, and for both halves of a filter.
    step = group.stride // group.rate
    numbers = np.arange(group.n_blocks * group.block)[:, None]
    numbers = (numbers - step * np.arange(group.per_block)).reshape(-1)
    is_tap = (numbers >= 0) & (numbers < group.n_taps)
    numbers = np.where(is_tap, numbers, 0)
    factors = np.where(is_tap[:, None], half.factors[numbers], 0.0)
    factors = np.repeat(factors, len(group.filters), axis=1)
    kernel = ops.take(ops.concatenate(parts, axis=1), half.rows[numbers], axis=0)
    kernel = kernel * _constant(factors, kernel.dtype)
    return ops.reshape(kernel, (group.n_blocks, group.block, -1))


def squares(
    blocks: Tensor, kernel: Tensor, n_hops: Size, squares_per_hop: int
) -> Tensor:
    """Squared real and imaginary parts of a group's filters.

    Their sums are the energies; pooling adds them up.

    Args:
        blocks: (batch, blocks, block), the samples that the group reads for `n_hops`.
        kernel: `GroupKernels.convolution`.
        n_hops: Hops of energies.
        squares_per_hop: `Plan.squares_per_hop` of the group.

    Returns:
        (batch, n_hops, squares_per_hop).

    Example:
        >>> squares(ops.ones((8, 21, 16)), ops.ones((2, 16, 4)), 2, 40).shape
        TensorShape([8, 2, 40])
    """
    outputs = ops.conv(blocks, kernel, padding="valid", data_format="channels_last")
    return ops.square(ops.reshape(outputs, (-1, n_hops, squares_per_hop)))


def _pooling_kernel(halves, plan, group):
    """Kernel of `GroupKernels.pooling`, (squares a hop, columns).

    Mostly zeros: a frame's energy of a filter takes the squares of this filter alone,
    with one weight for real and imaginary part. The dense product is faster than the
    sums that it replaces.

    Args:
        halves: `Windows.half` of the group, (times, filters).
    """
    hops, n_filters = plan.hops, halves.shape[1]
    matrix = interpolation(plan, group)
    # An energy is in the first hop of one frame, in the second of the frame before, and
    # so on: its weights in all of its frames side by side.
    matrix = matrix.reshape(hops, -1, plan.pool_size).swapaxes(0, 1)
    matrix = folded(matrix.reshape(-1, plan.pool_size))
    weights = ops.matmul(_constant(matrix, halves.dtype), halves)
    weights = ops.reshape(weights, (-1, 1, hops * n_filters))
    is_same_filter = _constant(np.tile(np.eye(n_filters), (2, hops)), halves.dtype)
    kernel = ops.reshape(weights * is_same_filter, (-1, hops * n_filters))
    # Up to a whole number of vectors, unless that more than doubles the columns.
    more = -(hops * n_filters) % _VECTOR
    if 0 < more < hops * n_filters:
        kernel = ops.pad(kernel, ((0, 0), (0, more)))
    return kernel


def of_squares(weights: Tensor) -> Tensor:
    """Weights of the squares of energies, from those of the energies.

    Args:
        weights: (..., energies, filters).

    Returns:
        (..., energies * 2, filters): real and imaginary parts have one weight.

    Example:
        >>> of_squares(ops.array([[1.0], [2.0]]))[:, 0].numpy()
        array([1., 1., 2., 2.], dtype=float32)
    """
    shape = list(weights.shape)
    shape[-2] *= 2
    if shape[0] is None:
        shape[0] = -1
    twice = [ops.expand_dims(weights, axis=-2)] * 2
    return ops.reshape(ops.concatenate(twice, axis=-2), shape)


def pooled(squares: Tensor, weights: Tensor) -> Tensor:
    """Energies of some frames, from the squares of their hops.

    Args:
        squares: (batch, frames * hops, squares a hop), the hops of each frame.
        weights: (1 or batch, frames, hops * energies a hop * 2, filters).

    Returns:
        (batch, frames, filters).

    Example:
        >>> pooled(ops.ones((8, 6, 40)), ops.ones((1, 2, 60, 2))).shape
        TensorShape([8, 2, 2])
    """
    squares = ops.reshape(squares, (-1, *weights.shape[1:]))
    return ops.sum(squares * weights, axis=2)


def join(parts: Sequence[Tensor | None], axis: int) -> Tensor:
    """Tensors side by side; None if there is nothing.

    Args:
        parts: Tensors, or None in place of each.
        axis: Axis to concatenate along.

    Example:
        >>> join([ops.ones((2, 3))] * 7, axis=-1).shape, join([None, None], axis=-1)
        (TensorShape([2, 21]), None)
    """
    if not parts or parts[0] is None:
        return None
    parts = list(parts)
    while len(parts) > 1:
        parts[:_MOST_JOINED] = [ops.concatenate(parts[:_MOST_JOINED], axis=axis)]
    return parts[0]


def _constant(array, dtype):
    return ops.convert_to_tensor(np.asarray(array), dtype=dtype)
