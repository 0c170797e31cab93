import keras
import numpy as np
import pytest

from leaf_tf.layers import FakeQuantize, fake_quantize, fake_quantize_weights
from tests.leaf_tf.augment_test import gradient_of_sum
from tests.leaf_tf.parameters import numbers


def as_integers(values, low, high, bits):
    """Quantised and back, by TFLite's definition, with integers, in float64."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / (2**bits - 1)
    least = -(2 ** (bits - 1))
    zero_point = round(least - low / scale)
    integers = np.round(np.asarray(values, np.float64) / scale) + zero_point
    integers = np.clip(integers, least, least + 2**bits - 1)
    return scale * (integers - zero_point)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("low, high", [(-0.7, 8.3), (0.0, 4.0), (2.0, 3.0), (-5.0, -1)])
def test_it_rounds_as_tflite_does(low, high, bits, rng):
    values = rng.uniform(-6, 10, 1000).astype("float32")
    expected = as_integers(values, low, high, bits)
    found = numbers(fake_quantize(values, low, high, bits))
    scale = (max(high, 0) - min(low, 0)) / (2**bits - 1)
    # Halfway between two integers, float32 may take the other.
    is_half = np.abs(np.abs(values / scale % 1) - 0.5) < 1e-4
    np.testing.assert_allclose(found[~is_half], expected[~is_half], atol=1e-5)
    assert len(np.unique(found)) <= 2**bits
    assert 0.0 in numbers(fake_quantize(np.zeros(1, "float32"), low, high, bits))


@pytest.mark.parametrize("bits, most", [(4, 7), (8, 127)])
def test_weights_have_a_step_for_each_channel(bits, most, rng):
    weights = rng.normal(size=(3, 3, 2, 4)) * [1e-3, 1.0, 10.0, 1e3]
    steps = np.abs(weights).max(axis=(0, 1, 2)) / most
    expected = np.round(weights / steps) * steps
    found = numbers(fake_quantize_weights(weights.astype("float32"), bits))
    np.testing.assert_allclose(found / steps, expected / steps, atol=1e-3)


def test_weights_on_the_grid_stay_as_they_are(rng):
    integers = rng.integers(-127, 128, (50, 6))
    integers[0] = 127
    weights = (integers * 2.0 ** -np.arange(6)).astype("float32")
    np.testing.assert_array_equal(numbers(fake_quantize_weights(weights)), weights)
    silent = np.zeros((5, 2), "float32")
    np.testing.assert_array_equal(numbers(fake_quantize_weights(silent)), silent)


def test_gradients_pass_within_the_range():
    values = np.float32([-2.0, -0.4, 0.1, 0.9, 3.0])
    passed = gradient_of_sum(lambda x: fake_quantize(x, -1.0, 1.0, 3), values)
    np.testing.assert_array_equal(passed, [0, 1, 1, 1, 0])
    weights = values[:, None]
    passed = gradient_of_sum(lambda x: fake_quantize_weights(x, 3), weights)
    np.testing.assert_array_equal(passed, np.ones_like(weights))


def test_the_range_follows_the_batches():
    layer = FakeQuantize(bits=8, momentum=0.75)
    batch = np.float32([[-1.0, 0.3, 4.0]])
    np.testing.assert_array_equal(numbers(layer(batch)), batch)  # as it is so far
    layer(batch, training=True)
    assert [float(layer.low), float(layer.high)] == [-1.0, 4.0]
    layer(2 * batch, training=True)
    assert [float(layer.low), float(layer.high)] == [-1.25, 5.0]
    layer(9 * batch)
    assert float(layer.high) == 5.0
    rounded = numbers(layer(9 * batch))
    np.testing.assert_allclose(
        rounded, as_integers(9 * batch, -1.25, 5.0, 8), atol=1e-5
    )


def test_a_file_keeps_the_range(tmp_path):
    model = keras.Sequential([keras.Input((3,)), FakeQuantize(bits=4, momentum=0.5)])
    batch = np.float32([[-1.0, 0.3, 4.0]])
    model(batch, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].momentum == 0.5
    np.testing.assert_array_equal(numbers(loaded(batch)), numbers(model(batch)))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`bits` must be from 2 to 16. Received: 1"):
        FakeQuantize(bits=1)
    with pytest.raises(ValueError, match="`momentum` must be at least 0 and below 1"):
        FakeQuantize(momentum=1.0)
