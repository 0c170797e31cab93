"""The last frames of a stream, as an encoder takes them."""

from keras import ops

from leaf_tf.dsp.slices import last
from leaf_tf.dsp.types import Tensor
from leaf_tf.streaming.clock import Clock
from leaf_tf.streaming.guard import nan_where
from leaf_tf.streaming.stream import Stream


class TrailingWindow:
    """The last frames of a stream after each chunk.

    After n hops the window holds frames n - delay - n_frames to n - delay - 1 of the
    stream's features, `delay` the stream's: the last ones that no later sound
    changes. Frames before frame 0 are those of silence. So what an encoder makes of
    the window is what it makes of the last `n_frames` such frames of the frontend's
    features of all sound so far.

    The state is the stream's; "features", the window itself; and "marked_hops", the
    number of hops for which it still holds frames that depend on invalid samples (see
    `Stream`). The window is NaN until then.

    Args:
        stream: `Stream`.
        n_frames: Number of frames in the window, at least 1.

    Attributes:
        stream, n_frames: The arguments.
        state_shapes: {name: shape without the batch} of the state.

    Raises:
        ValueError: Argument out of range.

    Example:
        >>> stream = leaf_tf.streaming.Stream(leaf_tf.Leaf())
        >>> trailing = leaf_tf.streaming.TrailingWindow(stream, n_frames=100)
        >>> chunk = np.zeros((1, 10 * stream.strides), "float32")
        >>> window, state = trailing.step(chunk, trailing.initial_state())
        >>> window.shape
        TensorShape([1, 100, 40])
    """

    def __init__(self, stream: Stream, n_frames: int):
        if n_frames < 1:
            raise ValueError(f"`n_frames` must be at least 1. Received: {n_frames}")
        self.stream = stream
        self.n_frames = n_frames
        self.state_shapes = {
            **stream.state_shapes,
            "features": (n_frames, stream.n_channels),
            "marked_hops": (1,),
        }

    def initial_state(self, batch: int = 1) -> dict[str, Tensor]:
        """The state before the first chunk: zeros, {name: (batch, ...)}."""
        state = self.stream.initial_state(batch)
        dtype = state["heard"].dtype
        for name in ("features", "marked_hops"):
            state[name] = ops.zeros((batch, *self.state_shapes[name]), dtype=dtype)
        return state

    def step(
        self, chunk: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Continues with the next chunk.

        Args:
            chunk: (batch, hops * strides), as of `Stream.step`.
            state: State from `initial_state` or the step before.

        Returns:
            (window, state): (batch, n_frames, n_channels) after the chunk; the state
            for the next step.
        """
        window, state = self.advance(chunk, state)
        return nan_where(state["marked_hops"][:, :, None], window), state

    def advance(
        self, chunk: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """`step`, but with a finite window where it depends on invalid samples.

        It depends on such while `state["marked_hops"]` is above 0.
        """
        state = dict(state)
        features, marked_hops = state.pop("features"), state.pop("marked_hops")
        frames, state, marks = self.stream.advance(chunk, state)
        marked_hops = marks.in_window(marked_hops, self.n_frames)
        dtype = frames.dtype
        frames = ops.concatenate([features, ops.cast(frames, features.dtype)], axis=1)
        features = last(frames, self.n_frames)
        clock = Clock(state["heard"], self.n_frames)
        is_frame = clock.has_begun(self.stream.delay + self.n_frames)
        silence = ops.convert_to_tensor(self.stream.silence, dtype=features.dtype)
        window = features + (1.0 - is_frame) * silence
        state = {**state, "features": features, "marked_hops": marked_hops}
        return ops.cast(window, dtype), state
