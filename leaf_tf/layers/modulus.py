"""Energy of complex filter outputs."""

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage


@keras.saving.register_keras_serializable("leaf_tf")
class SquaredModulus(Stage):
    """re^2 + im^2 of channels that alternate real and imaginary parts.

    Input shape: (batch, samples, 2 * n_filters), float.
    Output shape: (batch, samples, n_filters), float32.

    Raises:
        ValueError: The number of channels is odd.

    Source: LEAF, arXiv:2101.08596, Sec. 3.
    """

    def build(self, input_shape):
        if input_shape[-1] is None or input_shape[-1] % 2:
            raise ValueError(
                "SquaredModulus expects an even number of channels, real and "
                f"imaginary parts in turn. Received: input shape {tuple(input_shape)}"
            )

    def call(self, inputs: Tensor) -> Tensor:
        squares = ops.square(ops.cast(inputs, self.stage_dtype))
        return squares[..., 0::2] + squares[..., 1::2]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] // 2)
