"""Keeps what is no sound out of a stream's states, and says what heard it."""

import numpy as np
from keras import ops

# A million, full scale being 1. Squares of such samples, and sums of these, are far
# from float32's limits.
LOUDEST = 2.0**20


class Guard:
    """Takes samples that can't be meant for silence, and counts what hears them.

    Those are NaN, infinite, or not below `LOUDEST`. What is computed around them is
    wrong, though finite, so frames that hear one are marked, for as long as anything
    but a smoothed mean may remember it.

    Comparisons are no operators of TFLite's fast delegate: there is one, and one
    selection, on the samples as they come; the rest is arithmetic, that of the states
    too. (That `minimum` and `maximum` pass NaN on, or don't, depends on the
    processor.)

    Args:
        memory: Hops after its own in which a sample is heard.

    Attributes:
        state_shapes: {name: shape without the batch}.
    """

    state_shapes = {"marked_frames": (1,)}

    def __init__(self, memory):
        self._memory = float(memory)

    def clean(self, chunk, state, hops):
        """The chunk without what is no sound.

        Args:
            chunk: (batch, samples).
            state: {name: (batch, ...)}, see `state_shapes`.
            hops: Number of hops in the chunk.

        Returns:
            The chunk; the state after it; `Marks` of the chunk's frames.
        """
        # False for NaN.
        is_below = ops.less(chunk, LOUDEST)
        chunk = ops.where(is_below, chunk, ops.full_like(chunk, -2.0 * LOUDEST))
        chunk = ops.maximum(chunk, -LOUDEST)
        is_sound = ops.minimum(chunk + LOUDEST, 1.0)
        silenced = ops.sum(1.0 - is_sound, axis=1, keepdims=True)
        is_bad = ops.minimum(silenced, 1.0)
        before = state["marked_frames"]
        after = ops.maximum(ops.relu(before - float(hops)), is_bad * self._memory)
        marks = Marks(before, is_bad, hops)
        return chunk * is_sound, {**state, "marked_frames": after}, marks


class Marks:
    """Which frames of a chunk hear what is no sound.

    Args:
        before: (batch, 1), frames from the first of the chunk on that hear earlier
            chunks of such.
        is_bad: (batch, 1), 1 if the chunk has such samples itself, else 0.
        hops: Frames of the chunk.
    """

    def __init__(self, before, is_bad, hops):
        self._before, self._is_bad, self._hops = before, is_bad, hops

    def on(self, frames):
        """The frames (batch, hops, channels), NaN where they are marked."""
        places = np.arange(self._hops, dtype="float32")[None]
        places = ops.convert_to_tensor(places, dtype=self._before.dtype)
        is_marked = ops.relu(self._before - places) + self._is_bad
        return nan_where(ops.expand_dims(is_marked, axis=-1), frames)

    def in_window(self, hops_before, size):
        """Hops until a window of the last `size` frames holds no marked one.

        Args:
            hops_before: The same before this chunk.

        Returns:
            (batch, 1).
        """
        hops = float(self._hops)
        # Of the chunk's frames, those up to the last marked one.
        marked = ops.maximum(ops.minimum(self._before, hops), self._is_bad * hops)
        left = (marked + (size - hops)) * ops.minimum(marked, 1.0)
        return ops.maximum(ops.relu(hops_before - hops), left)


def nan_where(marks, values):
    """The values, NaN where the marks, which are broadcast to them, are above 0."""
    return ops.where(ops.greater(marks, 0.0), float("nan"), values)
