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
from leaf_tf.dsp.slices import cut

_MOST_JOINED = 5


def pooled_energies(waveform, center_freqs, sigmas, pooling_widths, plan):
    """Energies of Gabor filters, pooled by Gaussian lowpasses.

    What filtering at stride 1, squared modulus and strided pooling compute, SAME
    padding in both, within the plan's tolerance and at a fraction of the cost.
    Gradients reach all weights; constant weights leave constant kernels.

    Args:
        waveform: (batch, samples), float; `samples` may be unknown in a graph.
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        pooling_widths: (n_filters,), relative to half the pooling window.
        plan: `multirate.Plan` for filters not far from these.

    Returns:
        (batch, ceil(samples / strides), n_filters).
    """
    frames = _frames(waveform, plan)
    signals = {1: waveform}
    for rate in sorted({group.rate for group in plan.groups} - {1}):
        signals[rate] = _decimate(waveform, rate, frames, plan)
    gabors = _half_gabors(center_freqs, sigmas, plan)
    lowpasses = _lowpasses(pooling_widths, frames, plan)
    gabors = zip(*(_by_group(part, plan) for part in gabors))
    pooled = []
    for group, parts, windows in zip(plan.groups, gabors, _by_group(lowpasses, plan)):
        blocks = _blocks(signals[group.rate], frames, plan, group)
        squares = _squares(blocks, _kernel(parts, plan, group), frames, plan, group)
        pooled.append(_pool(squares, windows, frames, plan, group))
    hops, at_ends = (_join(parts, axis=-1) for parts in zip(*pooled))
    outputs = _add_hops(hops, frames, plan)
    if at_ends is not None:
        left = cut(at_ends, 1, 0, frames.n_left)
        right = cut(at_ends, 1, frames.n_left, frames.n_right)
        outputs = outputs - _place(left, 0, frames)
        outputs = outputs - _place(right, frames.computed - frames.n_right, frames)
    if plan.order != tuple(range(plan.n_filters)):
        outputs = ops.take(outputs, np.argsort(plan.order), axis=-1)
    return (
        outputs if frames.computed is frames.kept else cut(outputs, 1, 0, frames.kept)
    )


@dataclasses.dataclass(frozen=True)
class _Frames:
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

    @property
    def at_ends(self):
        """First the frames at the left end, then those at the right one."""
        right = [self.computed - i for i in range(self.n_right, 0, -1)]
        return [*range(self.n_left), *right]


def _frames(waveform, plan):
    known = waveform.shape[1] is not None
    samples = waveform.shape[1] if known else ops.shape(waveform)[1]
    kept = units.n_frames(samples, plan.strides)
    # SAME: as many zeros as the last window needs, half of them left, rounded down.
    zeros = _maximum((kept - 1) * plan.strides + plan.pool_size - samples, 0)
    left = zeros // 2
    most = zeros if known else plan.pool_size - 1
    n_left = -(-(most // 2) // plan.strides)
    n_right = -(-(most - most // 2) // plan.strides)
    at_ends = max(n_left, n_right)
    computed = kept if known and kept >= at_ends else _maximum(kept, at_ends)
    return _Frames(samples, kept, computed, left, n_left, n_right)


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
    times = _constant(np.arange(longest + 1)[:, None], sigmas.dtype)
    gaussians = ops.exp(-0.5 * ops.square(times / sigmas)) / (
        math.sqrt(2.0 * math.pi) * sigmas
    )
    phases = times * center_freqs
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
    # Copies side by side, each a step later.
    rows, step = group.n_blocks * group.block, group.stride // group.rate
    most = (group.per_block - 1) * step
    taps = ops.pad(taps, ((most, rows - group.n_taps), (0, 0)))
    starts = [most - energy * step for energy in range(group.per_block)]
    copies = [cut(taps, 0, start, rows) for start in starts]
    kernel = ops.concatenate(copies, axis=1) if most else taps
    return ops.reshape(kernel, (group.n_blocks, group.block, -1))


def _lowpasses(pooling_widths, frames, plan):
    """Pooling windows: (pool_size, 1 + frames at the ends, n_filters).

    The first is whole, the others hold what of the frame is outside the waveform.
    """
    lowpass = impulse_responses.gaussian_lowpass(pooling_widths, plan.pool_size)
    times = np.arange(plan.pool_size) - frames.left
    outside = [times + frame * plan.strides < 0 for frame in range(frames.n_left)]
    outside += [
        times + frame * plan.strides >= frames.samples
        for frame in frames.at_ends[frames.n_left :]
    ]
    whole = np.ones(plan.pool_size)
    if isinstance(frames.samples, int):
        parts = _constant(np.stack([whole, *outside], axis=1), lowpass.dtype)
    else:
        masks = [ops.cast(mask, lowpass.dtype) for mask in (whole, *outside)]
        parts = ops.stack(masks, axis=1)
    return lowpass[:, None, :] * parts[:, :, None]


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


def _pool(squares, lowpasses, frames, plan, group):
    """What each hop of energies adds to frames, and what to subtract at the ends.

    Energies outside the waveform are zero by definition, but those computed are not,
    nor would it do to set them to zero: their neighbours are interpolated from them.
    The interpolation is linear, so a frame's part outside can be pooled apart.

    Returns:
        (batch, hops, plan.hops, filters): parts of the frames that the hop is the
        first, second, ... of; parts outside of the frames at the ends (batch, frames,
        filters), None if there are none.
    """
    n_filters, per_hop = len(group.filters), squares.shape[-1]
    kernels = _pooling_kernels(lowpasses, plan, group)
    whole = ops.reshape(cut(kernels, 2, 0, 1), (-1, n_filters))
    starts = range(0, plan.hops * per_hop, per_hop)
    whole = ops.concatenate([cut(whole, 0, i, per_hop) for i in starts], axis=1)
    hops = ops.matmul(ops.reshape(squares, (-1, per_hop)), whole)
    n_hops = frames.computed + plan.hops - 1
    hops = ops.reshape(hops, (-1, n_hops, plan.hops, n_filters))
    at_ends = []
    for place, frame in enumerate(frames.at_ends, start=1):
        size = plan.hops * per_hop
        inputs = ops.reshape(cut(squares, 1, frame, plan.hops), (-1, size))
        kernel = ops.reshape(cut(kernels, 2, place, 1), (size, n_filters))
        at_ends.append(ops.expand_dims(ops.matmul(inputs, kernel), axis=1))
    return hops, _join(at_ends, axis=1)


def _pooling_kernels(lowpasses, plan, group):
    """From a frame's squares to its energies, one matrix for each of `_lowpasses`.

    Mostly zeros: each filter takes its own squares, real and imaginary alike. A dense
    product of these is faster than the sums it stands for.

    Returns:
        (energies, 2 * filters, 1 + frames at the ends, filters).
    """
    n_filters, n_kernels = len(group.filters), lowpasses.shape[1]
    interpolation = _constant(multirate.interpolation(plan, group), lowpasses.dtype)
    own = _constant(np.tile(np.eye(n_filters), (2, 1))[:, None], lowpasses.dtype)
    windows = ops.reshape(lowpasses, (plan.pool_size, -1))
    weights = ops.matmul(interpolation, windows)
    return ops.reshape(weights, (-1, 1, n_kernels, n_filters)) * own


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


def _place(part, start, frames):
    """Zeros for all computed frames but `part`, whose first is frame `start`."""
    after = frames.computed - start - part.shape[1]
    return ops.pad(part, ((0, 0), (start, after), (0, 0)))


def _maximum(first, second):
    """The greater of two sizes, integers or tensors."""
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return ops.maximum(first, second)
