"""The networks behind the frontend: features in, one embedding a clip out.

Each is a function that returns a Keras model from features (batch, frames,
n_filters), any number of frames, to embeddings (batch, dims). Behind a frontend that
was given lengths, `small`, `cnn6`, `cnn10`, `cnn14` and `bc_resnet` give a padded clip
the embedding of the clip alone.
"""

from collections.abc import Callable
from typing import Any

import keras

from leaf_tf.encoders.bcresnet import bc_resnet
from leaf_tf.encoders.efficientnet import efficientnet_b0
from leaf_tf.encoders.mobilenet import mobilenet_v3_small
from leaf_tf.encoders.own import own
from leaf_tf.encoders.pann import cnn6, cnn10, cnn14
from leaf_tf.encoders.quantized import fake_quantized
from leaf_tf.encoders.small_cnn import small

__all__ = [
    "ENCODERS",
    "bc_resnet",
    "cnn10",
    "cnn14",
    "cnn6",
    "efficientnet_b0",
    "fake_quantized",
    "get",
    "mobilenet_v3_small",
    "small",
]

ENCODERS: dict[str, Callable] = {
    "small": small,
    "bc_resnet": bc_resnet,
    "mobilenet_v3_small": mobilenet_v3_small,
    "efficientnet_b0": efficientnet_b0,
    "cnn6": cnn6,
    "cnn10": cnn10,
    "cnn14": cnn14,
}


def get(encoder: Any, n_filters: int) -> keras.Model:
    """The encoder that is meant: one of ours by name, or your own Keras model.

    Args:
        encoder: A name in `ENCODERS`; or a Keras model or layer from features (batch,
            frames, n_filters) or (batch, frames, n_filters, 1) to (batch, dims); or
            the path of a `.keras` file of such a model. Its weights are kept.
        n_filters: Channels of the features.

    Returns:
        A Keras model (batch, frames, n_filters) -> (batch, dims).

    Raises:
        ValueError: No encoder is meant, or it doesn't fit; one sentence says why.

    Example:
        >>> encoder = leaf_tf.encoders.get("small", n_filters=40)
        >>> encoder.input_shape, encoder.output_shape
        ((None, None, 40), (None, 64))
    """
    if isinstance(encoder, str) and encoder in ENCODERS:
        return ENCODERS[encoder](n_filters)
    return own(encoder, n_filters, known=tuple(ENCODERS))
