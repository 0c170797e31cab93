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
    pooled = []
    for group in plan.groups:
        taps = _taps(_select(center_freqs, group), _select(sigmas, group), plan, group)
        lowpass = impulse_responses.gaussian_lowpass(
            _select(pooling_widths, group), plan.pool_size
        )
        blocks = _blocks(signals[group.rate], frames, plan, group)
        squares = _squares(blocks, taps, frames, plan, group)
        pooled.append(_pool(squares, lowpass, frames, plan, group))
    whole, left, right = (_join(parts, axis=-1) for parts in zip(*pooled))
    outputs = whole - _place(left, 0, frames)
    outputs = outputs - _place(right, frames.computed - frames.n_right, frames)
    if plan.order != tuple(range(plan.n_filters)):
        outputs = ops.take(outputs, np.argsort(plan.order), axis=-1)
    return outputs if frames.computed is frames.kept else outputs[:, : frames.kept]


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


def _select(values, group):
    """The group's entries; a slice where its filters follow each other."""
    first, last = group.filters[0], group.filters[-1]
    if group.filters == tuple(range(first, last + 1)):
        return values[first : last + 1]
    return ops.take(values, np.array(group.filters), axis=0)


def _constant(array, dtype):
    return ops.convert_to_tensor(np.asarray(array), dtype=dtype)


def _taps(center_freqs, sigmas, plan, group):
    """Kernel of a group: (blocks, block, per_block * 2 * filters).

    For each energy of a block real parts, then imaginary parts, of all filters.
    """
    dtype = sigmas.dtype
    even, odd = multirate_taps.tap_matrices(
        plan.kernel_size,
        group.half_length,
        group.rate,
        group.stride,
        group.per_block,
    )
    times = _constant(np.arange(group.half_length + 1)[:, None], dtype)
    gaussians = ops.exp(-0.5 * ops.square(times / sigmas)) / (
        math.sqrt(2.0 * math.pi) * sigmas
    )
    phases = times * center_freqs
    real = ops.matmul(_constant(even, dtype), gaussians * ops.cos(phases))
    imaginary = ops.matmul(_constant(odd, dtype), gaussians * ops.sin(phases))
    taps = ops.concatenate([real, imaginary], axis=1)
    channels = group.per_block * 2 * len(group.filters)
    return ops.reshape(taps, (-1, group.block, channels))


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
    return padded[:, :length] if surplus else padded


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
        signal = signal[:, start : start + length]
    return ops.reshape(signal, (-1, n_blocks, group.block))


def _squares(blocks, taps, frames, plan, group):
    """Squared real and imaginary parts: (batch, hops, energies a hop * 2 * filters)."""
    outputs = ops.conv(blocks, taps, padding="valid", data_format="channels_last")
    per_hop = plan.strides // group.stride * 2 * len(group.filters)
    hops = frames.computed + plan.hops - 1
    return ops.square(ops.reshape(outputs, (-1, hops, per_hop)))


def _pool(squares, lowpass, frames, plan, group):
    """Frames of energies, and what to subtract from those at the ends.

    Energies outside the waveform are zero by definition, but those computed are not,
    nor would it do to set them to zero: their neighbours are interpolated from them.
    The interpolation is linear, so a frame's part outside can be pooled apart.

    Returns:
        Whole windows (batch, computed frames, filters); parts of the first `n_left`
        frames left of the waveform; of the last `n_right` frames right of it.
    """
    whole = ops.conv(
        squares,
        _pooling_kernel(lowpass, plan, group),
        padding="valid",
        data_format="channels_last",
    )

    def pool_frame(frame, outside):
        kernel = _pooling_kernel(
            lowpass * ops.cast(outside, lowpass.dtype), plan, group
        )
        size = plan.hops * squares.shape[-1]
        inputs = ops.reshape(squares[:, frame : frame + plan.hops], (-1, size))
        outputs = ops.matmul(inputs, ops.reshape(kernel, (size, len(group.filters))))
        return ops.expand_dims(outputs, axis=1)

    times = np.arange(plan.pool_size)[:, None] - frames.left
    left, right = [], []
    for frame in range(frames.n_left):
        left.append(pool_frame(frame, times + frame * plan.strides < 0))
    for i in range(frames.n_right, 0, -1):
        frame = frames.computed - i
        outside = times + frame * plan.strides >= frames.samples
        right.append(pool_frame(frame, outside))
    return whole, _join(left, axis=1), _join(right, axis=1)


def _pooling_kernel(lowpass, plan, group):
    """Kernel over hops: (hops, energies a hop * 2 * filters, filters).

    Mostly zeros: each filter takes its own squares, real and imaginary alike. A dense
    product of these is faster than the sums it stands for.
    """
    n_filters = len(group.filters)
    interpolation = _constant(multirate.interpolation(plan, group), lowpass.dtype)
    weights = ops.matmul(interpolation, lowpass)
    own = np.tile(np.eye(n_filters), (2, 1))
    kernel = ops.reshape(weights, (-1, 1, n_filters)) * _constant(own, lowpass.dtype)
    return ops.reshape(kernel, (plan.hops, -1, n_filters))


def _join(parts, axis):
    """Parts side by side; None if there is nothing."""
    if not parts or parts[0] is None:
        return None
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=axis)


def _place(part, start, frames):
    """Zeros for all computed frames but `part`, whose first is frame `start`."""
    if part is None:
        return 0.0
    after = frames.computed - start - part.shape[1]
    return ops.pad(part, ((0, 0), (start, after), (0, 0)))


def _maximum(first, second):
    """The greater of two sizes, integers or tensors."""
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return ops.maximum(first, second)
