"""What a group of a multirate plan computes with: its kernels, in keras.ops.

Shared by whole clips (`multirate_energies`) and streams. Gradients reach all weights;
constant weights leave constant kernels.
"""

import math

import numpy as np
from keras import ops

from leaf_tf.dsp.impulse_responses import gaussian_lowpass
from leaf_tf.dsp.multirate import errors
from leaf_tf.dsp.multirate import taps as multirate_taps
from leaf_tf.dsp.slices import cut

_MOST_JOINED = 5
# Columns of a product are computed by so many, and faster than somewhat fewer.
_VECTOR = 16


def kernels_of_groups(center_freqs, sigmas, pooling_widths, ends, plan):
    """All that is made of the weights, group by group.

    Args:
        center_freqs, sigmas, pooling_widths: As `multirate_energies.pooled_energies`.
        ends: `multirate_ends.BatchEnds` or `ClipEnds`.
        plan: `multirate.Plan`.

    Returns:
        A tuple for each group: the kernel of its convolution, (blocks, block,
        per_block * 2 * filters); its `_pooling_kernel`; what `ends.pooled` takes.
    """
    center_freqs, sigmas, widths = (
        _in_order(values, plan) for values in (center_freqs, sigmas, pooling_widths)
    )
    lowpass = gaussian_lowpass(widths, plan.pool_size)
    poolings = [
        _pooling_kernel(own, plan, group)
        for group, own in zip(plan.groups, by_group(lowpass, plan))
    ]
    kernels = _convolution_kernels(center_freqs, sigmas, plan)
    return list(zip(kernels, poolings, ends.weights(lowpass)))


def _in_order(values, plan):
    """Values (n_filters,), those of a plan's groups one after the other."""
    if plan.order == tuple(range(plan.n_filters)):
        return values
    return ops.take(values, np.array(plan.order), axis=0)


def by_group(values, plan):
    """The columns (..., filters) of each group, of values (..., n_filters) in order."""
    sizes = [len(group.filters) for group in plan.groups]
    starts = np.cumsum([0, *sizes]).tolist()
    axis = len(values.shape) - 1
    return [cut(values, axis, start, size) for start, size in zip(starts, sizes)]


def _convolution_kernels(center_freqs, sigmas, plan):
    """Kernels of the convolutions of all groups of a plan.

    Args:
        center_freqs, sigmas: As `multirate_energies.pooled_energies`, in order.
        plan: `multirate.Plan`.

    Returns:
        List of (blocks, block, per_block * 2 * filters), see `multirate.Group`.
    """
    reach = max(group.half_length for group in plan.groups)
    parts = (by_group(part, plan) for part in _gabors(center_freqs, sigmas, reach))
    return [
        _group_kernel(parts, reach, plan, group)
        for parts, group in zip(zip(*parts), plan.groups)
    ]


def _gabors(center_freqs, sigmas, reach):
    """Real and imaginary parts at times -reach ... reach, each (times, n_filters)."""
    times = np.arange(-reach, reach + 1)[:, None]
    phases = _constant(times, sigmas.dtype) * center_freqs
    # exp(-t^2 / (2 sigma^2)) / (sqrt(2 pi) sigma), in few large operations.
    slopes = -0.5 / ops.square(sigmas)
    heights = ops.log(math.sqrt(2.0 * math.pi) * sigmas)
    gaussians = ops.exp(_constant(times**2, sigmas.dtype) * slopes - heights)
    return gaussians * ops.cos(phases), gaussians * ops.sin(phases)


def _group_kernel(parts, reach, plan, group):
    """Kernel of a group: (blocks, block, per_block * 2 * filters).

    For each energy of a block, a stride later each time, real parts, then imaginary
    parts, of all filters.

    Args:
        parts: Of the group's Gabors, real and imaginary, at times -reach ... reach,
            each (times, filters).
    """
    first, n_times = reach - group.half_length, 2 * group.half_length + 1
    taps = ops.concatenate([cut(part, 0, first, n_times) for part in parts], axis=1)
    matrix = multirate_taps.tap_matrix(
        plan.kernel_size, group.half_length, group.rate, group.stride
    )
    if matrix is not None:
        taps = ops.matmul(_constant(matrix, taps.dtype), taps)
    # A copy for each energy, a step later each time, zeros around it.
    rows, step = group.n_blocks * group.block, group.stride // group.rate
    most = (group.per_block - 1) * step
    taps = ops.pad(taps, ((most, rows - group.n_taps), (0, 0)))
    if most:
        later = np.arange(rows)[:, None] + most - step * np.arange(group.per_block)
        taps = ops.take(taps, later.reshape(-1), axis=0)
    return ops.reshape(taps, (group.n_blocks, group.block, -1))


def squares(blocks, kernel, hops, plan, group):
    """Squared real and imaginary parts: (batch, hops, energies a hop * 2 * filters).

    Args:
        blocks: (batch, blocks, block), what a group sees in so many hops.
        kernel: Of the group, see `kernels_of_groups`.
    """
    outputs = ops.conv(blocks, kernel, padding="valid", data_format="channels_last")
    per_hop = plan.strides // group.stride * 2 * len(group.filters)
    return ops.square(ops.reshape(outputs, (-1, hops, per_hop)))


def _pooling_kernel(lowpass, plan, group):
    """From the squares of a hop to what they add to frames: (per_hop, columns).

    Mostly zeros: each filter takes its own squares, real and imaginary alike. A dense
    product of these is faster than the sums it stands for. The first hops * filters
    columns; where more of them are computed faster than those, zeros follow.

    Args:
        lowpass: Pooling windows of the group, (pool_size, filters).
    """
    hops, n_filters = plan.hops, lowpass.shape[1]
    matrix = errors.interpolation(plan, group)
    # The weights of an energy in all of its frames side by side.
    matrix = matrix.reshape(hops, -1, plan.pool_size).swapaxes(0, 1)
    matrix = matrix.reshape(-1, plan.pool_size)
    weights = ops.matmul(_constant(matrix, lowpass.dtype), lowpass)
    weights = ops.reshape(weights, (-1, 1, hops * n_filters))
    own = _constant(np.tile(np.eye(n_filters), (2, hops)), lowpass.dtype)
    kernel = ops.reshape(weights * own, (-1, hops * n_filters))
    more = -(hops * n_filters) % _VECTOR
    if 0 < more < hops * n_filters:
        kernel = ops.pad(kernel, ((0, 0), (0, more)))
    return kernel


def square_weights(plan, group):
    """From a pooling window to weights of the squares that enter a frame.

    Returns:
        (hops * energies a hop * 2, pool_size), NumPy.
    """
    return np.repeat(errors.interpolation(plan, group), 2, axis=0)


def pooled(squares, weights):
    """Some frames' energies from the squares of their hops: (batch, frames, filters).

    Args:
        squares: (batch, frames * hops, per_hop), each frame's own.
        weights: Of these, (1 or batch, frames, hops * energies a hop * 2, filters).
    """
    squares = ops.reshape(squares, (-1, *weights.shape[1:]))
    return ops.sum(squares * weights, axis=2)


def join(parts, axis):
    """Parts side by side; None if there is nothing."""
    if not parts or parts[0] is None:
        return None
    parts = list(parts)
    while len(parts) > 1:
        # XNNPACK takes no more at once, and would run in two pieces.
        parts[:_MOST_JOINED] = [ops.concatenate(parts[:_MOST_JOINED], axis=axis)]
    return parts[0]


def _constant(array, dtype):
    return ops.convert_to_tensor(np.asarray(array), dtype=dtype)
