import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf.layers.multi_rate_pcen import MultiRatePCEN
from tests.leaf_tf.layers.conversion import run_tflite
from tests.leaf_tf.parameters import numbers
from tests.reference import leaf as reference

TENSORFLOW = keras.backend.backend() == "tensorflow"


def test_channels_are_those_of_one_rate_after_the_other(rng):
    energies = rng.exponential(size=(300, 4))
    layer = MultiRatePCEN(rates=[0.5, 0.01], alpha=0.8, delta=3.0, root=4.0)
    outputs = numbers(layer(energies[None].astype("float32")))
    expected = np.concatenate(
        [
            reference.pcen(energies, 0.8, 3.0, 4.0, np.full(4, rate))
            for rate in (0.5, 0.01)
        ],
        axis=-1,
    )
    np.testing.assert_allclose(outputs[0], expected, rtol=2e-5, atol=2e-6)
    assert layer.compute_output_shape((None, None, 4)) == (None, None, 8)


def test_rates_are_learned_only_if_asked_for():
    for learn, names in ((False, 3), (True, 4)):
        layer = MultiRatePCEN(learn_smooth_coef=learn)
        layer.build((None, None, 2))
        assert len(layer.trainable_weights) == 3 * names


def test_keras_file_round_trip(rng, tmp_path):
    layer = MultiRatePCEN(rates=(0.02, 0.3), alpha=0.5)
    model = keras.Sequential([keras.Input((None, 3)), layer])
    for weight in layer.weights:
        change = rng.uniform(0.9, 1.1, weight.shape)
        weight.assign(numbers(weight) * change.astype("float32"))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    energies = rng.exponential(size=(2, 30, 3)).astype("float32")
    np.testing.assert_array_equal(
        model.predict(energies, verbose=0), loaded.predict(energies, verbose=0)
    )
    assert loaded.layers[0].get_config() == layer.get_config()


def test_as_a_frontends_compression(rng):
    waveform = rng.uniform(-1, 1, (2, 1600)).astype("float32")
    layer = leaf_tf.MelFilterbanks(n_filters=8, compression="multi_rate_pcen")
    outputs = layer(waveform)
    assert layer.compute_output_shape((2, 1600)) == tuple(outputs.shape) == (2, 10, 24)
    energies = leaf_tf.MelFilterbanks(n_filters=8, compression="none")(waveform)
    fastest = leaf_tf.PCEN(smooth_coef=0.25)(energies)
    np.testing.assert_allclose(numbers(outputs)[..., 16:], numbers(fastest), rtol=1e-5)


@pytest.mark.skipif(not TENSORFLOW, reason="takes gradients by TensorFlow")
@pytest.mark.parametrize("level", [0.0, 1e12])
def test_finite_gradients(level):
    import tensorflow as tf

    layer = MultiRatePCEN(learn_smooth_coef=True)
    energies = tf.fill((1, 20, 2), np.float32(level))
    with tf.GradientTape() as tape:
        outputs = layer(energies)
    for gradient in tape.gradient(outputs, layer.trainable_variables):
        assert np.all(np.isfinite(gradient))


@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own converter")
def test_tflite_without_other_operators(rng):
    energies = rng.exponential(size=(1, 100, 4)).astype("float32")
    layer = MultiRatePCEN()
    np.testing.assert_allclose(
        run_tflite(layer, energies), numbers(layer(energies)), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("rates", [(), (0.0, 0.5), (0.1, 1.5)])
def test_bad_rates(rates):
    with pytest.raises(ValueError, match="`rates` must be one or more smoothing"):
        MultiRatePCEN(rates=rates)
