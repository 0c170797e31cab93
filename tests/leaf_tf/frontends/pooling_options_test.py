"""Leaf's pooling as leaf-pytorch, SpeechBrain and EfficientLEAF do it."""

import keras
import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers


def symmetric(**arguments):
    return leaf_tf.Leaf(pooling_padding="symmetric", **arguments)


def noise(rng, *shape):
    return (0.2 * rng.standard_normal(shape)).astype("float32")


@pytest.mark.parametrize("samples", [1, 160, 201, 321, 1600, 2345])
def test_fast_is_exact_within_tolerance_at_any_length(samples, rng):
    waveform = noise(rng, 1, samples)
    fast = numbers(symmetric()(waveform))
    exact = numbers(symmetric(method="exact")(waveform))
    assert fast.shape == exact.shape == (1, -(-samples // 160), 40)
    assert np.max(np.abs(fast - exact)) < 1e-2
    assert np.mean(np.abs(fast - exact)) < 3e-4


def test_fast_of_an_even_window(rng):
    waveform, arguments = noise(rng, 1, 3001), {"window_len": 25.1}
    assert symmetric(**arguments).kernel_size == 402
    fast = numbers(symmetric(**arguments)(waveform))
    exact = numbers(symmetric(**arguments, method="exact")(waveform))
    assert np.max(np.abs(fast - exact)) < 1e-2
    assert np.mean(np.abs(fast - exact)) < 3e-4


def test_frames_are_earlier_by_the_difference_of_the_zeros(rng):
    # At whole strides SAME has 120 zeros on the left, symmetric padding 200.
    waveform = noise(rng, 1, 4000)
    later = np.pad(waveform, ((0, 0), (80, 0)))[:, :4000]
    arguments = {"compression": "none", "method": "exact"}
    same = numbers(leaf_tf.Leaf(**arguments)(later))
    outputs = numbers(symmetric(**arguments)(waveform))
    np.testing.assert_allclose(outputs[:, 3:-3], same[:, 3:-3], rtol=1e-4)


@pytest.mark.parametrize("method", ["fast", "exact"])
def test_padded_clips_are_as_alone(method, rng):
    waveforms, lengths = noise(rng, 3, 2000), [2000, 1234, 160]
    layer = symmetric(pooling_bias=True, method=method)
    batch = numbers(layer(waveforms, lengths=np.array(lengths)))
    for clip, waveform, length in zip(batch, waveforms, lengths):
        alone = numbers(layer(waveform[None, :length]))[0]
        np.testing.assert_allclose(clip[: len(alone)], alone, atol=2e-4)
        assert not np.any(clip[len(alone) :])


@pytest.mark.parametrize("method", ["fast", "exact"])
def test_bias_is_added_before_energies_are_bounded(method, rng):
    waveform = noise(rng, 1, 1600)
    arguments = {"compression": "none", "method": method}
    layer = leaf_tf.Leaf(**arguments, pooling_bias=True)
    expected = numbers(leaf_tf.Leaf(**arguments)(waveform)) + 1
    np.testing.assert_allclose(numbers(layer(waveform)), expected, rtol=1e-5)
    layer.pooling.bias.assign(np.full(40, -1e3))
    np.testing.assert_allclose(numbers(layer(waveform)), 1e-5, rtol=1e-5)


def test_options_come_back_from_a_file(rng, tmp_path):
    model = keras.Sequential([symmetric(pooling_bias=True)])
    waveform = noise(rng, 1, 1600)
    expected = numbers(model(waveform))
    model.layers[0].pooling.bias.assign(np.linspace(0, 1, 40))
    changed = numbers(model(waveform))
    assert np.max(np.abs(changed - expected)) > 1e-2
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.layers[0].pooling_padding == "symmetric"
    np.testing.assert_allclose(numbers(loaded(waveform)), changed, rtol=1e-6)


def test_learn_pooling_decides_on_the_bias():
    layer = leaf_tf.Leaf(pooling_bias=True, learn_pooling=False)
    layer.build((None, None))
    assert not any(w.name in ("bias", "widths") for w in layer.trainable_weights)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="needs TensorFlow")
def test_unknown_length_in_a_graph(rng):
    import tensorflow as tf

    layer = symmetric(compression="none")
    graph = tf.function(layer, input_signature=[tf.TensorSpec([None, None])])
    for samples in (1, 160, 700, 2345):
        waveform = noise(rng, 2, samples)
        np.testing.assert_allclose(
            graph(waveform), numbers(layer(waveform)), rtol=1e-4, atol=1e-7
        )


def test_bad_padding():
    with pytest.raises(ValueError, match="`pooling_padding` must be one of"):
        leaf_tf.Leaf(pooling_padding="valid")
