"""Optional first stage: a learned two-tap high-pass."""

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage


@keras.saving.register_keras_serializable("leaf_tf")
class PreEmphasis(Stage):
    """y[t] = taps[0] x[t] + taps[1] x[t + 1], a zero after the end.

    Initially x[t + 1] - 0.97 x[t], which flattens the spectrum of speech.

    Weights:
        taps: (2,), initially (-0.97, 1).

    Input shape: (batch, samples, 1), float.
    Output shape: (batch, samples, 1), float32.

    Source: leaf-audio (TF SAME convolution of two taps); arXiv:1711.01161.
    """

    def build(self, input_shape):
        self.taps = self.add_bounded_weight("taps", np.array([-0.97, 1.0]))

    def call(self, inputs: Tensor) -> Tensor:
        waveform = ops.cast(inputs, self.stage_dtype)
        following = ops.pad(waveform[:, 1:], ((0, 0), (0, 1), (0, 0)))
        return self.taps[0] * waveform + self.taps[1] * following

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
