"""The networks of PANN, pretrained audio neural networks, without their weights."""

import keras
from keras import layers

from leaf_tf.encoders.masked import (
    AddChannel,
    AveragePool2x2,
    Encoder,
    MaskedBatchNormalization,
    MaskedConv2D,
    MeanOfRows,
    MeanPlusMaxPool,
)

_BLOCK_DROPOUT = 0.2


def cnn6(n_filters: int, dropout: float = 0.5) -> keras.Model:
    """CNN6 of PANN: four blocks of one 5 x 5 convolution each.

    Each filter of the features is batch-normalised. The blocks have 64, 128, 256 and
    512 channels; each convolution is followed by batch normalisation and ReLU, each
    block by 2 x 2 average pooling and dropout of 0.2. The mean over frequency, of that
    the mean plus the maximum over time, dropout, and a dense layer with ReLU give the
    embedding. Leaves padded frames out.

    Trainable parameters: 4 566 976 + 2 n_filters.

    Where a side is odd the published network drops the last frame or row in a
    pooling; here that is averaged by itself, so that one frame, or any number of
    filters, is enough. SpecAugment is no part of the encoder.

    Args:
        n_filters: Channels of the features; 64 as published.
        dropout: Fraction dropped in training before the dense layer.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 512).

    Source: arXiv:1912.10211, Table 1.
    """
    return _pann("cnn6", n_filters, (64, 128, 256, 512), [5], 4, dropout)


def cnn10(n_filters: int, dropout: float = 0.5) -> keras.Model:
    """CNN10 of PANN: four blocks of two 3 x 3 convolutions each.

    Otherwise as `cnn6`. Trainable parameters: 4 948 800 + 2 n_filters.

    Args:
        n_filters: Channels of the features; 64 as published.
        dropout: Fraction dropped in training before the dense layer.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 512).

    Source: arXiv:1912.10211, Table 1.
    """
    return _pann("cnn10", n_filters, (64, 128, 256, 512), [3, 3], 4, dropout)


def cnn14(n_filters: int, dropout: float = 0.5) -> keras.Model:
    """CNN14 of PANN: six blocks of two 3 x 3 convolutions each.

    Otherwise as `cnn6`, with blocks of 64, 128, 256, 512, 1024 and 2048 channels and
    no pooling after the last. Trainable parameters: 79 673 664 + 2 n_filters.

    Args:
        n_filters: Channels of the features; 64 as published.
        dropout: Fraction dropped in training before the dense layer.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 2048).

    Source: arXiv:1912.10211, Table 1.
    """
    channels = (64, 128, 256, 512, 1024, 2048)
    return _pann("cnn14", n_filters, channels, [3, 3], 5, dropout)


def _pann(name, n_filters, block_channels, kernel_sizes, n_pools, dropout):
    features = keras.Input((None, n_filters), name="features")
    outputs = _batch_norm("feature_norm")(features)
    outputs = AddChannel(name="image")(outputs)
    for block, channels in enumerate(block_channels, start=1):
        for conv, kernel_size in enumerate(kernel_sizes, start=1):
            place = f"{block}_{conv}"
            outputs = MaskedConv2D(
                channels,
                kernel_size,
                padding="same",
                use_bias=False,
                name=f"conv{place}",
            )(outputs)
            outputs = _batch_norm(f"norm{place}")(outputs)
            outputs = layers.ReLU(name=f"relu{place}")(outputs)
        if block <= n_pools:
            outputs = AveragePool2x2(name=f"pool{block}")(outputs)
        outputs = layers.Dropout(_BLOCK_DROPOUT, name=f"dropout{block}")(outputs)
    outputs = MeanOfRows(name="mean_of_rows")(outputs)
    outputs = MeanPlusMaxPool(name="mean_plus_max")(outputs)
    outputs = layers.Dropout(dropout, name="dropout")(outputs)
    embed = layers.Dense(block_channels[-1], activation="relu", name="embedding")
    return Encoder(features, embed(outputs), name=name)


def _batch_norm(name):
    # PyTorch's defaults, as published.
    return MaskedBatchNormalization(momentum=0.9, epsilon=1e-5, name=name)
