"""The networks behind the frontend: features in, one embedding a clip out.

Each is a function that returns a Keras model from features (batch, frames,
n_filters), any number of frames, to embeddings (batch, dims).
"""

import keras
from keras import layers, ops

# Five halvings of an image must leave a pixel.
_EFFICIENTNET_MIN_SIZE = 32


@keras.saving.register_keras_serializable("leaf_tf")
class PadToAtLeast(layers.Layer):
    """Adds zeros after an image until both of its sides have `size` pixels.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, max(height, size), max(width, size), channels).
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, inputs):
        _, height, width, _ = ops.shape(inputs)
        return ops.pad(
            inputs,
            ((0, 0), (0, self._missing(height)), (0, self._missing(width)), (0, 0)),
        )

    def _missing(self, side):
        known = isinstance(side, int)
        return max(self.size - side, 0) if known else ops.maximum(self.size - side, 0)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        sides = (None if s is None else max(s, self.size) for s in (height, width))
        return (batch, *sides, channels)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def small(n_filters, dropout=0.3):
    """Four convolution blocks; trains on two CPU cores in minutes.

    3 x 3 convolutions of 24, 32, 48 and 64 channels, each with batch
    normalisation, ReLU and 2 x 2 max pooling; then the mean plus the maximum
    over time and frequency, as in PANN (arXiv:1912.10211).

    Args:
        n_filters: Channels of the features.
        dropout: Fraction of the embedding dropped in training.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 64).
    """
    features = keras.Input((None, n_filters), name="features")
    outputs = layers.Reshape((-1, n_filters, 1))(features)
    # Brings the features of any compression to one scale.
    outputs = _batch_norm("feature_norm")(outputs)
    for block, channels in enumerate((24, 32, 48, 64), start=1):
        outputs = layers.Conv2D(
            channels, 3, padding="same", use_bias=False, name=f"conv{block}"
        )(outputs)
        outputs = _batch_norm(f"norm{block}")(outputs)
        outputs = layers.ReLU(name=f"relu{block}")(outputs)
        outputs = layers.MaxPooling2D(2, padding="same", name=f"pool{block}")(outputs)
    mean = layers.GlobalAveragePooling2D(name="mean")(outputs)
    maximum = layers.GlobalMaxPooling2D(name="max")(outputs)
    outputs = layers.Add(name="embedding")([mean, maximum])
    outputs = layers.Dropout(dropout, name="dropout")(outputs)
    return keras.Model(features, outputs, name="small")


def _batch_norm(name):
    # Keras's momentum of 0.99 needs some 500 steps to forget its start; a small
    # task has no more than that in all.
    return layers.BatchNormalization(momentum=0.9, name=name)


def efficientnet_b0(n_filters, dropout=0.2):
    """EfficientNet-B0 on the features as a one-channel image, as in the paper.

    Args:
        n_filters: Channels of the features.
        dropout: Fraction of the embedding dropped in training.

    Returns:
        A model (batch, frames, n_filters) -> (batch, 1280).

    Source: arXiv:1905.11946; LEAF, arXiv:2101.08596, Sec. 4.
    """
    features = keras.Input((None, n_filters), name="features")
    image = layers.Reshape((-1, n_filters, 1))(features)
    # keras.applications divides its images by 255; our features are no pixels.
    image = layers.Rescaling(255.0, name="undo_pixel_scale")(image)
    image = PadToAtLeast(_EFFICIENTNET_MIN_SIZE, name="pad")(image)
    network = keras.applications.EfficientNetB0(
        include_top=False,
        weights=None,
        input_shape=(None, None, 1),
        pooling="avg",
    )
    outputs = layers.Dropout(dropout, name="dropout")(network(image))
    return keras.Model(features, outputs, name="efficientnet_b0")


ENCODERS = {"small": small, "efficientnet_b0": efficientnet_b0}
