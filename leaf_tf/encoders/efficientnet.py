"""EfficientNet, the encoder of LEAF's paper."""

import keras
from keras import layers

from leaf_tf.encoders.images import image_of, with_corrected_norms
from leaf_tf.encoders.masked import Encoder

# Five halvings of an image must leave a pixel.
_MIN_SIZE = 32


def efficientnet_b0(n_filters: int, dropout: float = 0.2) -> keras.Model:
    """EfficientNet-B0 on the features as a one-channel image, as in the paper.

    4 006 972 trainable parameters. Squeeze and excitation mixes
    all frames, so padded frames count: for clips of several lengths cut windows.

    Args:
        n_filters: Channels of the features.
        dropout: Fraction of the embedding dropped in training.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 1280).

    Source: arXiv:1905.11946; LEAF, arXiv:2101.08596, Sec. 4.
    """
    features = keras.Input((None, n_filters), name="features")
    image = image_of(features, "efficientnet_b0", _MIN_SIZE)
    # keras.applications divides its images by 255; our features are no pixels.
    image = layers.Rescaling(255.0, name="undo_pixel_scale")(image)
    network = keras.applications.EfficientNetB0(
        include_top=False,
        weights=None,
        input_shape=(None, None, 1),
        pooling="avg",
    )
    network = with_corrected_norms(network)
    outputs = layers.Dropout(dropout, name="dropout")(network(image))
    return Encoder(features, outputs, name="efficientnet_b0")
