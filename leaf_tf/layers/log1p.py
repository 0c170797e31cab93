"""Compression: the logarithm with a learned gain."""

import math

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage

# 10^20 times the energy of any waveform is below the greatest float32.
MAX_A = 20.0


@keras.saving.register_keras_serializable("leaf_tf")
class Log1pCompression(Stage):
    """log(1 + 10^a E): linear in quiet sounds, logarithmic in loud ones.

    a, learned per channel, says where the one passes into the other, at
    E = 10^-a. Computed in float32 under half-precision policies.

    Args:
        a: Initial a, at most 20. The default assumes energies of a waveform in
            [-1, 1] pooled by LEAF.

    Weights:
        a: (n_filters,). Optimizers keep it in (-inf, 20].

    Input shape: (batch, frames, n_filters), float; values below 0 count as 0.
    Output shape: the same; the policy's compute dtype.

    Raises:
        ValueError: a is above 20.

    Source: EfficientLEAF, arXiv:2207.05508.
    """

    def __init__(self, a: float = 5.0, **kwargs):
        super().__init__(**kwargs)
        if not a <= MAX_A:
            raise ValueError(f"`a` must be at most {MAX_A}. Received: {a}")
        self.a_init = a
        self.supports_masking = True

    def build(self, input_shape):
        self.a = self.add_bounded_weight(
            "a", self.a_init * np.ones(input_shape[-1]), max_value=MAX_A
        )

    def call(self, inputs: Tensor) -> Tensor:
        energies = ops.maximum(ops.cast(inputs, self.stage_dtype), 0.0)
        gains = ops.exp(math.log(10.0) * self.bounded(self.a))
        return self.cast_outputs(ops.log1p(gains * energies))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "a": self.a_init}
