"""Clips of different lengths in one batch, each where SAME padding puts it alone.

SAME padding centers the frames on the clip: how far the first window reaches before
the clip depends on the clip's length. In a padded batch the clips are moved by the
difference, at most half a stride, so that one strided stage serves them all.
"""

import dataclasses
from typing import Any

from keras import ops

from leaf_tf.dsp import units
from leaf_tf.dsp.slices import cut


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Where the clips of an aligned batch lie.

    Attributes:
        starts, stops: First sample, and the one after the last, (batch,), int32.
    """

    starts: Any
    stops: Any

    def outside(self, times):
        """Which of some times (n,) no clip covers, (batch, n)."""
        before = times < self.starts[:, None]
        return ops.logical_or(before, times >= self.stops[:, None])

    def keep(self, values):
        """Zeros in (batch, samples, channels) wherever the clip is not."""
        times = ops.arange(ops.shape(values)[1], dtype="int32")[None]
        outside = self.outside(times)[:, :, None]
        return ops.where(outside, ops.zeros_like(values), values)


def align(waveform, lengths, size, strides):
    """Moves each clip so that SAME frames of the batch are those of the clip alone.

    Args:
        waveform: (batch, samples), zeros from `lengths` on.
        lengths: (batch,), int32, from 1.
        size, strides: Samples in a window, and between windows, of the stage.

    Returns:
        The waveform, (batch, ceil(samples / strides) * strides), and its `Bounds`.
        A SAME stage of this size and strides gives, up to a clip's own number of
        frames, what it gives for the clip; all that is outside the bounds counts as
        zero, so what filters before it leave there must be set to zero.
    """
    samples = waveform.shape[1]
    if samples is None:
        samples = ops.shape(waveform)[1]
    total = units.n_frames(samples, strides) * strides
    # By how much the first window of the clip alone reaches further to the left.
    last_window = (units.n_frames(lengths, strides) - 1) * strides + size
    left = ops.maximum(last_window - lengths, 0) // 2
    shifts = left - max(size - strides, 0) // 2
    bits = max((strides // 2).bit_length(), 1)
    room = 2**bits - 1
    moved = ops.pad(waveform, ((0, 0), (room, total - samples)))
    # Moves by powers of two: no gather, which TFLite and XLA are slow at.
    for bit in reversed(range(bits)):
        width = total + 2**bit - 1
        ahead = cut(moved, 1, 2**bit, width)
        behind = cut(moved, 1, 0, width)
        is_set = ((shifts // 2**bit) % 2 == 1)[:, None]
        moved = ops.where(is_set, behind, ahead)
    return moved, Bounds(shifts, shifts + lengths)
