"""Compressions that keep their state from chunk to chunk.

A memory is what a compression knows of the frames before: PCEN's moving average.
"""

from leaf_tf.layers import (
    PCEN,
    Log1pCompression,
    LogCompression,
    LoudnessNorm,
    MedianSubtraction,
    MultiRatePCEN,
    SimplifiedPCEN,
    TemporalBatchNorm,
)
from leaf_tf.layers.chain import stages_of

# Each frame by itself; and with a memory, of as many channels as the output has
# unless it says `memory_size`.
_FRAMEWISE = (LogCompression, Log1pCompression, TemporalBatchNorm)
_WITH_MEMORY = (PCEN, SimplifiedPCEN, MultiRatePCEN, LoudnessNorm)


class Compressions:
    """A frontend's compression on a stream.

    Args:
        compressing: A frontend's compression layer, built; None for none.
        n_filters: Channels of the energies.

    Attributes:
        n_channels: Number of channels of the features.
        state_shapes: {name: shape without the batch}.

    Raises:
        ValueError: It needs more of a clip than the frames so far, or isn't known.
    """

    def __init__(self, compressing, n_filters):
        self._stages = stages_of(compressing)
        self.n_channels = n_filters
        self.state_shapes = {}
        for i, stage in enumerate(self._stages):
            _require_streamed(stage)
            shape = stage.compute_output_shape((None, None, self.n_channels))
            self.n_channels = shape[-1]
            if isinstance(stage, _WITH_MEMORY):
                size = getattr(stage, "memory_size", self.n_channels)
                self.state_shapes[_name(i)] = (size,)

    def step(self, energies, state, is_frame, is_first):
        """Goes on with the stream.

        Args:
            energies: (batch, frames, n_filters).
            state: {name: (batch, ...)}, see `state_shapes`.
            is_frame, is_first: Arguments of `dsp.smoothing.continued_average`.

        Returns:
            (batch, frames, n_channels); the state after these frames.
        """
        outputs, state = energies, dict(state)
        for i, stage in enumerate(self._stages):
            if isinstance(stage, _WITH_MEMORY):
                outputs, state[_name(i)] = stage.step(
                    outputs, state[_name(i)], is_frame, is_first
                )
            else:
                outputs = stage(outputs)
        return outputs, state


def _name(i):
    return f"smoothed_{i}"


def _require_streamed(stage):
    if isinstance(stage, MedianSubtraction):
        raise ValueError(
            "a frontend that subtracts the median over the clip can't be streamed: it "
            "must hear the whole clip first. Train an EfficientLeaf with "
            'median_subtraction=False or compression="pcen"'
        )
    if not isinstance(stage, _FRAMEWISE + _WITH_MEMORY):
        names = [kind.__name__ for kind in (*_WITH_MEMORY, *_FRAMEWISE)]
        raise ValueError(
            f"the compression {type(stage).__name__} can't be streamed: what it does "
            f"over time is not known. Allowed are {', '.join(names)}, or none"
        )
