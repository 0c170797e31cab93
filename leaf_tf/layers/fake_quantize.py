"""Rounding as of integers, in training."""

from typing import Any

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor


def fake_quantize(values: Tensor, low: Any, high: Any, bits: int = 8) -> Tensor:
    """Rounds values to 2^bits steps from low to high; gradients pass through.

    As of TFLite's integers, the range is widened to 0 and moved by less than a step so
    that 0 is one of them. Values outside are moved to the ends of the range.

    Args:
        values: Float tensor.
        low, high: Ends of the range; scalars, or of a shape that broadcasts.
        bits: Bits of the integers, from 2 to 16.

    Returns:
        Tensor like `values`. Its gradient with respect to a value is 1 within the range
        and 0 outside.

    Example:
        >>> values = np.array([-0.3, 0.1, 0.26, 7.0], "float32")
        >>> rounded = leaf_tf.layers.fake_quantize(values, low=0.0, high=1.5, bits=2)
        >>> np.array(rounded)
        array([0. , 0. , 0.5, 1.5], dtype=float32)

    Source: arXiv:1712.05877, Sec. 3.
    """
    most = 2**bits - 1
    low = ops.minimum(ops.cast(low, values.dtype), 0.0)
    high = ops.maximum(ops.cast(high, values.dtype), 0.0)
    step = ops.maximum((high - low) / most, keras.config.epsilon() / most)
    zero = ops.round(-low / step)
    clipped = ops.clip(values, -zero * step, (most - zero) * step)
    rounded = ops.round(clipped / step) * step
    return clipped + ops.stop_gradient(rounded - clipped)


def fake_quantize_weights(weights: Tensor, bits: int = 8) -> Tensor:
    """Rounds weights to integers times a step of each channel; gradients pass through.

    The integers are at most 2^(bits - 1) - 1 in magnitude, which the largest weight of
    a channel is.

    Args:
        weights: (..., channels).
        bits: Bits of the integers, from 2 to 16.

    Returns:
        Tensor like `weights`.

    Example:
        >>> kernel = np.array([[0.2, 30.0], [1.0, 90.0]], "float32")
        >>> np.array(leaf_tf.layers.fake_quantize_weights(kernel, bits=3))
        array([[ 0.33...,  30. ],
               [ 1. ,      90. ]], dtype=float32)

    Source: arXiv:1712.05877, Sec. 3.
    """
    axes = tuple(range(len(weights.shape) - 1))
    most = 2 ** (bits - 1) - 1
    largest = ops.max(ops.abs(ops.stop_gradient(weights)), axis=axes, keepdims=True)
    step = ops.maximum(largest, keras.config.epsilon()) / most
    rounded = ops.round(weights / step) * step
    return weights + ops.stop_gradient(rounded - weights)


@keras.saving.register_keras_serializable("leaf_tf")
class FakeQuantize(keras.layers.Layer):
    """Rounds activations as an int8 file does, so that training learns to bear it.

    In training the range follows the least and largest value of each batch, as a
    moving average; else it is as training left it.

    Args:
        bits: Bits of the integers, from 2 to 16. Defaults to 8.
        momentum: Part of the range that a batch keeps.

    Weights:
        low, high: The range, scalars, 0 until a batch was seen in training; until then
            values pass as they are.

    Input and output shape: any.

    Raises:
        ValueError: Argument out of range.

    Example:
        >>> layer = leaf_tf.layers.FakeQuantize(bits=2)
        >>> batch = np.array([[0.0, 0.9, 3.0]], "float32")
        >>> np.array(layer(batch, training=True))
        array([[0., 1., 3.]], dtype=float32)

    Source: arXiv:1712.05877, Sec. 3.1.
    """

    def __init__(self, bits: int = 8, momentum: float = 0.9, **kwargs):
        super().__init__(**kwargs)
        if not 2 <= bits <= 16:
            raise ValueError(f"`bits` must be from 2 to 16. Received: {bits}")
        if not 0 <= momentum < 1:
            raise ValueError(
                f"`momentum` must be at least 0 and below 1. Received: {momentum}"
            )
        self.bits = bits
        self.momentum = momentum
        self.supports_masking = True

    def build(self, input_shape):
        self.low, self.high = (
            self.add_weight(name=name, shape=(), initializer="zeros", trainable=False)
            for name in ("low", "high")
        )

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        if training and self.trainable:
            self._follow(inputs)
        low, high = ops.convert_to_tensor(self.low), ops.convert_to_tensor(self.high)
        rounded = fake_quantize(inputs, low, high, self.bits)
        return ops.where(high > low, rounded, inputs)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "bits": self.bits,
            "momentum": self.momentum,
        }

    def _follow(self, inputs):
        is_new = self.high <= self.low
        for end, value in ((self.low, ops.min(inputs)), (self.high, ops.max(inputs))):
            value = ops.cast(ops.stop_gradient(value), end.dtype)
            moved = self.momentum * end + (1.0 - self.momentum) * value
            end.assign(ops.where(is_new, value, moved))
