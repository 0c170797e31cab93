"""Runs a multirate plan: pooled energies of a waveform, in keras.ops.

Positions, in samples, count from the origin of the plan, `plan.lead` samples before
the first pooling window. So everything but the first cut into the waveform is the
same for all lengths; the length only decides how far SAME padding moves the origin.
"""

import dataclasses
import math
from typing import Any

import numpy as np
from keras import ops

from leaf_tf.dsp import impulse_responses, multirate, multirate_taps, units
from leaf_tf.dsp.multirate_ends import BatchEnds, ClipEnds
from leaf_tf.dsp.slices import cut

_MOST_JOINED = 5


def pooled_energies(
    waveform,
    center_freqs,
    sigmas,
    pooling_widths,
    plan,
    bounds=None,
    padding="same",
):
    """Energies of Gabor filters, pooled by Gaussian lowpasses.

    What filtering at stride 1, squared modulus and strided pooling compute, zeros
    around both, within the plan's tolerance and at a fraction of the cost.
    Gradients reach all weights; constant weights leave constant kernels.

    Args:
        waveform: (batch, samples), float; `samples` may be unknown in a graph.
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        pooling_widths: (n_filters,), relative to half the pooling window.
        plan: `multirate.Plan` for filters not far from these.
        bounds: `alignment.Bounds` of an aligned waveform: energies outside of them
            count as zero. With symmetric padding, of the waveform as it is.
        padding: Of the pooling, as in `GaussianLowpass`: "same" or "symmetric".

    Returns:
        (batch, ceil(samples / strides), n_filters).
    """
    is_symmetric = padding == "symmetric"
    is_aligned = bounds is not None and not is_symmetric
    frames = _frames(waveform, plan, is_aligned, is_symmetric)
    ends = BatchEnds(frames, plan) if bounds is None else ClipEnds(bounds, frames, plan)
    signals = {1: waveform}
    for rate in sorted({group.rate for group in plan.groups} - {1}):
        signals[rate] = _decimate(waveform, rate, frames, plan)
    gabors = _half_gabors(center_freqs, sigmas, plan)
    gabors = zip(*(_by_group(part, plan) for part in gabors))
    lowpasses = impulse_responses.gaussian_lowpass(pooling_widths, plan.pool_size)
    lowpasses = _by_group(lowpasses, plan)
    pooled = []
    for group, half_gabors, lowpass in zip(plan.groups, gabors, lowpasses):
        blocks = _blocks(signals[group.rate], frames, plan, group)
        kernel = _kernel(half_gabors, plan, group)
        squares = _squares(blocks, kernel, frames, plan, group)
        pooled.append(_pool(squares, lowpass, ends, frames, plan, group))
    hops, outside = (_join(parts, axis=-1) for parts in zip(*pooled))
    outputs = _add_hops(hops, frames, plan)
    if outside is not None:
        outputs = outputs - ends.place(outside)
    if plan.order != tuple(range(plan.n_filters)):
        outputs = ops.take(outputs, np.argsort(plan.order), axis=-1)
    return (
        outputs if frames.computed is frames.kept else cut(outputs, 1, 0, frames.kept)
    )


@dataclasses.dataclass(frozen=True)
class Frames:
    """Frames of a waveform. Sizes are integers; tensors where the length is unknown.

    Attributes:
        samples: Of the waveform.
        kept: Frames to return.
        computed: `kept`, or more where that is less than the frames at the ends.
        left: Samples by which the first pooling window precedes the waveform.
        n_left, n_right: Frames whose window may reach beyond the waveform.
    """

    samples: Any
    kept: Any
    computed: Any
    left: Any
    n_left: int
    n_right: int


def _frames(waveform, plan, is_aligned, is_symmetric):
    known = waveform.shape[1] is not None
    samples = waveform.shape[1] if known else ops.shape(waveform)[1]
    kept = units.n_frames(samples, plan.strides)
    # SAME: as many zeros as the last window needs, half of them left, rounded down.
    if is_aligned:  # whole strides
        zeros = max(plan.pool_size - plan.strides, 0)
    else:
        zeros = _maximum((kept - 1) * plan.strides + plan.pool_size - samples, 0)
    left = zeros // 2
    if is_symmetric:  # half a window left, and right what the last one needs
        left = (plan.pool_size - 1) // 2
        zeros = _maximum(zeros, left)
    is_known = isinstance(zeros, int)
    n_left = -(-(left if is_known else (plan.pool_size - 1) // 2) // plan.strides)
    n_right = -(-(zeros - left if is_known else plan.pool_size // 2) // plan.strides)
    at_ends = max(n_left, n_right)
    computed = kept if known and kept >= at_ends else _maximum(kept, at_ends)
    if computed is not kept:  # Frames after the last are at the right end, too.
        n_right = at_ends
    return Frames(samples, kept, computed, left, n_left, n_right)


def _by_group(values, plan):
    """The columns (..., n_filters) of each group."""
    if plan.order != tuple(range(plan.n_filters)):
        values = ops.take(values, np.array(plan.order), axis=-1)
    ends = np.cumsum([len(group.filters) for group in plan.groups])
    return ops.split(values, ends[:-1].tolist(), axis=-1) if len(ends) > 1 else [values]


def _constant(array, dtype):
    return ops.convert_to_tensor(np.asarray(array), dtype=dtype)


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


def _kernel(half_gabors, plan, group):
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


def _first_position(plan, group):
    """Position of the first sample in the first energy of a group."""
    # SAME padding centers an even kernel one sample late.
    late = 1 - plan.kernel_size % 2
    return group.offset + late - group.n_taps // 2 * group.rate


def _n_blocks(frames, plan, group):
    """Blocks that a group reads: one a step, and what the last step sees beyond."""
    energies = (frames.computed + plan.hops - 1) * (plan.strides // group.stride)
    return energies // group.per_block + group.n_blocks - 1


def _cut(waveform, position, length, frames, plan):
    """Samples position ... position + length, zeros where there is no waveform.

    `position` is before the waveform: filters reach further than half a stride.
    """
    before = frames.left + plan.lead - position
    after = length - before - frames.samples
    if isinstance(after, int):
        surplus = after < 0
        after = max(after, 0)
    else:
        surplus = True
        after = ops.maximum(after, 0)
    padded = ops.pad(waveform, ((0, 0), (before, after)))
    return cut(padded, 1, 0, length) if surplus else padded


def _decimated_from(rate, plan):
    """Position of the first sample of the waveform decimated by `rate`."""
    return min(_first_position(plan, g) for g in plan.groups if g.rate == rate)


def _decimate(waveform, rate, frames, plan):
    """Every rate-th sample behind the decimator, as many as groups read: (batch, any).

    A convolution over blocks: 16 samples out of three blocks of 16 * rate.
    """
    kernel = multirate_taps.decimator_kernel(rate)
    overlap, block = kernel.shape[0] - 1, kernel.shape[1]
    first = _decimated_from(rate, plan)
    needed = 0
    for group in plan.groups:
        if group.rate == rate:
            offset = _first_position(plan, group) - first
            end = offset + _n_blocks(frames, plan, group) * group.block * rate
            needed = _maximum(needed, end)
    n_blocks = -(-needed // block) + overlap
    half = multirate_taps.decimator(rate).size // 2
    signal = _cut(waveform, first - half, n_blocks * block, frames, plan)
    signal = ops.conv(
        ops.reshape(signal, (-1, n_blocks, block)),
        _constant(kernel, signal.dtype),
        padding="valid",
        data_format="channels_last",
    )
    return ops.reshape(signal, (-1, (n_blocks - overlap) * kernel.shape[2]))


def _blocks(signal, frames, plan, group):
    """What a group convolves: (batch, blocks, block)."""
    n_blocks = _n_blocks(frames, plan, group)
    length = n_blocks * group.block
    first = _first_position(plan, group)
    if group.rate == 1:
        signal = _cut(signal, first, length, frames, plan)
    else:
        start = (first - _decimated_from(group.rate, plan)) // group.rate
        signal = cut(signal, 1, start, length)
    return ops.reshape(signal, (-1, n_blocks, group.block))


def _squares(blocks, taps, frames, plan, group):
    """Squared real and imaginary parts: (batch, hops, energies a hop * 2 * filters)."""
    outputs = ops.conv(blocks, taps, padding="valid", data_format="channels_last")
    per_hop = plan.strides // group.stride * 2 * len(group.filters)
    hops = frames.computed + plan.hops - 1
    return ops.square(ops.reshape(outputs, (-1, hops, per_hop)))


def _pool(squares, lowpass, ends, frames, plan, group):
    """What each hop of energies adds to frames, and what to subtract at the ends.

    Returns:
        (batch, hops, plan.hops, filters): parts of the frames that the hop is the
        first, second, ... of; parts outside of the frames at the ends (batch, frames,
        filters), None if there are none.
    """
    n_filters, per_hop = len(group.filters), squares.shape[-1]
    interpolation = multirate.interpolation(plan, group)
    whole, *outside = ends.weights(interpolation, lowpass)
    kernel = _pooling_kernel(whole, plan.hops, per_hop)
    hops = ops.matmul(ops.reshape(squares, (-1, per_hop)), kernel)
    n_hops = frames.computed + plan.hops - 1
    hops = ops.reshape(hops, (-1, n_hops, plan.hops, n_filters))
    parts = []
    for inputs, weights in zip(ends.squares(squares), outside):
        inputs = ops.reshape(inputs, (-1, weights.shape[1], 2, n_filters))
        part = ops.sum(inputs * weights, axis=(1, 2))
        parts.append(ops.reshape(part, (-1, 1, n_filters)))
    return hops, _join(parts, axis=1)


def _pooling_kernel(weights, hops, per_hop):
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


def _add_hops(hops, frames, plan):
    """Frames (batch, frames, n_filters) from what each hop adds to each, of `_pool`."""
    outputs = 0.0
    for place in range(plan.hops):
        part = cut(cut(hops, 2, place, 1), 1, place, frames.computed)
        outputs = outputs + part if place else part
    return ops.reshape(outputs, (-1, frames.computed, plan.n_filters))


def _join(parts, axis):
    """Parts side by side; None if there is nothing."""
    if not parts or parts[0] is None:
        return None
    parts = list(parts)
    while len(parts) > 1:
        # XNNPACK takes no more at once, and would run in two pieces.
        parts[:_MOST_JOINED] = [ops.concatenate(parts[:_MOST_JOINED], axis=axis)]
    return parts[0]


def _maximum(first, second):
    """The greater of two sizes, integers or tensors."""
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return ops.maximum(first, second)
