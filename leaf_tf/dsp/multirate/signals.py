"""A waveform at the rates of a plan, in keras.ops.

Positions are samples of the waveform at all rates, counted from the origin of the plan.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from keras import ops

from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.multirate import taps
from leaf_tf.dsp.multirate.plan import Plan
from leaf_tf.dsp.slices import cut, longer
from leaf_tf.dsp.types import Size, Tensor


@dataclasses.dataclass(frozen=True)
class Span:
    """Part of a waveform: positions from `first` until before `end`.

    Attributes:
        first: Integer.
        end: Integer; a tensor where the length is unknown.

    Example:
        >>> Span(-40, 120).join(Span(0, 200)).length(rate=2)
        120
    """

    first: int
    end: Size

    def join(self, other: "Span") -> "Span":
        """The shortest span that covers both."""
        return Span(min(self.first, other.first), longer(self.end, other.end))

    def length(self, rate: int) -> Size:
        """Samples at 1 / rate."""
        return (self.end - self.first) // rate


class Signals:
    """A waveform and its decimated copies, as far as a plan's groups read them.

    Args:
        waveform: (batch, samples).
        samples: Samples in it; a tensor where that is unknown.
        origin: Samples by which the origin of the plan precedes the waveform.
        spans: `Span` that each group of the plan will read.
        plan: `Plan`.

    Example:
        >>> from leaf_tf.dsp.multirate import exact_plan
        >>> plan = exact_plan([0.5], [20.0], [0.4], 401, 401, 160)
        >>> signals = Signals(ops.ones((8, 800)), 800, 159, [Span(-41, 1000)], plan)
        >>> signals.read(1, Span(-41, 1000)).shape
        TensorShape([8, 1041])
    """

    def __init__(
        self,
        waveform: Tensor,
        samples: Size,
        origin: Size,
        spans: Sequence[Span],
        plan: Plan,
    ):
        self._waveform, self._samples, self._origin = waveform, samples, origin
        self._decimated: dict[int, tuple[Tensor, int]] = {}
        # From the highest rate: the lower ones may be made of it.
        for decimation in reversed(_decimations(spans, plan)):
            signal = self.read(decimation.source, decimation.input_span)
            output = decimation.run(signal), decimation.output_span.first
            self._decimated[decimation.rate] = output

    def read(self, rate: int, span: Span) -> Tensor:
        """A span at 1 / rate, zeros where there is no waveform.

        Args:
            rate: 1, or the rate of a group.
            span: `Span` within those of the plan's groups of this rate.

        Returns:
            (batch, samples at 1 / rate).
        """
        if rate == 1:
            return self._cut_waveform(span.first, span.length(1))
        signal, first = self._decimated[rate]
        return cut(signal, 1, (span.first - first) // rate, span.length(rate))

    def _cut_waveform(self, first, length):
        # Filters of the first frame reach before the waveform.
        before = self._origin - first
        after = length - before - self._samples
        padded = ops.pad(self._waveform, ((0, 0), (before, longer(after, 0))))
        # A slice of all of it would be one more operation in the graph.
        is_exact = isinstance(after, int) and after >= 0
        return padded if is_exact else cut(padded, 1, 0, length)


@dataclasses.dataclass(frozen=True)
class _Decimation:
    """A decimator at work, a convolution over blocks.

    Attributes:
        source: Rate of its input.
        rate: Rate of its output.
        output_span: `Span` that is needed of the output.
    """

    source: int
    rate: int
    output_span: Span

    @property
    def kernel(self):
        return taps.decimator_kernel(self.rate // self.source)

    @property
    def _n_blocks(self):
        n_blocks, _, per_block = self.kernel.shape
        samples_wanted = self.output_span.end - self.output_span.first
        n_samples = ceil_div(samples_wanted, self.rate)
        return ceil_div(n_samples, per_block) + n_blocks - 1

    @property
    def input_span(self):
        """`Span` of the source that it reads."""
        # The first output is centered on its sample: half the decimator is before it.
        reach = taps.decimator(self.rate // self.source).size // 2
        first = self.output_span.first - reach * self.source
        return Span(first, first + self._n_blocks * self.kernel.shape[1] * self.source)

    def run(self, signal):
        """Output (batch, samples), at least as long as the span, of the input span."""
        return decimate(signal, self.kernel, self._n_blocks)


def decimate(signal: Tensor, kernel: np.ndarray, n_blocks: Size) -> Tensor:
    """Decimates a signal by a convolution over blocks.

    Args:
        signal: (batch, n_blocks * block).
        kernel: `taps.decimator_kernel`, (blocks, block, per_block).
        n_blocks: Blocks of the signal, at least `blocks`; a tensor where it is unknown.

    Returns:
        (batch, (n_blocks - blocks + 1) * per_block).

    Example:
        >>> decimate(ops.ones((8, 320)), taps.decimator_kernel(2), 10).shape
        TensorShape([8, 144])
    """
    blocks, block, per_block = kernel.shape
    kernel = ops.convert_to_tensor(kernel, dtype=signal.dtype)
    # A block's samples as channels: see `taps.decimator_kernel`.
    signal = ops.reshape(signal, (-1, n_blocks, block))
    signal = ops.conv(signal, kernel, padding="valid", data_format="channels_last")
    return ops.reshape(signal, (-1, (n_blocks - blocks + 1) * per_block))


def _decimations(spans, plan):
    """`_Decimation`s of a plan, the lowest rate first: others may be its source."""
    # Groups of one rate share one signal, long enough for each.
    needed: dict[int, Span] = {}
    for group, span in zip(plan.groups, spans):
        if group.rate > 1:
            needed[group.rate] = span.join(needed.get(group.rate, span))
    decimations = []
    for rate in sorted(needed, reverse=True):
        decimations.append(_Decimation(plan.source(rate), rate, needed[rate]))
        source = decimations[-1].source
        # A source has to be long enough for what is made of it, too.
        if source > 1:
            needed[source] = decimations[-1].input_span.join(needed[source])
    return decimations
