import keras
import numpy as np

from leaf_tf import encoders
from tests.leaf_tf.parameters import numbers


def test_efficientnet_sees_features_at_their_own_scale(rng):
    encoder = encoders.efficientnet_b0(n_filters=40)
    network = encoder.get_layer("efficientnetb0")
    stem = keras.Model(network.input, network.get_layer("stem_conv_pad").input)
    scale = encoder.get_layer("undo_pixel_scale")
    features = rng.normal(size=(1, 50, 40, 1)).astype("float32")
    outputs = stem.predict(scale(features), verbose=0)
    np.testing.assert_allclose(outputs, features, rtol=1e-5, atol=1e-6)


def test_mobilenet_sees_features_at_their_own_scale(rng):
    encoder = encoders.mobilenet_v3_small(n_filters=40)
    network = next(layer for layer in encoder.layers if isinstance(layer, keras.Model))
    first = network.layers[1]
    assert isinstance(first, keras.layers.Conv2D)
    assert first.input is network.layers[0].output


def test_small_images_are_padded_with_zeros_behind(rng):
    pad = encoders.images.PadToAtLeast(4)
    image = rng.normal(size=(1, 2, 5, 1)).astype("float32")
    padded = numbers(pad(image))
    np.testing.assert_array_equal(padded[:, :2], image)
    np.testing.assert_array_equal(padded[:, 2:], np.zeros((1, 2, 5, 1)))
