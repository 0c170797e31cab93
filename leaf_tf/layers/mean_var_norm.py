"""Normalisation of each clip."""

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage

EPSILON = 1e-6


@keras.saving.register_keras_serializable("leaf_tf")
class MeanVarNorm(Stage):
    """Brings each channel of a clip to mean 0 and variance 1, then scales and shifts.

    (x - mean) / sqrt(variance + 1e-6) * gamma + beta, mean and variance over the
    frames of the clip; frames that the mask leaves out don't count.

    Weights: gamma (channels,), starts at 1; beta (channels,), starts at 0.

    Input and output shape: (batch, frames, channels).

    Source: leaf-audio's `mean_var_norm`, an instance normalisation.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        for name, initializer in (("gamma", "ones"), ("beta", "zeros")):
            weight = self.add_weight(
                name=name,
                shape=(input_shape[-1],),
                initializer=initializer,
                dtype=self.stage_dtype,
                autocast=False,
            )
            setattr(self, name, weight)

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        outputs = ops.cast(inputs, self.stage_dtype)
        if mask is None:
            mean = ops.mean(outputs, axis=1, keepdims=True)
            variance = ops.mean(ops.square(outputs - mean), axis=1, keepdims=True)
        else:
            kept = ops.cast(mask, outputs.dtype)[:, :, None]
            weights = kept / ops.maximum(ops.sum(kept, axis=1, keepdims=True), 1.0)
            mean = ops.sum(weights * outputs, axis=1, keepdims=True)
            squares = weights * ops.square(outputs - mean)
            variance = ops.sum(squares, axis=1, keepdims=True)
        outputs = (outputs - mean) / ops.sqrt(variance + EPSILON)
        return self.cast_outputs(outputs * self.gamma + self.beta)

    def compute_output_shape(self, input_shape):
        return input_shape
