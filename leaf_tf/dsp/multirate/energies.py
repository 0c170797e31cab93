"""Runs a plan: pooled energies of a waveform, in keras.ops.

Positions, in samples, count from the origin of the plan, `plan.lead` samples before
the first pooling window. So everything but the first cut into the waveform is the
same for all lengths; the length only decides how far SAME padding moves the origin.
"""

import dataclasses

from keras import ops

from leaf_tf.dsp.alignment import Bounds
from leaf_tf.dsp.multirate import kernels
from leaf_tf.dsp.multirate.ends import BatchEnds, ClipEnds, Frames, frames_of
from leaf_tf.dsp.multirate.plan import Group, Plan
from leaf_tf.dsp.multirate.signals import Signals, Span
from leaf_tf.dsp.slices import cut
from leaf_tf.dsp.types import Tensor


def pooled_energies(
    waveform: Tensor,
    center_freqs: Tensor,
    sigmas: Tensor,
    pooling_widths: Tensor,
    plan: Plan,
    bounds: Bounds | None = None,
    padding: str = "same",
) -> Tensor:
    """Energies of Gabor filters, pooled by Gaussian lowpasses.

    Equals filtering at stride 1, squared modulus and strided pooling, with zeros
    around both, within the plan's tolerance and at a fraction of the cost.
    Gradients reach all weights; constant weights leave constant kernels.

    Args:
        waveform: (batch, samples), float; `samples` may be unknown in a graph.
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        pooling_widths: (n_filters,), relative to half the pooling window.
        plan: `Plan` for filters not far from these.
        bounds: `alignment.Bounds` of an aligned waveform: energies outside of them
            count as zero. With symmetric padding, those of the waveform as it is.
        padding: Zeros around the energies, as in `GaussianLowpass`: "same" or
            "symmetric".

    Returns:
        (batch, ceil(samples / strides), n_filters).

    Example:
        >>> from leaf_tf.dsp.multirate import plan_multirate
        >>> bank = ops.array([0.5, 1.0]), ops.array([20.0, 10.0]), ops.array([0.4, 0.4])
        >>> plan = plan_multirate(*bank)
        >>> pooled_energies(ops.ones((8, 16000)), *bank, plan).shape
        TensorShape([8, 100, 2])

    Source: LEAF, arXiv:2101.08596, Sec. 3: the function that is approximated.
    """
    is_symmetric = padding == "symmetric"
    is_aligned = bounds is not None and not is_symmetric
    samples = waveform.shape[1]
    if samples is None:
        samples = ops.shape(waveform)[1]
    frames = frames_of(samples, plan, is_aligned, is_symmetric)
    ends = BatchEnds(frames, plan) if bounds is None else ClipEnds(bounds, frames, plan)
    at_work = [_GroupAtWork(group, plan, frames) for group in plan.groups]
    spans = [work.span for work in at_work]
    signals = Signals(waveform, samples, frames.left + plan.lead, spans, plan)
    kernels_of_groups = kernels.kernels_of_groups(
        center_freqs, sigmas, pooling_widths, ends, plan
    )
    wholes, outsides = [], []
    for work, span, group_kernels in zip(at_work, spans, kernels_of_groups):
        signal = signals.read(work.group.rate, span)
        squares = work.squares(signal, group_kernels.convolution)
        wholes.append(work.pool(squares, group_kernels.pooling))
        outsides.append(ends.pooled(squares, group_kernels.outside))
    outputs = kernels.join(wholes, axis=-1)
    outside = kernels.join(outsides, axis=-1)
    if outside is not None:
        outputs = outputs - ends.place(outside)
    if not plan.is_in_order:
        outputs = ops.take(outputs, plan.places, axis=-1)
    if frames.computed is frames.kept:
        return outputs
    return cut(outputs, 1, 0, frames.kept)


@dataclasses.dataclass(frozen=True)
class _GroupAtWork:
    """A group of a plan that computes the frames of one waveform.

    Attributes:
        group: `Group`.
        plan: `Plan` of the group.
        frames: `Frames` of the waveform.
    """

    group: Group
    plan: Plan
    frames: Frames

    @property
    def n_hops(self):
        """Hops of energies: the last frame takes some after its own."""
        return self.frames.computed + self.plan.hops - 1

    @property
    def n_blocks(self):
        """Blocks that the group reads: one a step, and those the last reads beyond."""
        n_energies = self.n_hops * self.plan.energies_per_hop(self.group)
        return n_energies // self.group.per_block + self.group.n_blocks - 1

    @property
    def span(self):
        """`Span` of these blocks."""
        first = self.plan.first_position(self.group)
        n_samples = self.n_blocks * self.group.block
        return Span(first, first + n_samples * self.group.rate)

    def squares(self, signal, kernel):
        """Squared real and imaginary parts, (batch, hops, squares a hop).

        Args:
            signal: (batch, samples), the span at the group's rate.
            kernel: `GroupKernels.convolution`.
        """
        # Space to depth: steps of the convolution are whole blocks, so it has stride 1
        # and as many input channels as a block has samples.
        blocks = ops.reshape(signal, (-1, self.n_blocks, self.group.block))
        squares_per_hop = self.plan.squares_per_hop(self.group)
        return kernels.squares(blocks, kernel, self.n_hops, squares_per_hop)

    def pool(self, squares, kernel):
        """Frames (batch, frames, filters), as if energies continued beyond the ends.

        Args:
            squares: (batch, hops, squares a hop).
            kernel: `GroupKernels.pooling`.
        """
        n_filters = len(self.group.filters)
        flat = ops.reshape(squares, (-1, squares.shape[2]))
        hops = ops.reshape(ops.matmul(flat, kernel), (-1, self.n_hops, kernel.shape[1]))
        # Each hop is the first of one frame, the second of the frame before, and so
        # on: slices of one product, moved by a hop each, in place of a product of
        # overlapping windows, which would compute each hop several times.
        outputs = 0.0
        for place in range(self.plan.hops):
            starts = (place, place * n_filters)
            part = cut(hops, (1, 2), starts, (self.frames.computed, n_filters))
            outputs = outputs + part if place else part
        return outputs
