"""Compressions by name, one after another, and with the mask of the frames."""

import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf.layers.any_layer import compress
from leaf_tf.layers.chain import Chain
from leaf_tf.layers.compressions import COMPRESSIONS, compression_layer
from leaf_tf.layers.log1p import Log1pCompression
from leaf_tf.layers.median_subtraction import MedianSubtraction
from tests.leaf_tf.parameters import numbers


@pytest.mark.parametrize("name", COMPRESSIONS)
def test_every_name_is_a_frontends_compression(name, rng, tmp_path):
    """New layers for each frontend; features of a padded clip are those of it alone."""
    waveform = rng.uniform(-1, 1, (2, 1600)).astype("float32")
    layer = leaf_tf.MelFilterbanks(n_filters=8, compression=name)
    features = numbers(layer(waveform, lengths=np.array([1600, 700])))
    alone = numbers(layer(waveform[1:, :700]))
    np.testing.assert_allclose(features[1:, :5], alone, rtol=1e-4, atol=1e-5)
    assert np.all(features[1, 5:] == 0) and np.any(features[0, 5:] != 0)
    other = leaf_tf.MelFilterbanks.from_config(layer.get_config())
    assert other.get_config() == layer.get_config()
    assert name == "none" or other.compressing is not layer.compressing


def test_a_layer_of_the_users_own_is_taken_as_it_is():
    layer = keras.layers.LayerNormalization()
    assert compression_layer(layer, "float32") is layer


@pytest.mark.parametrize("value", ["cube", None, ["log"]])
def test_unknown_names(value):
    with pytest.raises(ValueError, match=r"one of \('pcen', 'log', 'log1p', .*Receiv"):
        compression_layer(value, "float32")


def test_the_mask_goes_to_layers_that_take_one(rng):
    energies = rng.exponential(size=(2, 10, 3)).astype("float32")
    mask = np.arange(10)[None] < np.array([[10], [4]])
    median = MedianSubtraction()
    np.testing.assert_array_equal(
        numbers(compress(median, energies, mask)), numbers(median(energies, mask=mask))
    )
    for layer in (Log1pCompression(), keras.layers.Rescaling(2.0)):
        np.testing.assert_array_equal(
            numbers(compress(layer, energies, mask)), numbers(layer(energies))
        )


def test_a_chain_is_its_layers_one_after_another(rng, tmp_path):
    chain = Chain([Log1pCompression(a=2.0), MedianSubtraction(), keras.layers.ReLU()])
    model = keras.Sequential(
        [keras.Input((None,)), leaf_tf.MelFilterbanks(8, compression=chain)]
    )
    waveform = rng.uniform(-1, 1, (2, 1600)).astype("float32")
    energies = leaf_tf.MelFilterbanks(8, compression="none")(waveform)
    logs = np.log1p(100.0 * numbers(energies).astype(np.float64))
    logs -= np.percentile(logs, 50, axis=1, keepdims=True, method="lower")
    outputs = model.predict(waveform, verbose=0)
    np.testing.assert_allclose(outputs, np.maximum(logs, 0), rtol=1e-3, atol=1e-4)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(waveform, verbose=0), outputs)
    alone = numbers(model.layers[0](waveform[:1, :500]))
    padded = numbers(model.layers[0](waveform[:1], lengths=np.array([500])))
    np.testing.assert_allclose(padded[:, :4], alone, rtol=1e-4, atol=1e-5)
