"""Runs a multirate plan: pooled energies of a waveform, in keras.ops.

Positions, in samples, count from the origin of the plan, `plan.lead` samples before
the first pooling window. So everything but the first cut into the waveform is the
same for all lengths; the length only decides how far SAME padding moves the origin.
"""

import dataclasses
from typing import Any

import numpy as np
from keras import ops

from leaf_tf.dsp import multirate, multirate_kernels, multirate_taps, units
from leaf_tf.dsp.multirate_ends import BatchEnds, ClipEnds
from leaf_tf.dsp.slices import cut


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
    samples = waveform.shape[1]
    if samples is None:
        samples = ops.shape(waveform)[1]
    frames = frames_of(samples, plan, is_aligned, is_symmetric)
    ends = BatchEnds(frames, plan) if bounds is None else ClipEnds(bounds, frames, plan)
    signals = {1: waveform}
    for rate in sorted({group.rate for group in plan.groups} - {1}):
        signals[rate] = _decimate(waveform, rate, frames, plan)
    kernels = multirate_kernels.group_kernels(
        center_freqs, sigmas, pooling_widths, plan
    )
    n_hops = frames.computed + plan.hops - 1
    pooled = []
    for group, (kernel, lowpass) in zip(plan.groups, kernels):
        blocks = _blocks(signals[group.rate], frames, plan, group)
        squares = multirate_kernels.squares(blocks, kernel, n_hops, plan, group)
        pooled.append(_pool(squares, lowpass, ends, frames, plan, group))
    hops, outside = (multirate_kernels.join(parts, axis=-1) for parts in zip(*pooled))
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


def frames_of(samples, plan, is_aligned=False, is_symmetric=False):
    """The `Frames` of so many samples.

    Args:
        samples: Integer, or a tensor where it is unknown.
        plan: `multirate.Plan`.
        is_aligned: Whether clips lie as `alignment.align` puts them.
        is_symmetric: Whether pooling pads symmetrically.
    """
    known = isinstance(samples, int)
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
    return min(plan.first_position(g) for g in plan.groups if g.rate == rate)


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
            offset = plan.first_position(group) - first
            end = offset + _n_blocks(frames, plan, group) * group.block * rate
            needed = _maximum(needed, end)
    n_blocks = -(-needed // block) + overlap
    half = multirate_taps.decimator(rate).size // 2
    signal = _cut(waveform, first - half, n_blocks * block, frames, plan)
    signal = ops.conv(
        ops.reshape(signal, (-1, n_blocks, block)),
        ops.convert_to_tensor(kernel, dtype=signal.dtype),
        padding="valid",
        data_format="channels_last",
    )
    return ops.reshape(signal, (-1, (n_blocks - overlap) * kernel.shape[2]))


def _blocks(signal, frames, plan, group):
    """What a group convolves: (batch, blocks, block)."""
    n_blocks = _n_blocks(frames, plan, group)
    length = n_blocks * group.block
    first = plan.first_position(group)
    if group.rate == 1:
        signal = _cut(signal, first, length, frames, plan)
    else:
        start = (first - _decimated_from(group.rate, plan)) // group.rate
        signal = cut(signal, 1, start, length)
    return ops.reshape(signal, (-1, n_blocks, group.block))


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
    kernel = multirate_kernels.pooling_kernel(whole, plan.hops, per_hop)
    hops = ops.matmul(ops.reshape(squares, (-1, per_hop)), kernel)
    n_hops = frames.computed + plan.hops - 1
    hops = ops.reshape(hops, (-1, n_hops, plan.hops, n_filters))
    parts = []
    for inputs, weights in zip(ends.squares(squares), outside):
        parts.append(multirate_kernels.pooled(inputs, weights))
    return hops, multirate_kernels.join(parts, axis=1)


def _add_hops(hops, frames, plan):
    """Frames (batch, frames, n_filters) from what each hop adds to each, of `_pool`."""
    outputs = 0.0
    for place in range(plan.hops):
        part = cut(cut(hops, 2, place, 1), 1, place, frames.computed)
        outputs = outputs + part if place else part
    return ops.reshape(outputs, (-1, frames.computed, plan.n_filters))


def _maximum(first, second):
    """The greater of two sizes, integers or tensors."""
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    return ops.maximum(first, second)
