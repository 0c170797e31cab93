"""Layers of image networks that leave padded frames out.

They work on images (batch, frames, rows, channels), of which the rows are the
frontend's filters at first, and take the mask (batch, frames) that Keras passes along
behind a frontend that was given lengths: True for the frames of a clip. The content of
the padding then changes nothing: an image's frames are those of the clip alone.
Without a mask each layer is the Keras layer that it comes from, and costs no more.
"""

import keras
from keras import layers, ops

from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.batch_norm import BatchNormalization


def zero_after(image, mask):
    """The image with zeros where the mask (batch, frames) leaves frames out."""
    if mask is None:
        return image
    return ops.where(mask[:, :, None, None], image, ops.zeros_like(image))


def mean_of_frames(image, mask):
    """Mean over the rows and over the frames in the mask: (batch, channels)."""
    if mask is None:
        return ops.mean(image, axis=(1, 2))
    indicator = ops.cast(mask, image.dtype)
    weights = indicator / ops.maximum(ops.sum(indicator, axis=1, keepdims=True), 1)
    rows = ops.mean(zero_after(image, mask), axis=2)
    return ops.sum(weights[:, :, None] * rows, axis=1)


@keras.saving.register_keras_serializable("leaf_tf")
class Encoder(keras.Model):
    """A functional model that takes a mask with its features and hands none on.

    Keras's own warn that they lose the mask, though the layers inside see it.
    """

    def compute_mask(self, inputs, previous_mask):
        return None


@keras.saving.register_keras_serializable("leaf_tf")
class AddChannel(layers.Layer):
    """Makes features an image of one channel.

    Input shape: (batch, frames, n_filters).
    Output shape: (batch, frames, n_filters, 1).
    """

    def build(self, input_shape):
        pass

    def call(self, inputs: Tensor) -> Tensor:
        return ops.expand_dims(inputs, axis=-1)

    def compute_mask(self, inputs, previous_mask):
        return previous_mask

    def compute_output_shape(self, input_shape):
        return (*input_shape, 1)


@keras.saving.register_keras_serializable("leaf_tf")
class MaskedConv2D(layers.Conv2D):
    """Conv2D to which padded frames are zeros, as frames outside of a clip are.

    For strides of 1 along the frames, and padding="same".
    """

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().call(zero_after(inputs, mask))

    def compute_mask(self, inputs, previous_mask):
        return previous_mask


@keras.saving.register_keras_serializable("leaf_tf")
class MaskedDepthwiseConv2D(layers.DepthwiseConv2D):
    """DepthwiseConv2D, with masks as `MaskedConv2D`."""

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().call(zero_after(inputs, mask))

    def compute_mask(self, inputs, previous_mask):
        return previous_mask


@keras.saving.register_keras_serializable("leaf_tf")
class MaskedBatchNormalization(BatchNormalization):
    """`BatchNormalization` whose mean and variance in training leave padding out.

    Input and output shape: (batch, frames, ..., channels).
    """

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        if mask is not None:
            inner = (1,) * (len(inputs.shape) - 3)
            shape = ops.shape(inputs)
            mask = ops.reshape(mask, (shape[0], shape[1], *inner))
            mask = ops.broadcast_to(mask, shape[:-1])
        return super().call(inputs, training=training, mask=mask)

    def _moments(self, inputs, mask):
        # Keras's take a few passes more, and are scalars where there is one channel.
        if mask is None:
            return super()._moments(inputs, mask)
        indicator = ops.cast(ops.reshape(mask, (-1, 1)), inputs.dtype)
        weights = indicator / ops.maximum(ops.sum(indicator), 1)
        values = ops.reshape(inputs, (-1, inputs.shape[-1]))
        mean = ops.sum(weights * values, axis=0)
        return mean, ops.sum(weights * ops.square(values - mean), axis=0)


class _Pool2x2(layers.Layer):
    """Halves frames and rows, rounding up: a last odd one is pooled with itself.

    Input shape: (batch, frames, rows, channels).
    Output shape: (batch, ceil(frames / 2), ceil(rows / 2), channels).
    """

    def build(self, input_shape):
        pass

    def compute_mask(self, inputs, previous_mask):
        return None if previous_mask is None else previous_mask[:, ::2]

    def compute_output_shape(self, input_shape):
        batch, frames, rows, channels = input_shape
        sides = (None if side is None else ceil_div(side, 2) for side in (frames, rows))
        return (batch, *sides, channels)


@keras.saving.register_keras_serializable("leaf_tf")
class MaxPool2x2(_Pool2x2):
    """The maximum of 2 x 2 values, of at least 0 each, as behind a ReLU."""

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        return ops.max_pool(zero_after(inputs, mask), 2, strides=2, padding="same")


@keras.saving.register_keras_serializable("leaf_tf")
class AveragePool2x2(_Pool2x2):
    """The mean of 2 x 2 values; at an end of fewer, and of those in the mask only."""

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is None:
            return _average_2x2(inputs)
        indicator = ops.cast(mask, inputs.dtype)[:, :, None, None]
        share = _average_2x2(indicator)  # 0, 1/2 or 1
        share = ops.where(share == 0, ops.ones_like(share), share)
        return _average_2x2(zero_after(inputs, mask)) / share


def _average_2x2(image):
    # A window over the end of a side of 1 is not needed, and sums up wrongly in XLA on
    # CPUs (JAX 0.10) where a batch has several images.
    window = tuple(1 if side == 1 else 2 for side in image.shape[1:3])
    return ops.average_pool(image, window, strides=window, padding="same")


@keras.saving.register_keras_serializable("leaf_tf")
class MeanOfRows(layers.Layer):
    """The mean over the rows of each frame.

    Input shape: (batch, frames, rows, channels).
    Output shape: (batch, frames, 1, channels).
    """

    def build(self, input_shape):
        pass

    def call(self, inputs: Tensor) -> Tensor:
        return ops.mean(inputs, axis=2, keepdims=True)

    def compute_mask(self, inputs, previous_mask):
        return previous_mask

    def compute_output_shape(self, input_shape):
        batch, frames, _, channels = input_shape
        return (batch, frames, 1, channels)


class _PoolAll(layers.Layer):
    """From an image to one vector.

    Input shape: (batch, frames, rows, channels).
    Output shape: (batch, channels).
    """

    def build(self, input_shape):
        pass

    def compute_mask(self, inputs, previous_mask):
        return None

    def compute_output_shape(self, input_shape):
        return (input_shape[0], input_shape[-1])


@keras.saving.register_keras_serializable("leaf_tf")
class MeanPool(_PoolAll):
    """The mean over frames and rows."""

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        return mean_of_frames(inputs, mask)


@keras.saving.register_keras_serializable("leaf_tf")
class MeanPlusMaxPool(_PoolAll):
    """The mean plus the maximum over frames and rows, of values of at least 0.

    Source: PANN, arXiv:1912.10211.
    """

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        maximum = ops.max(zero_after(inputs, mask), axis=(1, 2))
        return mean_of_frames(inputs, mask) + maximum
