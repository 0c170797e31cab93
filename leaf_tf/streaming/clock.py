"""Which frame of a stream a chunk is at, computed without control flow."""

import numpy as np
from keras import ops

# Where counting stops: hours after all that happens once, and exact in float32.
_MOST_HOPS = 2.0**20


class Clock:
    """The position of a chunk in its stream.

    All answers are arithmetic on one number a stream, so that a graph has no
    branches. Hops and frames before the stream have negative indices.

    Args:
        heard: (batch, 1), float, number of hops before the chunk.
        hops: Number of hops in the chunk.
    """

    def __init__(self, heard, hops):
        self._heard = heard
        self._hops = hops

    def later(self):
        """`heard` after the chunk."""
        return ops.minimum(self._heard + float(self._hops), _MOST_HOPS)

    def has_begun(self, delay):
        """1 for each hop `delay` before one of the chunk that is in the stream, else 0.

        Returns:
            (batch, hops, 1).
        """
        return self._from_zero(np.arange(self._hops) - delay)

    def is_hop(self, index, delays):
        """1 where a hop before one of the chunk has an index, else 0.

        Args:
            index: Number of the hop in the stream, from 0.
            delays: (places,), hops between it and that one of the chunk.

        Returns:
            (batch, hops, places).
        """
        hops = np.arange(self._hops)[:, None] - np.asarray(delays)
        return ops.relu(1.0 - ops.abs(self._relative(hops) - float(index)))

    def is_in_stream(self, times, strides):
        """1 for each sample that is not before the stream, else 0.

        Args:
            times: (n,), samples, counted from the start of the chunk.
            strides: Samples a hop.

        Returns:
            (batch, n, 1).
        """
        return self._from_zero(np.asarray(times), strides)

    def _from_zero(self, offsets, scale=1):
        values = self._relative(offsets, scale) + 1.0
        return ops.expand_dims(ops.clip(values, 0.0, 1.0), axis=-1)

    def _relative(self, offsets, scale=1):
        """scale * heard + offsets, (batch, ...)."""
        offsets = ops.convert_to_tensor(offsets[None], dtype=self._heard.dtype)
        elapsed_hops = ops.reshape(self._heard, (-1,) + (1,) * (len(offsets.shape) - 1))
        return float(scale) * elapsed_hops + offsets
