"""Energies beside the loudness: what they forget, and what they keep."""

import keras
import numpy as np
import pytest
from keras import ops

import leaf_tf
from leaf_tf.layers.compressions import compression_layer
from tests.leaf_tf.layers.conversion import run_tflite
from tests.leaf_tf.parameters import numbers
from tests.reference import leaf as reference

TENSORFLOW = keras.backend.backend() == "tensorflow"


def energies_of(rng, frames=120, channels=4):
    """Energies that rise and fall over 40 dB, with a pause."""
    level = 10.0 ** (2 * np.sin(np.arange(frames) / 9.0) - 3)
    energies = level[:, None] * rng.exponential(size=(frames, channels))
    energies[50:70] = 0.0
    return energies


def test_equals_reference(rng):
    energies = energies_of(rng)
    for strength in (1.0, 0.3):
        layer = leaf_tf.LoudnessNorm(strength, smooth_coef=0.03, floor=1e-5)
        outputs = numbers(layer(energies[None].astype("float32")))[0]
        level = 1e-5 + reference.loudness(energies, 0.03)[:, None]
        np.testing.assert_allclose(outputs, energies / level**strength, rtol=1e-5)


@pytest.mark.parametrize("name", ["soft_pcen", "loudness_pcen"])
def test_compressions_with_it_equal_reference(name, rng):
    energies = energies_of(rng)
    layer = compression_layer(name, "float32")
    outputs = numbers(layer(energies[None].astype("float32")))[0]
    expected = getattr(reference, name)(energies)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("gain_db", [-30, 20])
def test_the_volume_is_forgotten(gain_db, rng):
    waveform = 0.1 * rng.standard_normal((1, 4000)).astype("float32")
    leaf = leaf_tf.Leaf(n_filters=4, sample_rate=8000, compression="loudness_pcen")
    features = numbers(leaf(waveform))
    louder = numbers(leaf(waveform * np.float32(10 ** (gain_db / 20))))
    # The floor, 1e-7, is a thousandth of the loudness at -30 dB.
    np.testing.assert_allclose(louder, features, rtol=2e-3, atol=1e-5)


def test_pauses_change_nothing_but_themselves(rng):
    sound = 1e-2 + rng.exponential(size=(20, 3))
    pause = np.zeros((30, 3))
    layer = leaf_tf.LoudnessNorm(smooth_coef=1e-6, floor=1e-12)

    def after(*parts):
        energies = np.concatenate(parts)[None].astype("float32")
        return numbers(layer(energies))[0]

    alone = after(sound)
    np.testing.assert_allclose(after(pause, sound)[30:], alone, rtol=1e-4)
    within = after(sound[:10], pause, sound[10:])
    np.testing.assert_allclose(within[:10], alone[:10], rtol=1e-4)
    np.testing.assert_allclose(within[40:], alone[10:], rtol=1e-4)
    np.testing.assert_array_equal(within[10:40], 0.0)


def test_a_sustained_sound_keeps_its_spectrum():
    # PCEN makes it the same in all channels, and fades it.
    spectrum = np.array([0.5, 1.5, 4.0], "float32")
    outputs = numbers(leaf_tf.LoudnessNorm()(np.tile(spectrum, (1, 500, 1))))
    np.testing.assert_allclose(outputs, np.tile(spectrum / 2.0, (1, 500, 1)), rtol=1e-4)


@pytest.mark.parametrize(
    "level", [0.0, 1e-30, 1e15], ids=["silence", "below any sound", "loud"]
)
def test_finite(level):
    outputs = numbers(leaf_tf.LoudnessNorm()(np.full((1, 300, 2), level, "float32")))
    expected = min(level / 1e-7, 1.0)
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-12)


@pytest.mark.skipif(not TENSORFLOW, reason="takes gradients by TensorFlow")
@pytest.mark.parametrize("level", [0.0, 1e-20, 1e15])
def test_finite_gradients(level):
    import tensorflow as tf

    layer = compression_layer("loudness_pcen", "float32")
    energies = tf.fill((1, 50, 2), np.float32(level))
    with tf.GradientTape() as tape:
        tape.watch(energies)
        loss = tf.reduce_sum(layer(energies))
    for gradient in tape.gradient(loss, [energies, *layer.trainable_variables]):
        assert np.all(np.isfinite(gradient))


def test_nothing_is_rounded_between_the_norm_and_pcen(rng):
    # Energies beside the loudness are beyond float16 where a quiet sound gets loud.
    energies = np.full((1, 2, 2), 1e-9, "float32")
    energies[:, 1] = 1.0
    layer = compression_layer("loudness_pcen", "mixed_float16")
    expected = numbers(compression_layer("loudness_pcen", "float32")(energies))
    np.testing.assert_allclose(
        numbers(ops.cast(layer(energies), "float32")), expected, rtol=2.0**-10
    )
    assert layer.stages[0].compute_dtype == "float32"


def test_half_precision_policies_compute_in_float32(rng):
    energies = energies_of(rng)[None].astype("float32")
    exact = numbers(leaf_tf.LoudnessNorm()(energies))
    outputs = leaf_tf.LoudnessNorm(dtype="mixed_bfloat16")(energies)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    outputs = numbers(ops.cast(outputs, "float32"))
    np.testing.assert_allclose(outputs, exact, rtol=2.0**-8)


@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own converter")
def test_tflite_without_other_operators(rng):
    energies = energies_of(rng)[None].astype("float32")
    layer = compression_layer("loudness_pcen", "float32")
    np.testing.assert_allclose(
        run_tflite(layer, energies), numbers(layer(energies)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"strength": 0.0}, "`strength` must be above 0 and at most 1. Received: 0"),
        ({"smooth_coef": 0.0}, "`smooth_coef` must be above 0 and at most 1. Rec"),
        ({"smooth_coef": 1.5}, "`smooth_coef` must be above 0 and at most 1. Rec"),
        ({"floor": 0.0}, "`floor` must be greater than 0. Received: 0.0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        leaf_tf.LoudnessNorm(**arguments)
