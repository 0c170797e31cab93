"""Runs a multirate plan: pooled energies of a waveform, in keras.ops.

Positions, in samples, count from the origin of the plan, `plan.lead` samples before
the first pooling window. So everything but the first cut into the waveform is the
same for all lengths; the length only decides how far SAME padding moves the origin.
"""

import dataclasses
from typing import Any

import numpy as np
from keras import ops

from leaf_tf.dsp import units
from leaf_tf.dsp.multirate import kernels as multirate_kernels
from leaf_tf.dsp.multirate.ends import BatchEnds, ClipEnds
from leaf_tf.dsp.multirate.signals import Signals, Span
from leaf_tf.dsp.slices import cut, longer


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
    spans = [_span(frames, plan, group) for group in plan.groups]
    signals = Signals(waveform, samples, frames.left + plan.lead, spans, plan)
    kernels = multirate_kernels.kernels_of_groups(
        center_freqs, sigmas, pooling_widths, ends, plan
    )
    pooled = []
    for group, span, (kernel, pooling, at_ends) in zip(plan.groups, spans, kernels):
        signal = signals.read(group.rate, span)
        squares = _squares(signal, kernel, frames, plan, group)
        frames_of_group = _pool(squares, pooling, frames, plan, group)
        pooled.append((frames_of_group, ends.pooled(squares, at_ends)))
    outputs, outside = (multirate_kernels.join(x, axis=-1) for x in zip(*pooled))
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
        zeros = longer((kept - 1) * plan.strides + plan.pool_size - samples, 0)
    left = zeros // 2
    if is_symmetric:  # half a window left, and right what the last one needs
        left = (plan.pool_size - 1) // 2
        zeros = longer(zeros, left)
    is_known = isinstance(zeros, int)
    n_left = -(-(left if is_known else (plan.pool_size - 1) // 2) // plan.strides)
    n_right = -(-(zeros - left if is_known else plan.pool_size // 2) // plan.strides)
    at_ends = max(n_left, n_right)
    computed = kept if known and kept >= at_ends else longer(kept, at_ends)
    if computed is not kept:  # Frames after the last are at the right end, too.
        n_right = at_ends
    return Frames(samples, kept, computed, left, n_left, n_right)


def _n_blocks(frames, plan, group):
    """Blocks that a group reads: one a step, and what the last step sees beyond."""
    energies = (frames.computed + plan.hops - 1) * (plan.strides // group.stride)
    return energies // group.per_block + group.n_blocks - 1


def _span(frames, plan, group):
    """`Span` of the blocks that a group reads."""
    first = plan.first_position(group)
    n_samples = _n_blocks(frames, plan, group) * group.block
    return Span(first, first + n_samples * group.rate)


def _squares(signal, kernel, frames, plan, group):
    """Squares of a group's filters, real and imaginary: (batch, hops, per_hop)."""
    n_blocks = _n_blocks(frames, plan, group)
    blocks = ops.reshape(signal, (-1, n_blocks, group.block))
    n_hops = frames.computed + plan.hops - 1
    return multirate_kernels.squares(blocks, kernel, n_hops, plan, group)


def _pool(squares, kernel, frames, plan, group):
    """Frames (batch, frames, filters), as if energies went on beyond the ends."""
    n_filters, per_hop = len(group.filters), squares.shape[2]
    hops = ops.matmul(ops.reshape(squares, (-1, per_hop)), kernel)
    n_hops = frames.computed + plan.hops - 1
    hops = ops.reshape(hops, (-1, n_hops, kernel.shape[1]))
    # What each hop adds to the frames that it is the first, second, ... of.
    outputs = 0.0
    for place in range(plan.hops):
        starts = (place, place * n_filters)
        part = cut(hops, (1, 2), starts, (frames.computed, n_filters))
        outputs = outputs + part if place else part
    return outputs
