"""The layers behind the frontend, computed in integers."""

import warnings
from typing import Any

import numpy as np

from export.contract.layout import FEATURES
from export.source.opening import Source
from export.source.stages import behind_features
from export.tflite_format.graph_edits import keep_outputs, name_parts
from export.tflite_format.model import read_model
from export.writers.quantization import to_integers
from export.writers.serving import probabilities
from export.writers.tflite import convert
from leaf_files.quiet import import_tensorflow


def integer_encoder(source: Source, frames: np.ndarray, silence: np.ndarray) -> Any:
    """The layers behind the frontend in int8, weights per channel.

    Args:
        source: The model.
        frames: (n, window_frames, channels), float32: windows of frames beside those
            of silence, to take the ranges of activations from.
        silence: (channels,), a frame of silence.

    Returns:
        `ModelT`, features (1, window_frames, channels) -> the probabilities of each
        head, float32; the encoder between is in integers.

    Raises:
        UserError: TFLite lacks an operator; or the quantizer isn't installed, or fails.
    """
    model = read_model(convert(_function(source, frames.shape[1:], silence)))
    keep_outputs(model, [head.output for head in source.heads])
    name_parts(model, None)
    return to_integers(model, {FEATURES: frames})


def _function(source, shape, silence):
    tf = import_tensorflow()
    behind = behind_features(source.model)

    def answer(features):
        with warnings.catch_warnings():
            # Keras warns that the input has another name.
            warnings.filterwarnings("ignore", message=".*structure of `inputs`")
            outputs = behind(features + silence, training=False)
        return {
            head.output: probabilities(head, tf.cast(outputs[head.name], tf.float32))
            for head in source.heads
        }

    signature = [tf.TensorSpec((1, *shape), tf.float32, name=FEATURES)]
    return tf.function(answer, input_signature=signature, autograph=False)
