"""Features as images for the networks of keras.applications."""

import warnings

import keras
from keras import layers, ops

from leaf_tf.dsp.slices import longer
from leaf_tf.dsp.types import Tensor
from leaf_tf.encoders.masked import AddChannel
from leaf_tf.layers.batch_norm import BatchNormalization


def image_of(features, network, min_size):
    """Features as a one-channel image that `network` can take.

    Args:
        features: (batch, frames, n_filters), symbolic.
        network: Name of the encoder, for the warning about masks.
        min_size: Pixels that both sides have at least.

    Returns:
        (batch, max(frames, min_size), max(n_filters, min_size), 1), symbolic.
    """
    image = UnmaskedImage(network, name="image")(features)
    return PadToAtLeast(min_size, name="pad")(image)


def with_corrected_norms(network):
    """A model of the same weights, whose batch normalisations are ours.

    Args:
        network: Functional model with Keras's `BatchNormalization` layers.
    """

    def clone(layer):
        kind = type(layer)
        if kind is layers.BatchNormalization:
            kind = BatchNormalization
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(network, clone_function=clone)
    copy.set_weights(network.get_weights())
    return copy


@keras.saving.register_keras_serializable("leaf_tf")
class UnmaskedImage(AddChannel):
    """Makes features an image of one channel, without their mask, and warns of that.

    Args:
        network: Name of the network behind, which can't honour masks.

    Input shape: (batch, frames, n_filters).
    Output shape: (batch, frames, n_filters, 1).
    """

    def __init__(self, network, **kwargs):
        super().__init__(**kwargs)
        self.network = network

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            warnings.warn(
                f"{self.network} takes padded frames for silence, so a padded clip "
                "has another embedding than the clip alone: cut clips into windows "
                "of one length, or take small, cnn6, cnn10, cnn14 or bc_resnet",
                stacklevel=2,
            )
        return super().call(inputs)

    def compute_mask(self, inputs, previous_mask):
        return None

    def get_config(self):
        return {**super().get_config(), "network": self.network}


@keras.saving.register_keras_serializable("leaf_tf")
class PadToAtLeast(layers.Layer):
    """Adds zeros after an image until both of its sides have `size` pixels.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, max(height, size), max(width, size), channels).
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs: Tensor) -> Tensor:
        _, height, width, _ = ops.shape(inputs)
        below, beside = (longer(self.size - side, 0) for side in (height, width))
        return ops.pad(inputs, ((0, 0), (0, below), (0, beside), (0, 0)))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sides = (None if s is None else max(s, self.size) for s in (height, width))
        return (batch, *sides, channels)

    def get_config(self):
        return {**super().get_config(), "size": self.size}
