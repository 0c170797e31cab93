"""A frontend that processes sound chunk by chunk."""

from collections.abc import Iterable, Iterator
from typing import Any

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.streaming.clock import Clock
from leaf_tf.streaming.compressions import Compressions
from leaf_tf.streaming.guard import Guard, Marks, NoGuard, NoMarks
from leaf_tf.streaming.streamable import Streamable


class Stream:
    """A frontend's features of a sound that comes in chunks.

    The features are those that the frontend gives for the whole sound at once, from
    the first frame to the last: first-frame start of PCEN and both ends included. A
    stream is as long as whole hops of `strides` samples. For all such lengths SAME
    padding is the same (at 16 kHz 120 zeros on the left), so the length of the sound
    needn't be known in advance. Pad the last hop with zeros if need be.

    A frame needs sound that comes after it: the half of its pooling window that is
    later, and what the filters reach beyond that. So frames come `delay` hops after
    their own; `step` gives as many frames as it gets hops, the frames of `delay` hops
    ago, and before frame 0 zeros. `finish` gives the `delay` frames that are left
    when the sound ends. TimeDomainFilterbanks has frames only of whole windows:
    `finish` gives those that are left, and of a sound shorter than a window none.

    `latency_ms` is the time from the middle of a frame's window until the frame is
    there, in chunks of one hop: `delay` + 1 hops, less the way from the hop's start
    to the window's middle. At the defaults, 16 kHz, windows of 401 samples and hops
    of 160: LEAF needs 200 samples of the window, another 200 of the filters (or less,
    or more, as the plan cuts or softens them), and what a decimator looks ahead;
    that is rounded up to whole hops. A longer chunk waits for its own end besides.

    The state is a flat dict of arrays, all zero at the start, whose shapes don't
    depend on the chunks: chunks of one stream may differ in length. `step` is a pure
    function of static shapes without control flow, for `tf.function`, `jax.jit` and
    TFLite. The batch holds independent streams; to start one of them anew, set its
    rows in the state to zero.

    A sample that is NaN, infinite, or beyond a million, is taken for silence, so that
    no state keeps it. Frames that may depend on it are NaN, all of a chunk at once;
    the frames after them are as if it had been silence.

    The frontend is copied: training it further leaves the stream as it is.

    Args:
        frontend: A `leaf_tf` frontend. All but Wavegram can be streamed; with
            `compression` "pcen", "simplified_pcen", "multi_rate_pcen", "log",
            "log1p" or "none", or one of these as a layer; not with `mean_var_norm`
            or a median over the clip, which take the whole clip to know.
        is_compact: Whether the stream is for a device of little memory: a LEAF's
            energies are computed by `compact.compact_banks`, which has the fewest
            numbers, and invalid samples aren't looked for. Defaults to False.

    Attributes:
        sample_rate: Sample rate of the waveform, Hz.
        strides: Samples in a hop.
        n_channels: Channels of the features.
        delay: Number of hops by which a frame is returned after its own hop.
        latency_ms: See above.
        silence: (n_channels,), NumPy, a frame of silence.
        state_shapes: {name: shape without the batch} of the state.

    Raises:
        ValueError: The frontend can't be streamed; the message has the reason.

    Example:
        >>> stream = leaf_tf.streaming.Stream(leaf_tf.Leaf())
        >>> state = stream.initial_state()
        >>> chunk = np.zeros((1, 10 * stream.strides), "float32")
        >>> frames, state = stream.step(chunk, state)
        >>> frames.shape
        TensorShape([1, 10, 40])
    """

    def __init__(self, frontend: Any, is_compact: bool = False):
        if not isinstance(frontend, Streamable):
            raise ValueError(
                "`frontend` must be a leaf_tf frontend, such as leaf_tf.Leaf(). "
                f"Received: {type(frontend).__name__}"
            )
        if frontend.mean_var_norm:
            raise ValueError(
                "a frontend with mean_var_norm=True can't be streamed: it must hear "
                "the whole clip to know its mean and variance. Train it without"
            )
        frontend = frontend.copy_to_stream()
        self._dtype, self._features_dtype = frontend.stage_dtype, frontend.compute_dtype
        self._cast_outputs = frontend.cast_outputs
        self.sample_rate = frontend.sample_rate
        self.strides = frontend.strides
        self._preemphasis = frontend.preemphasis
        # Pre-emphasis takes the sample after.
        lag = 0 if self._preemphasis is None else 1
        energies_on_stream = frontend.energies_on_stream
        if is_compact:
            energies_on_stream = frontend.energies_on_compact_stream
        stages = energies_on_stream(lag)
        if stages is None:
            raise _unstreamable(frontend)
        self._energies, self._completed = stages
        self._compressions = Compressions(frontend.compressing, frontend.n_filters)
        self.n_channels = self._compressions.n_channels
        self.delay = self._energies.delay
        memory = self._energies.memory + lag
        self._guard = NoGuard() if is_compact else Guard(memory)
        silence = ops.zeros((1, self.strides), dtype=self._dtype)
        silence = ops.cast(frontend(silence), self._dtype)
        self.silence = ops.convert_to_numpy(silence)[0, 0]
        self.state_shapes = {
            "heard": (1,),
            **self._guard.state_shapes,
            **({"last_sample": (1,)} if lag else {}),
            **self._energies.state_shapes,
            **self._compressions.state_shapes,
        }

    @property
    def latency_ms(self) -> float:
        """From the middle of a frame's window until the frame is there, ms."""
        samples = (self.delay + 1) * self.strides - self._energies.center
        return 1000.0 * samples / self.sample_rate

    def initial_state(self, batch: int = 1) -> dict[str, Tensor]:
        """The state before the first chunk: zeros, {name: (batch, ...)}."""
        return {
            name: ops.zeros((batch, *shape), dtype=self._dtype)
            for name, shape in self.state_shapes.items()
        }

    def step(
        self, chunk: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Goes on with the sound.

        Args:
            chunk: (batch, hops * strides) or (batch, hops * strides, 1), float,
                scaled to [-1, 1], one hop or more.
            state: State from `initial_state` or the step before.

        Returns:
            (frames, state): the frames of `delay` hops before each hop, (batch, hops,
            n_channels), zeros before frame 0; the state for the next step.

        Raises:
            ValueError: The chunk is not of whole hops.
        """
        frames, state, marks = self.advance(chunk, state)
        return marks.on(frames), state

    def advance(
        self, chunk: Tensor, state: dict[str, Tensor]
    ) -> tuple[Tensor, dict[str, Tensor], Marks | NoMarks]:
        """`step`, but with finite frames where samples are invalid: as of silence.

        Returns:
            frames, state; `guard.Marks` of the frames.
        """
        return self._advance(self._checked(chunk), state)

    def finish(self, state: dict[str, Tensor]) -> Tensor:
        """The last frames of a sound that ends.

        Args:
            state: State from the last step.

        Returns:
            (batch, frames, n_channels), `delay` frames, or as many fewer as the
            frontend has fewer frames than hops.
        """
        batch = ops.shape(state["heard"])[0]
        if self.delay == 0:
            return ops.zeros((batch, 0, self.n_channels), dtype=self._features_dtype)
        silence = ops.zeros((batch, self.delay * self.strides), dtype=self._dtype)
        frames, _, marks = self._advance(silence, state, is_end=True)
        return marks.on(frames)[:, : self._energies.n_last]

    def run(self, chunks: Iterable[Tensor]) -> Iterator[Tensor]:
        """The features of a sound, as they come: those of the whole, in parts.

        Args:
            chunks: Iterable of chunks as `step` takes them.

        Yields:
            (batch, frames, n_channels), frame 0 first; one after each chunk that
            completes a frame, and one at the end.
        """
        state, missing = None, self.delay
        for chunk in chunks:
            if state is None:
                state = self.initial_state(ops.shape(chunk)[0])
            frames, state = self.step(chunk, state)
            before = min(missing, frames.shape[1])
            missing -= before
            if before < frames.shape[1]:
                yield frames[:, before:]
        if state is not None:
            yield self.finish(state)[:, missing:]

    def _advance(self, chunk, state, is_end=False):
        hops = chunk.shape[1] // self.strides
        clock = Clock(state["heard"], hops)
        chunk, state, marks = self._guard.clean(chunk, state, hops)
        if self._preemphasis is not None:
            chunk, state = self._emphasized(self._preemphasis, chunk, state)
        energies, state = self._energies.step(chunk, state, clock, is_end)
        is_frame = clock.has_begun(self.delay)
        is_first = clock.is_hop(0, [self.delay])
        frames, state = self._compressions.step(
            self._completed(energies), state, is_frame, is_first
        )
        state["heard"] = clock.later()
        return self._cast_outputs(frames * is_frame), state, marks

    def _emphasized(self, preemphasis, chunk, state):
        """The chunk behind the pre-emphasis, a sample late."""
        chunk = ops.concatenate([state["last_sample"], chunk], axis=1)
        state["last_sample"] = chunk[:, -1:]
        outputs = ops.squeeze(preemphasis(chunk[..., None]), axis=-1)[:, :-1]
        # There is none before the stream.
        has_begun = ops.minimum(state["heard"], 1.0)
        first = outputs[:, :1] * has_begun
        return ops.concatenate([first, outputs[:, 1:]], axis=1), state

    def _checked(self, chunk):
        chunk = ops.convert_to_tensor(chunk)
        dtype = keras.backend.standardize_dtype(chunk.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise ValueError(
                "`chunk` must be float, scaled to [-1, 1]; divide 16-bit samples by "
                f"32768. Received: dtype {dtype}"
            )
        if len(chunk.shape) == 3 and chunk.shape[-1] == 1:
            chunk = ops.squeeze(chunk, axis=-1)
        samples = chunk.shape[1] if len(chunk.shape) == 2 else None
        if not samples or samples % self.strides:
            raise ValueError(
                f"`chunk` must be (batch, samples), samples a multiple of the hop, "
                f"{self.strides}. Received: shape {tuple(chunk.shape)}"
            )
        return ops.cast(chunk, self._dtype)


def _unstreamable(frontend):
    # Not above: frontends import this package.
    from leaf_tf.frontends import FRONTENDS

    names = [
        kind.__name__
        for kind in FRONTENDS.values()
        if kind.energies_on_stream is not Streamable.energies_on_stream
    ]
    return ValueError(
        f"the frontend {type(frontend).__name__} can't be streamed; those that can: "
        f"{', '.join(names)}"
    )
