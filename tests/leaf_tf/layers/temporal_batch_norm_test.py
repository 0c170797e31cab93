import keras
import numpy as np
import pytest

from leaf_tf.layers.temporal_batch_norm import TemporalBatchNorm
from tests.leaf_tf.layers.conversion import run_tflite
from tests.leaf_tf.parameters import numbers

TENSORFLOW = keras.backend.backend() == "tensorflow"


def features(rng):
    values = rng.normal(size=(3, 20, 4)) * [0.1, 1.0, 5.0, 30.0] + [0.0, 9.0, -3.0, 2.0]
    return values.astype("float32")


def test_training_normalises_over_batch_and_time(rng):
    inputs = features(rng)
    layer = TemporalBatchNorm()
    layer.build(inputs.shape)
    layer.gamma.assign([1.0, 2.0, 3.0, 4.0])
    layer.beta.assign([0.0, 0.0, 1.0, -1.0])
    outputs = numbers(layer(inputs, training=True))
    x = inputs.astype(np.float64)
    mean, variance = x.mean(axis=(0, 1)), x.var(axis=(0, 1))
    expected = (x - mean) / np.sqrt(variance + 1e-5) * [1, 2, 3, 4] + [0, 0, 1, -1]
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(numbers(layer.moving_mean), mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(numbers(layer.moving_variance), variance, rtol=1e-4)


def test_inference_uses_the_moving_averages(rng):
    inputs = features(rng)
    layer = TemporalBatchNorm(momentum=0.5)
    layer.build(inputs.shape)
    before = numbers(layer(inputs))
    np.testing.assert_allclose(before, inputs / np.sqrt(1 + 1e-5), rtol=1e-5)
    layer.moving_mean.assign([1.0, 2.0, 3.0, 4.0])
    layer.moving_variance.assign([4.0, 4.0, 1.0, 9.0])
    expected = (inputs - [1, 2, 3, 4]) / np.sqrt(np.array([4, 4, 1, 9]) + 1e-5)
    np.testing.assert_allclose(numbers(layer(inputs)), expected, rtol=1e-4, atol=1e-5)


def test_frozen_it_neither_follows_nor_remembers_the_batch(rng):
    inputs = features(rng)
    layer = TemporalBatchNorm(trainable=False)
    outputs = layer(inputs, training=True)
    np.testing.assert_array_equal(numbers(outputs), numbers(layer(inputs)))
    np.testing.assert_array_equal(numbers(layer.moving_mean), 0.0)


def test_frames_left_out_do_not_count(rng):
    inputs = features(rng)
    mask = np.arange(20)[None] < np.array([20, 7, 1])[:, None]
    spoilt = np.where(mask[:, :, None], inputs, 1e6).astype("float32")
    layer = TemporalBatchNorm()
    outputs = numbers(layer(spoilt, training=True, mask=mask))
    kept = inputs[mask].astype(np.float64)  # (28, 4)
    expected = (kept - kept.mean(axis=0)) / np.sqrt(kept.var(axis=0) + 1e-5)
    np.testing.assert_allclose(outputs[mask], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        numbers(layer.moving_mean), kept.mean(axis=0), rtol=1e-3, atol=1e-5
    )


@pytest.mark.skipif(not TENSORFLOW, reason="takes gradients by TensorFlow")
def test_finite_gradients_where_nothing_varies():
    import tensorflow as tf

    inputs = tf.zeros((2, 10, 3))
    layer = TemporalBatchNorm()
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True)
    for gradient in tape.gradient(outputs, [inputs, layer.gamma, layer.beta]):
        assert np.all(np.isfinite(gradient))


@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own converter")
def test_tflite_without_other_operators(rng):
    inputs = features(rng)[:1]
    layer = TemporalBatchNorm()
    layer(inputs, training=True)
    np.testing.assert_allclose(
        run_tflite(layer, inputs), numbers(layer(inputs)), rtol=1e-4, atol=1e-5
    )


def test_bad_argument():
    with pytest.raises(ValueError, match=r"`momentum` must be in \[0, 1\)"):
        TemporalBatchNorm(momentum=1.0)


def test_a_config_of_before_it_was_keras_s_own_loads():
    """As files hold it that were saved then; and it is saved no other way now."""
    config = {"name": "norm", "trainable": True, "dtype": "float32", "momentum": 0.5}
    layer = TemporalBatchNorm.from_config(config)
    assert (layer.momentum, layer.epsilon) == (0.5, 1e-5)
    saved = layer.get_config()
    assert {**saved, "dtype": "float32"} == config
    layer.build((None, None, 3))
    names = [weight.name for weight in layer.weights]
    assert names == ["gamma", "beta", "moving_mean", "moving_variance"]
