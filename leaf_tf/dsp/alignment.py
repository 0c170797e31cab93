"""Clips of different lengths in one batch, each where SAME padding puts it alone.

SAME padding centers the frames on the clip: how far the first window reaches before
the clip depends on the clip's length. In a padded batch the clips are moved by the
difference, at most half a stride, so that one strided stage serves them all.
"""

import dataclasses

from keras import ops

from leaf_tf.dsp import units
from leaf_tf.dsp.slices import cut
from leaf_tf.dsp.types import Tensor


@dataclasses.dataclass(frozen=True)
class Bounds:
    """Location of each clip in an aligned batch.

    Attributes:
        starts, stops: First sample, and the one after the last, (batch,), int32.

    Example:
        >>> bounds = Bounds(ops.array([0, 1]), ops.array([3, 3]))
        >>> bounds.outside(ops.arange(4)).numpy()
        array([[False, False, False,  True],
               [ True, False, False,  True]])
        >>> bounds.keep(ops.ones((2, 4, 1)))[..., 0].numpy()
        array([[1., 1., 1., 0.],
               [0., 1., 1., 0.]], dtype=float32)
    """

    starts: Tensor
    stops: Tensor

    def outside(self, times: Tensor) -> Tensor:
        """Whether times (n,), in samples, are outside of the clip: (batch, n)."""
        before = times < self.starts[:, None]
        return ops.logical_or(before, times >= self.stops[:, None])

    def keep(self, values: Tensor) -> Tensor:
        """Values (batch, samples, channels), set to zero outside of the clip."""
        times = ops.arange(ops.shape(values)[1], dtype="int32")[None]
        outside = self.outside(times)[:, :, None]
        return ops.where(outside, ops.zeros_like(values), values)


def align(
    waveform: Tensor, lengths: Tensor, size: int, strides: int
) -> tuple[Tensor, Bounds]:
    """Moves each clip so that SAME frames of the batch are those of the clip alone.

    A SAME stage of this size and strides then computes, in the first frames of each
    clip, what it computes for the clip alone. Everything outside of the bounds counts
    as zero: what filters leave there must be set to zero before the stage.

    Args:
        waveform: (batch, samples), zeros from `lengths` on.
        lengths: (batch,), int32, from 1.
        size, strides: Samples in a window of the stage, and between windows.

    Returns:
        The waveform, (batch, ceil(samples / strides) * strides), and its `Bounds`.

    Example:
        >>> waveform = ops.array([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 0.0]])
        >>> moved, bounds = align(waveform, ops.array([4, 3]), size=4, strides=3)
        >>> moved.numpy()
        array([[0., 1., 2., 3., 4., 0.],
               [1., 2., 3., 0., 0., 0.]], dtype=float32)
        >>> bounds.starts.numpy()
        array([1, 0], dtype=int32)
    """
    samples = waveform.shape[1]
    if samples is None:
        samples = ops.shape(waveform)[1]
    total = units.n_frames(samples, strides) * strides
    # Samples by which the first window of the clip alone reaches further to the left
    # than that of the batch, whose padding is the same for all lengths.
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
