"""A waveform at the rates of a multirate plan, in keras.ops.

Positions count from the origin of the plan, in samples of the waveform at all rates.
"""

import dataclasses
from typing import Any

from keras import ops

from leaf_tf.dsp.multirate import taps as multirate_taps
from leaf_tf.dsp.slices import cut, longer


@dataclasses.dataclass(frozen=True)
class Span:
    """Part of a waveform: positions from `first` until before `end`.

    `first` is an integer; `end` a tensor where the length is unknown.
    """

    first: int
    end: Any

    def join(self, other):
        return Span(min(self.first, other.first), longer(self.end, other.end))

    def length(self, rate):
        """Samples at 1 / rate."""
        return (self.end - self.first) // rate


class Signals:
    """A waveform and what a plan's decimators make of it.

    Args:
        waveform: (batch, samples).
        samples: How many; a tensor where that is unknown.
        origin: Samples by which the origin of the plan precedes the waveform.
        spans: The `Span` that each group of the plan will read.
        plan: `multirate.Plan`.
    """

    def __init__(self, waveform, samples, origin, spans, plan):
        self._waveform, self._samples, self._origin = waveform, samples, origin
        self._decimated = {}  # {rate: signal, its first position}
        for decimation in reversed(_decimations(spans, plan)):
            signal = self.read(decimation.source, decimation.taken)
            made = decimation.run(signal), decimation.made.first
            self._decimated[decimation.rate] = made

    def read(self, rate, span):
        """(batch, samples) of a span at 1 / rate, zeros where there is no waveform."""
        if rate == 1:
            return self._cut_waveform(span.first, span.length(1))
        signal, first = self._decimated[rate]
        return cut(signal, 1, (span.first - first) // rate, span.length(rate))

    def _cut_waveform(self, first, length):
        # Before the waveform: filters reach further than a stride.
        before = self._origin - first
        after = length - before - self._samples
        padded = ops.pad(self._waveform, ((0, 0), (before, longer(after, 0))))
        is_exact = isinstance(after, int) and after >= 0
        return padded if is_exact else cut(padded, 1, 0, length)


@dataclasses.dataclass(frozen=True)
class _Decimation:
    """A decimator at work, a convolution over blocks.

    Attributes:
        source: Rate of what it decimates.
        rate: Of what it makes.
        made: `Span` of what is needed of that.
    """

    source: int
    rate: int
    made: Span

    @property
    def kernel(self):
        return multirate_taps.decimator_kernel(self.rate // self.source)

    @property
    def _n_blocks(self):
        n_blocks, _, per_block = self.kernel.shape
        n_samples = -(-(self.made.end - self.made.first) // self.rate)
        return -(-n_samples // per_block) + n_blocks - 1

    @property
    def taken(self):
        """`Span` of what it takes of the source."""
        reach = multirate_taps.decimator(self.rate // self.source).size // 2
        first = self.made.first - reach * self.source
        return Span(first, first + self._n_blocks * self.kernel.shape[1] * self.source)

    def run(self, signal):
        """What is needed, or more, of (batch, samples) that it takes."""
        return decimate(signal, self.kernel, self._n_blocks)


def decimate(signal, kernel, n_blocks):
    """A decimator's convolution over blocks.

    Args:
        signal: (batch, n_blocks * block).
        kernel: `multirate_taps.decimator_kernel`, (blocks, block, per_block).
        n_blocks: At least `blocks`; a tensor where it is unknown.

    Returns:
        (batch, (n_blocks - blocks + 1) * per_block).
    """
    blocks, block, per_block = kernel.shape
    kernel = ops.convert_to_tensor(kernel, dtype=signal.dtype)
    signal = ops.reshape(signal, (-1, n_blocks, block))
    signal = ops.conv(signal, kernel, padding="valid", data_format="channels_last")
    return ops.reshape(signal, (-1, (n_blocks - blocks + 1) * per_block))


def _decimations(spans, plan):
    """`_Decimation`s of a plan, the lowest rate first: others may be its source."""
    needed: dict[int, Span] = {}
    for group, span in zip(plan.groups, spans):
        if group.rate > 1:
            needed[group.rate] = span.join(needed.get(group.rate, span))
    decimations = []
    for rate in sorted(needed, reverse=True):
        decimations.append(_Decimation(plan.source(rate), rate, needed[rate]))
        source = decimations[-1].source
        if source > 1:
            needed[source] = decimations[-1].taken.join(needed[source])
    return decimations
