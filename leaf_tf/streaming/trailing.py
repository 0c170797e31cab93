"""The last frames of a stream, as an encoder takes them."""

from keras import ops

from leaf_tf.dsp.slices import last
from leaf_tf.streaming.clock import Clock


class TrailingWindow:
    """The last frames of a stream after each chunk.

    After n hops the window holds frames n - delay - n_frames to n - delay - 1 of the
    stream's features, `delay` the stream's: the last ones that no later sound
    changes. Frames before frame 0 are those of silence. So what an encoder makes of
    the window is what it makes of the last `n_frames` such frames of the frontend's
    features of all sound so far.

    The state is the stream's and "features", the window itself.

    Args:
        stream: `Stream`.
        n_frames: In the window, at least 1.

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

    def __init__(self, stream, n_frames):
        if n_frames < 1:
            raise ValueError(f"`n_frames` must be at least 1. Received: {n_frames}")
        self.stream = stream
        self.n_frames = n_frames
        self.state_shapes = {
            **stream.state_shapes,
            "features": (n_frames, stream.n_channels),
        }

    def initial_state(self, batch=1):
        """The state before the first chunk: zeros, {name: (batch, ...)}."""
        state = self.stream.initial_state(batch)
        shape = (batch, *self.state_shapes["features"])
        return {**state, "features": ops.zeros(shape, dtype=state["heard"].dtype)}

    def step(self, chunk, state):
        """Goes on with the sound.

        Args:
            chunk: (batch, hops * strides), as of `Stream.step`.
            state: Of `initial_state` or the step before.

        Returns:
            (window, state): (batch, n_frames, n_channels) after the chunk; the state
            for the next step.
        """
        state = dict(state)
        features = state.pop("features")
        frames, state = self.stream.step(chunk, state)
        dtype = frames.dtype
        frames = ops.concatenate([features, ops.cast(frames, features.dtype)], axis=1)
        features = last(frames, self.n_frames)
        clock = Clock(state["heard"], self.n_frames)
        is_frame = clock.has_begun(self.stream.delay + self.n_frames)
        silence = ops.convert_to_tensor(self.stream.silence, dtype=features.dtype)
        window = features + (1.0 - is_frame) * silence
        return ops.cast(window, dtype), {**state, "features": features}
