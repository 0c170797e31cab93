import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf.layers.simplified_pcen import SimplifiedPCEN
from tests.leaf_tf.layers.conversion import run_tflite
from tests.leaf_tf.parameters import numbers
from tests.reference import leaf as reference

TENSORFLOW = keras.backend.backend() == "tensorflow"


def test_equals_reference(rng):
    energies = rng.exponential(size=(300, 4)) + 1e-5
    layer = SimplifiedPCEN()
    layer.build((None, None, 4))
    layer.alpha.assign([0.0, 0.48, 1.0, 1.3])
    layer.root.assign([0.5, 1.0, 2.0, 4.0])
    outputs = numbers(layer(energies[None].astype("float32")))
    means = reference.moving_average(energies, 0.04)
    expected = energies ** (1 / np.array([1.0, 1.0, 2.0, 4.0]))
    expected /= (1e-12 + means) ** np.array([0.0, 0.48, 1.0, 1.0])
    np.testing.assert_allclose(outputs[0], expected, rtol=2e-5)


def test_is_pcen_without_delta(rng):
    energies = rng.exponential(size=(1, 100, 3)).astype("float32") + 0.1
    pcen = leaf_tf.PCEN(alpha=0.96, root=2.0, delta=1e-6)
    np.testing.assert_allclose(
        numbers(SimplifiedPCEN()(energies)), numbers(pcen(energies)), atol=2e-3
    )


def test_forgets_the_level_at_alpha_of_1_by_root(rng):
    energies = rng.exponential(size=(1, 100, 3)).astype("float32")
    layer = SimplifiedPCEN(alpha=0.25, root=4.0)
    np.testing.assert_allclose(
        numbers(layer(energies)), numbers(layer(1000.0 * energies)), rtol=1e-4
    )


def test_two_numbers_a_channel_are_learned():
    layer = SimplifiedPCEN()
    layer.build((None, None, 40))
    assert [w.name for w in layer.trainable_weights] == ["alpha", "root"]
    assert layer.count_params() == 80


@pytest.mark.skipif(not TENSORFLOW, reason="takes gradients by TensorFlow")
@pytest.mark.parametrize("level", [-1.0, 0.0, 1e-12, 1e12])
def test_finite_gradients(level):
    import tensorflow as tf

    layer = SimplifiedPCEN()
    energies = tf.fill((1, 20, 2), np.float32(level))
    with tf.GradientTape() as tape:
        tape.watch(energies)
        outputs = layer(energies)
    assert np.all(np.isfinite(outputs))
    for gradient in tape.gradient(outputs, [energies, layer.alpha, layer.root]):
        assert np.all(np.isfinite(gradient))


@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own converter")
def test_tflite_without_other_operators(rng):
    energies = rng.exponential(size=(1, 100, 4)).astype("float32")
    layer = SimplifiedPCEN()
    np.testing.assert_allclose(
        run_tflite(layer, energies), numbers(layer(energies)), rtol=1e-4
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"alpha": 1.5}, r"`alpha` must be in \[0, 1\]. Received: 1.5"),
        ({"smooth_coef": -0.1}, "`smooth_coef` must be in"),
        ({"root": 0.5}, "`root` must be at least 1. Received: 0.5"),
        ({"floor": 0.0}, "`floor` must be greater than 0. Received: 0.0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        SimplifiedPCEN(**arguments)
