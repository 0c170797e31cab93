"""Moving averages that don't fit the clips are told, whoever's layer holds them."""

import keras
import numpy as np
import pytest

import leaf_tf
from export.source.settling import unsettled_line, unsettled_norms
from leaf_tf.encoders.bcresnet import SubSpectralNorm


def model_of(norm):
    waveform = keras.Input((160,))
    image = keras.layers.Reshape((4, 10, 4))(waveform)
    return keras.Model(waveform, keras.layers.GlobalMaxPooling2D()(norm(image)))


@pytest.mark.parametrize("momentum", [0.9, 0.99, 0.999])
def test_keras_own_are_told_until_they_have_forgotten_their_start(momentum, rng):
    windows = (0.1 * rng.standard_normal((40, 160))).astype("float32")
    norm = keras.layers.BatchNormalization(momentum=momentum, name="norm", epsilon=1e-5)
    model = model_of(norm)
    model(windows, training=True)
    ((name, square),) = unsettled_norms(model, windows)
    assert name == "norm"
    assert square < 0.2
    line = unsettled_line([(name, square), ("other", 9.0)])
    assert "batch normalisation norm (and 1 more) don't fit these clips" in line
    norm.moving_mean.assign(windows.reshape(-1, 4).mean(axis=0))
    norm.moving_variance.assign(windows.reshape(-1, 4).var(axis=0))
    assert unsettled_norms(model, windows) == []
    assert unsettled_line([]) == ""
    norm.moving_mean.assign(np.ones(4))
    assert unsettled_norms(model, windows)


@pytest.mark.parametrize(
    "norm",
    [
        lambda: leaf_tf.layers.BatchNormalization(epsilon=1e-5),
        lambda: SubSpectralNorm(groups=2),
    ],
)
def test_ours_fit_after_one_step(norm, rng):
    windows = (3 + 0.1 * rng.standard_normal((40, 160))).astype("float32")
    model = model_of(norm())
    assert unsettled_norms(model, windows)
    model(windows, training=True)
    assert unsettled_norms(model, windows) == []
