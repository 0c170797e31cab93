"""The frontend of a microcontroller's model: a chunk and states in, frames out."""

from typing import Any

from export.contract.layout import INPUT, STATE
from export.source.opening import Source
from export.source.stages import frontend_of
from export.tflite_format.graph_edits import order_inputs
from export.tflite_format.model import read_model
from export.writers.stream import chunk_samples
from export.writers.tflite import convert
from leaf_files.errors import UserError
from leaf_files.quiet import import_tensorflow

FRAMES = "frames"
# Less than half of what other streams take: a device has no memory for more.
DEFAULT_CHUNK_MS = 40.0


class FrameStream:
    """A frontend's frames of a stream, beside those of silence.

    Before frame 0, frames are those of silence: zeros.

    Args:
        source: The model.
        chunk_ms: Length of a chunk, a multiple of the frontend's hop; None for the
            multiple that is nearest to 40 ms.

    Attributes:
        stream: `leaf_tf.streaming.Stream` of little memory.
        frontend: The frontend.
        chunk_samples: Samples of a chunk.

    Raises:
        UserError: The model has no frontend that can be streamed right behind its
            input, or the chunk is no multiple of the hop.
    """

    def __init__(self, source: Source, chunk_ms: float | None = None):
        from leaf_tf import MelFilterbanks
        from leaf_tf.streaming import Stream

        self.frontend = frontend_of(source.model)
        if self.frontend is None:
            raise UserError(
                "a model for microcontrollers needs a leaf_tf frontend that takes the "
                "waveform as it comes, one of its own and the model's first layer"
            )
        if isinstance(self.frontend, MelFilterbanks):
            raise UserError(
                "no model for microcontrollers of a mel frontend: TFLite Micro has no "
                "Fourier transform among its own operators; a Leaf is convolutions "
                "and products (`--frontend leaf`)"
            )
        try:
            self.stream = Stream(self.frontend, is_compact=True)
        except ValueError as error:
            raise UserError(f"no model for microcontrollers: {error}") from error
        self.chunk_samples = chunk_samples(self.stream, chunk_ms, DEFAULT_CHUNK_MS)

    @property
    def hops(self) -> int:
        """Frames of a chunk."""
        return self.chunk_samples // self.stream.strides

    def float32(self) -> Any:
        """`ModelT`: waveform (1, chunk_samples) and states to frames and states.

        Raises:
            UserError: TFLite lacks an operator.
        """
        model = read_model(convert(self._function()))
        names = [f"{STATE}{name}" for name in self.stream.state_shapes]
        order_inputs(model, [INPUT, *names])
        return model

    def _function(self):
        tf = import_tensorflow()
        from leaf_tf.streaming.clock import Clock

        shapes, silence = self.stream.state_shapes, self.stream.silence

        def step(waveform, *values):
            before = dict(zip(shapes, values))
            clock = Clock(before["heard"], self.hops)
            frames, after = self.stream.step(waveform, before)
            # They are zero before frame 0.
            frames -= clock.has_begun(self.stream.delay) * silence
            states = {f"{STATE}{name}": after[name] for name in shapes}
            return {FRAMES: tf.cast(frames, tf.float32), **states}

        signature = [
            tf.TensorSpec((1, *shape), tf.float32, name=name)
            for name, shape in {
                INPUT: (self.chunk_samples,),
                **{f"{STATE}{name}": shape for name, shape in shapes.items()},
            }.items()
        ]
        return tf.function(step, input_signature=signature, autograph=False)
