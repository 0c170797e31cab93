import keras
import numpy as np
import pytest

from leaf_tf.layers.log1p import Log1pCompression
from tests.leaf_tf.layers.conversion import run_tflite
from tests.leaf_tf.parameters import numbers

TENSORFLOW = keras.backend.backend() == "tensorflow"


def test_known_values():
    layer = Log1pCompression()
    outputs = numbers(layer(np.array([[[0.0, 1e-5, 1.0, -3.0]]], "float32")))
    expected = [[[0.0, np.log(2.0), np.log(100001.0), 0.0]]]
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-7)


def test_equals_reference(rng):
    energies = rng.exponential(size=(2, 50, 3))
    layer = Log1pCompression()
    layer.build((None, None, 3))
    layer.a.assign([-2.0, 0.5, 25.0])
    outputs = numbers(layer(energies.astype("float32")))
    expected = np.log1p(10.0 ** np.array([-2.0, 0.5, 20.0]) * energies)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5)


def test_quiet_sounds_pass_linearly(rng):
    energies = 1e-9 * rng.exponential(size=(1, 20, 2)).astype("float32")
    outputs = numbers(Log1pCompression(a=3.0)(energies))
    np.testing.assert_allclose(outputs, 1000.0 * energies, rtol=1e-4)


@pytest.mark.skipif(not TENSORFLOW, reason="takes gradients by TensorFlow")
@pytest.mark.parametrize("level", [0.0, 1e-38, 1e18])
def test_finite_gradients(level):
    import tensorflow as tf

    layer = Log1pCompression(a=20.0)
    energies = tf.fill((1, 5, 2), np.float32(level))
    with tf.GradientTape() as tape:
        tape.watch(energies)
        loss = tf.reduce_sum(layer(energies))
    for gradient in tape.gradient(loss, [energies, layer.a]):
        assert np.all(np.isfinite(gradient))


@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own converter")
def test_tflite_without_other_operators(rng):
    energies = rng.exponential(size=(1, 100, 4)).astype("float32")
    layer = Log1pCompression()
    np.testing.assert_allclose(
        run_tflite(layer, energies), numbers(layer(energies)), rtol=1e-5
    )


def test_bad_argument():
    with pytest.raises(ValueError, match="`a` must be at most 20.0. Received: 21.0"):
        Log1pCompression(a=21.0)
