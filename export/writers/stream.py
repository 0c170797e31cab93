"""The streaming model: a chunk of sound and states in, probabilities and states out."""

import warnings
from typing import Any

from export.contract.layout import INPUT, STATE
from export.source.opening import Source
from export.source.stages import behind_features, frontend_of
from export.tflite_format.graph_edits import keep_outputs, order_inputs
from export.tflite_format.metadata import Metadata, add_metadata, append_labels
from export.tflite_format.model import read_model, write_model
from export.tflite_format.stream_facts import StreamFacts, add_facts
from export.tflite_format.words import add_words
from export.writers.converting import convert
from export.writers.serving import probabilities
from export.writers.tflite import head_outputs
from export.writers.words import made_by, words_of_source
from leaf_files.errors import UserError
from leaf_files.quiet import import_tensorflow

DEFAULT_CHUNK_MS = 100.0


class StreamModel:
    """A model that continues from chunk to chunk.

    After each chunk it gives the probabilities of the trailing window: the frontend
    computes the features of all sound so far, and the layers behind it take their last
    frames, as many as `window_samples` have. The last `delay` hops have no frames yet,
    as these depend on sound to come; before the sound began there was silence (see
    `leaf_tf.streaming.TrailingWindow`).

    Args:
        source: The model.
        chunk_ms: Length of a chunk, a multiple of the frontend's hop; None for the
            multiple that is nearest to 100 ms.

    Attributes:
        facts: The facts that the file holds.

    Raises:
        UserError: The model has no frontend that can be streamed right behind its
            input, or the chunk is no multiple of the hop.

    Example:

    >>> StreamModel(source, chunk_ms=50).facts.chunk_samples
    400
    """

    def __init__(self, source: Source, chunk_ms: float | None = None):
        from leaf_tf.streaming import Stream, TrailingWindow

        frontend = frontend_of(source.model)
        if frontend is None:
            raise UserError(
                "a streaming model needs a leaf_tf frontend that takes the waveform "
                "as it comes, one of its own and the model's first layer"
            )
        try:
            stream = Stream(frontend)
        except ValueError as error:
            raise UserError(f"no streaming model: {error}") from error
        self._source = source
        self._trailing = TrailingWindow(
            stream, frontend.n_frames(source.window_samples)
        )
        self._behind = behind_features(source.model)
        self.facts = StreamFacts(
            sample_rate=source.sample_rate,
            chunk_samples=chunk_samples(stream, chunk_ms),
            hop_samples=stream.strides,
            delay_hops=stream.delay,
            latency_ms=round(stream.latency_ms, 3),
            window_frames=self._trailing.n_frames,
            window_samples=source.window_samples,
            activations={head.name: head.activation for head in source.heads},
        )

    @property
    def state_names(self) -> list[str]:
        """Names of the states in the file, inputs and outputs alike."""
        return [f"{STATE}{name}" for name in self._trailing.state_shapes]

    def tflite(self) -> bytes:
        """The bytes of the `.tflite` file.

        Its inputs are `waveform` (1, chunk_samples) and the states; its outputs the
        probabilities of each head and the states, under the same names and in the
        same order, all float32. States start at zero.

        Raises:
            UserError: An operator of the model is not among TFLite's own.
        """
        model = read_model(convert(self._function()))
        outputs = [head.output for head in self._source.heads]
        order_inputs(model, [INPUT, *self.state_names])
        keep_outputs(model, [*outputs, *self.state_names])
        metadata = self._metadata()
        add_metadata(model, metadata)
        add_facts(model, self.facts)
        add_words(model, words_of_source(self._source))
        return append_labels(write_model(model), metadata)

    def _function(self):
        tf = import_tensorflow()
        names = list(self._trailing.state_shapes)

        def step(waveform, *values):
            window, state = self._trailing.advance(waveform, dict(zip(names, values)))
            answers = _nan_while(state["marked_hops"], self._answers(window))
            return {**answers, **{f"{STATE}{name}": state[name] for name in names}}

        shapes = {
            INPUT: (self.facts.chunk_samples,),
            **dict(zip(self.state_names, self._trailing.state_shapes.values())),
        }
        signature = [
            tf.TensorSpec((1, *shape), tf.float32, name=name)
            for name, shape in shapes.items()
        ]
        return tf.function(step, input_signature=signature, autograph=False)

    def _answers(self, window):
        tf = import_tensorflow()
        with warnings.catch_warnings():
            # Keras warns that the input has another name.
            warnings.filterwarnings("ignore", message=".*structure of `inputs`")
            outputs = self._behind(window, training=False)
        return {
            head.output: probabilities(head, tf.cast(outputs[head.name], tf.float32))
            for head in self._source.heads
        }

    def _metadata(self):
        facts = self.facts
        return Metadata(
            self._source.name,
            f"{facts.chunk_ms:g} ms of waveform and states to the probabilities of the "
            f"last {facts.window_samples / facts.sample_rate:g} s and states, which "
            f"are zero at first; made by {made_by()}.",
            facts.sample_rate,
            head_outputs(self._source),
        )


def _nan_while(marked_hops, answers):
    """The answers, NaN while the window covers a waveform that is no sound.

    By arithmetic, as comparisons leave TFLite's delegate; and behind the encoder, whose
    maxima drop NaN on many processors.
    """
    tf = import_tensorflow()
    is_sound = tf.nn.relu(1.0 - marked_hops)  # 0 or 1
    return {name: answer * is_sound / is_sound for name, answer in answers.items()}


def chunk_samples(
    stream: Any, chunk_ms: float | None, default_ms: float = DEFAULT_CHUNK_MS
) -> int:
    """Samples of a chunk.

    Args:
        stream: `leaf_tf.streaming.Stream`.
        chunk_ms: Length of a chunk, ms; None for the multiple of the hop that is
            nearest to the default.
        default_ms: That default, ms.

    Raises:
        UserError: It is no multiple of the hop.

    Example:

    >>> stream = leaf_tf.streaming.Stream(leaf_tf.MelFilterbanks(sample_rate=8000))
    >>> chunk_samples(stream, None), chunk_samples(stream, 50)
    (800, 400)
    """
    hop_ms = 1000.0 * stream.strides / stream.sample_rate
    if chunk_ms is None:
        return max(1, round(default_ms / hop_ms)) * stream.strides
    hops = round(chunk_ms / hop_ms)
    if hops < 1 or abs(hops * hop_ms - chunk_ms) > 1e-3:
        nearest = max(hops, 1) * hop_ms
        raise UserError(
            f"--chunk must be a multiple of the frontend's hop, {hop_ms:g} ms; "
            f"received {chunk_ms:g}, the nearest is {nearest:g}"
        )
    return hops * stream.strides
