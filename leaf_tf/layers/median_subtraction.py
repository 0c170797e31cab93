"""Normalisation: what a clip has all the time is taken away."""

import math

import keras
from keras import ops

from leaf_tf.dsp.slices import cut
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage, nan_if_not_finite


@keras.saving.register_keras_serializable("leaf_tf")
class MedianSubtraction(Stage):
    """Subtracts from each channel of a clip its median over time.

    On logarithms of energies that is what PCEN does: it divides by the level of
    the background, but without a recursion. Of an even number of frames the
    median is the lower of the two in the middle. Frames that the mask leaves out
    don't count.

    Input and output shape: (batch, frames, channels).

    Source: EfficientLEAF, arXiv:2207.05508.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        outputs = ops.cast(inputs, self.stage_dtype)
        frames = outputs.shape[1]
        if frames is None:
            frames = ops.shape(outputs)[1]
        if mask is None:
            heard = outputs
            medians = cut(ops.sort(outputs, axis=1), 1, (frames - 1) // 2, 1)
        else:
            heard = ops.where(mask[:, :, None], outputs, 0.0)
            counts = ops.sum(ops.cast(mask, "int32"), axis=1)
            # Frames left out come last.
            ordered = ops.sort(ops.where(mask[:, :, None], outputs, math.inf), axis=1)
            is_median = ops.arange(frames)[None, :] == (counts[:, None] - 1) // 2
            ordered = ops.where(is_median[:, :, None], ordered, 0.0)
            medians = ops.sum(ordered, axis=1, keepdims=True)
        return self.cast_outputs(outputs - nan_if_not_finite(medians, heard))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
