"""What a group of a multirate plan computes with: its kernels, in keras.ops.

Shared by whole clips (`multirate_energies`) and streams. Gradients reach all weights;
constant weights leave constant kernels.
"""

import math

import numpy as np
from keras import ops

from leaf_tf.dsp import impulse_responses, multirate_taps
from leaf_tf.dsp.slices import cut

_MOST_JOINED = 5


def group_kernels(center_freqs, sigmas, pooling_widths, plan):
    """Kernels of all groups of a plan, in its order.

    Args:
        center_freqs, sigmas, pooling_widths: As `multirate_energies.pooled_energies`.
        plan: `multirate.Plan`.

    Returns:
        List of pairs: the kernel of the group's convolution, (blocks, block,
        per_block * 2 * filters); its pooling windows, (pool_size, filters).
    """
    lowpasses = impulse_responses.gaussian_lowpass(pooling_widths, plan.pool_size)
    halves = _half_gabors(center_freqs, sigmas, plan)
    real, imaginary, lowpasses = (_by_group(x, plan) for x in (*halves, lowpasses))
    return [
        (_group_kernel((real, imaginary), plan, group), lowpass)
        for group, real, imaginary, lowpass in zip(
            plan.groups, real, imaginary, lowpasses
        )
    ]


def _by_group(values, plan):
    """The columns (..., n_filters) of each group."""
    if plan.order != tuple(range(plan.n_filters)):
        values = ops.take(values, np.array(plan.order), axis=-1)
    ends = np.cumsum([len(group.filters) for group in plan.groups])
    return ops.split(values, ends[:-1].tolist(), axis=-1) if len(ends) > 1 else [values]


def _half_gabors(center_freqs, sigmas, plan):
    """Real and imaginary parts of all filters from time 0 on, (times, n_filters)."""
    longest = max(group.half_length for group in plan.groups)
    times = np.arange(longest + 1)[:, None]
    phases = _constant(times, sigmas.dtype) * center_freqs
    # exp(-t^2 / (2 sigma^2)) / (sqrt(2 pi) sigma), in few large operations.
    slopes = -0.5 / ops.square(sigmas)
    heights = ops.log(math.sqrt(2.0 * math.pi) * sigmas)
    gaussians = ops.exp(_constant(times**2, sigmas.dtype) * slopes - heights)
    return gaussians * ops.cos(phases), gaussians * ops.sin(phases)


def _group_kernel(half_gabors, plan, group):
    """Kernel of a group: (blocks, block, per_block * 2 * filters).

    For each energy of a block, a stride later each time, real parts, then imaginary
    parts, of all filters.
    """
    matrices = multirate_taps.tap_matrices(
        plan.kernel_size, group.half_length, group.rate, group.stride
    )
    taps = [
        ops.matmul(
            _constant(matrix, half.dtype), cut(half, 0, 0, group.half_length + 1)
        )
        for matrix, half in zip(matrices, half_gabors)
    ]
    taps = ops.concatenate(taps, axis=1)
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
        kernel: Of the group, see `group_kernels`.
    """
    outputs = ops.conv(blocks, kernel, padding="valid", data_format="channels_last")
    per_hop = plan.strides // group.stride * 2 * len(group.filters)
    return ops.square(ops.reshape(outputs, (-1, hops, per_hop)))


def pooling_kernel(weights, hops, per_hop):
    """From the squares of a hop to what they add to frames: (per_hop, hops * filters).

    Mostly zeros: each filter takes its own squares, real and imaginary alike. A dense
    product of these is faster than the sums it stands for.

    Args:
        weights: Of a frame's energies, (1, energies, 1, filters).
    """
    n_filters = weights.shape[-1]
    own = _constant(np.tile(np.eye(n_filters), (2, 1)), weights.dtype)
    kernel = ops.reshape(weights * own, (-1, n_filters))
    starts = range(0, hops * per_hop, per_hop)
    return ops.concatenate([cut(kernel, 0, i, per_hop) for i in starts], axis=1)


def pooled(squares, weights):
    """A frame's energy from the squares of its hops: (batch, 1, filters).

    Args:
        squares: (batch, hops, energies a hop * 2 * filters).
        weights: Of these energies, (1 or batch, energies, 1, filters).
    """
    _, n_energies, _, n_filters = weights.shape
    squares = ops.reshape(squares, (-1, n_energies, 2, n_filters))
    return ops.reshape(ops.sum(squares * weights, axis=(1, 2)), (-1, 1, n_filters))


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
