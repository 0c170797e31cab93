"""A small network of our own."""

import keras
from keras import layers

from leaf_tf.encoders.masked import (
    AddChannel,
    Encoder,
    MaskedBatchNormalization,
    MaskedConv2D,
    MaxPool2x2,
    MeanPlusMaxPool,
)


def small(n_filters: int, dropout: float = 0.3) -> keras.Model:
    """Four convolution blocks; trains on two CPU cores in minutes.

    3 x 3 convolutions of 24, 32, 48 and 64 channels, each with batch
    normalisation, ReLU and 2 x 2 max pooling; then the mean plus the maximum
    over time and frequency, as in PANN (arXiv:1912.10211). 48 938 trainable
    parameters. Leaves padded frames out.

    Args:
        n_filters: Channels of the features.
        dropout: Fraction of the embedding dropped in training.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 64).
    """
    features = keras.Input((None, n_filters), name="features")
    outputs = AddChannel(name="image")(features)
    # Brings the features of any compression to one scale.
    outputs = _batch_norm("feature_norm")(outputs)
    for block, channels in enumerate((24, 32, 48, 64), start=1):
        outputs = MaskedConv2D(
            channels, 3, padding="same", use_bias=False, name=f"conv{block}"
        )(outputs)
        outputs = _batch_norm(f"norm{block}")(outputs)
        outputs = layers.ReLU(name=f"relu{block}")(outputs)
        outputs = MaxPool2x2(name=f"pool{block}")(outputs)
    outputs = MeanPlusMaxPool(name="embedding")(outputs)
    outputs = layers.Dropout(dropout, name="dropout")(outputs)
    return Encoder(features, outputs, name="small")


def _batch_norm(name):
    # Keras's momentum of 0.99 is the mean of the last 100 steps; a small task has few
    # more in all, and its first layers change meanwhile.
    return MaskedBatchNormalization(momentum=0.9, name=name)
