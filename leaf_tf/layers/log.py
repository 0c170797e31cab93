"""Compression: the logarithm."""

import keras
from keras import ops

from leaf_tf.dsp import compression
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage


@keras.saving.register_keras_serializable("leaf_tf")
class LogCompression(Stage):
    """log(E + 1e-5), computed in float32 under half-precision policies.

    Input shape: (batch, frames, n_filters), float; values below 0 count as 0.
    Output shape: the same; the policy's compute dtype.

    Source: LEAF, arXiv:2101.08596, Sec. 4 (baselines).
    """

    def call(self, inputs: Tensor) -> Tensor:
        energies = ops.maximum(ops.cast(inputs, self.stage_dtype), 0.0)
        return self.cast_outputs(compression.log_compression(energies))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)
