"""Keeps invalid samples out of a stream's states, and marks the frames they reach."""

import numpy as np
from keras import ops

# A million, full scale being 1. Squares of such samples, and sums of these, are far
# from float32's limits.
LOUDEST = 2.0**20


class Guard:
    """Replaces invalid samples by silence, and marks the frames that depend on them.

    Invalid samples are NaN, infinite, or not below `LOUDEST`. Features computed around
    them are finite but wrong. Frames that depend on one are therefore marked, for as
    long as any state but a smoothed mean may hold it.

    TFLite's fast delegate has no comparisons. There is one comparison and one
    selection, on the incoming samples; all else, the states included, is arithmetic.
    (Whether `minimum` and `maximum` pass NaN on depends on the processor.)

    Args:
        memory: Number of hops after its own that a sample affects.

    Attributes:
        state_shapes: {name: shape without the batch}.
    """

    state_shapes = {"marked_frames": (1,)}

    def __init__(self, memory):
        self._memory = float(memory)

    def clean(self, chunk, state, hops):
        """The chunk, invalid samples replaced by silence.

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


class NoGuard:
    """In place of `Guard` where all samples are valid: nothing is looked for."""

    state_shapes: dict[str, tuple] = {}

    def clean(self, chunk, state, hops):
        """The chunk and the state as they are; marks that mark nothing."""
        return chunk, dict(state), NoMarks()


class NoMarks:
    """`Marks` of a chunk without invalid samples."""

    def on(self, frames):
        """The frames as they are."""
        return frames

    def in_window(self, hops_before, size):
        """As `Marks.in_window`: none, as before."""
        return hops_before


class Marks:
    """The frames of a chunk that depend on invalid samples.

    Args:
        before: (batch, 1), number of frames, from the first of the chunk on, that
            depend on invalid samples of earlier chunks.
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
        hops_left = (marked + (size - hops)) * ops.minimum(marked, 1.0)
        return ops.maximum(ops.relu(hops_before - hops), hops_left)


def nan_where(marks, values):
    """The values, but NaN where the marks are above 0; marks are broadcast to them."""
    return ops.where(ops.greater(marks, 0.0), float("nan"), values)
