"""MobileNetV3, for phones."""

import keras
from keras import layers

from leaf_tf.encoders.images import image_of, with_corrected_norms
from leaf_tf.encoders.masked import Encoder

# Five halvings of an image must leave a pixel.
_MIN_SIZE = 32


def mobilenet_v3_small(n_filters: int, dropout: float = 0.2) -> keras.Model:
    """MobileNetV3-Small on the features as a one-channel image.

    926 720 trainable parameters. Squeeze and excitation mixes
    all frames, so padded frames count: for clips of several lengths cut windows.

    Args:
        n_filters: Channels of the features.
        dropout: Fraction of the embedding dropped in training.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 576).

    Source: arXiv:1905.02244, Table 2, up to the pooling.
    """
    features = keras.Input((None, n_filters), name="features")
    image = image_of(features, "mobilenet_v3_small", _MIN_SIZE)
    network = keras.applications.MobileNetV3Small(
        include_top=False,
        weights=None,
        input_shape=(None, None, 1),
        pooling="avg",
        include_preprocessing=False,
    )
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            # Keras's 0.999 here is the mean of the last 1000 steps.
            layer.momentum = 0.99
    network = with_corrected_norms(network)
    outputs = layers.Dropout(dropout, name="dropout")(network(image))
    return Encoder(features, outputs, name="mobilenet_v3_small")
