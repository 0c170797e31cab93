import keras
import numpy as np
import pytest

from leaf_tf import encoders


@pytest.mark.parametrize("name", encoders.ENCODERS)
def test_any_length_and_no_leak_between_clips(name, rng):
    encoder = encoders.ENCODERS[name](n_filters=40)
    for frames in (1, 2, 100, 131):
        features = rng.normal(size=(3, frames, 40)).astype("float32")
        together = encoder.predict(features, verbose=0)
        alone = encoder.predict(features[1:2], verbose=0)
        assert np.all(np.isfinite(together))
        np.testing.assert_allclose(together[1:2], alone, rtol=1e-3, atol=1e-4)


def test_efficientnet_sees_features_at_their_own_scale(rng):
    encoder = encoders.efficientnet_b0(n_filters=40)
    network = encoder.get_layer("efficientnetb0")
    stem = keras.Model(network.input, network.get_layer("stem_conv_pad").input)
    scale = encoder.get_layer("undo_pixel_scale")
    features = rng.normal(size=(1, 50, 40, 1)).astype("float32")
    outputs = stem.predict(scale(features), verbose=0)
    np.testing.assert_allclose(outputs, features, rtol=1e-5, atol=1e-6)
