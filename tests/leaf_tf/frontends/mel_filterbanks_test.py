import keras
import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.layers.conversion import run_tflite
from tests.leaf_tf.parameters import numbers
from tests.reference import mel as reference


@pytest.mark.parametrize("samples", [1, 160, 401, 12345])
def test_equals_reference(samples, rng):
    waveform = rng.uniform(-1, 1, (2, samples)).astype("float32")
    triangles = reference.mel_triangles(40, 512, 16000, 60.0, 7800.0)
    outputs = numbers(leaf_tf.MelFilterbanks()(waveform))
    for clip in range(2):
        expected = reference.log_mel(waveform[clip], triangles)
        np.testing.assert_allclose(outputs[clip], expected, rtol=1e-4, atol=1e-4)


def test_equals_reference_with_an_even_window_at_a_high_rate(rng):
    waveform = rng.uniform(-1, 1, (1, 9000)).astype("float32")
    # 25 ms at 44.1 kHz: 1103 samples; 20.02 ms: 883; 20 ms gives 883 too.
    layer = leaf_tf.MelFilterbanks(
        n_filters=64, sample_rate=44100, window_len=19.98, max_freq=20000.0
    )
    assert layer.kernel_size == 882 and layer.n_fft == 1024
    triangles = reference.mel_triangles(64, 1024, 44100, 60.0, 20000.0)
    expected = reference.log_mel(waveform[0], triangles, 882, 441, 1024)
    np.testing.assert_allclose(
        numbers(layer(waveform))[0], expected, rtol=1e-4, atol=1e-4
    )


def test_nothing_is_learned():
    layer = leaf_tf.MelFilterbanks()
    layer.build((None, None))
    assert layer.weights == []


@pytest.mark.parametrize("compression", ["log", "pcen"])
def test_learned_filters_start_as_the_triangles(compression, rng):
    waveform = rng.uniform(-1, 1, (2, 3200)).astype("float32")
    fixed = leaf_tf.MelFilterbanks(compression=compression)
    learned = leaf_tf.MelFilterbanks(compression=compression, learn_filters=True)
    np.testing.assert_allclose(
        numbers(learned(waveform)), numbers(fixed(waveform)), rtol=1e-5, atol=1e-6
    )
    assert tuple(learned.filterbank.shape) == (257, 40)
    added = len(learned.trainable_weights) - len(fixed.trainable_weights)
    assert added == 1


def test_learned_filters_equal_the_reference_and_stay_above_0(rng):
    layer = leaf_tf.MelFilterbanks(n_filters=3, learn_filters=True)
    layer.build((None, None))
    filterbank = rng.normal(size=(257, 3)).astype("float32")
    layer.filterbank.assign(filterbank)
    waveform = rng.uniform(-1, 1, (1, 1000)).astype("float32")
    expected = reference.log_mel(waveform[0], np.maximum(filterbank, 0.0))
    np.testing.assert_allclose(
        numbers(layer(waveform))[0], expected, rtol=1e-4, atol=1e-4
    )


def test_training_moves_learned_filters(rng):
    layer = leaf_tf.MelFilterbanks(n_filters=8, learn_filters=True)
    model = keras.Sequential([keras.Input((1600,)), layer])
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    before = numbers(layer.filterbank).copy()
    waveform = rng.uniform(-1, 1, (4, 1600)).astype("float32")
    model.fit(waveform, np.zeros((4, 10, 8)), epochs=3, verbose=0)
    after = numbers(layer.filterbank)
    assert np.any(after != before) and np.all(after >= 0)
    silence = np.zeros((4, 1600), "float32")
    model.fit(silence, np.zeros((4, 10, 8)), verbose=0)
    assert np.all(np.isfinite(numbers(layer.filterbank)))


def test_keras_file_round_trip_of_learned_filters(rng, tmp_path):
    layer = leaf_tf.MelFilterbanks(
        n_filters=4, learn_filters=True, compression="simplified_pcen"
    )
    model = keras.Sequential([keras.Input((None,)), layer])
    layer.filterbank.assign(rng.uniform(0, 1, (257, 4)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    waveform = rng.uniform(-1, 1, (2, 1600)).astype("float32")
    np.testing.assert_array_equal(
        model.predict(waveform, verbose=0), loaded.predict(waveform, verbose=0)
    )
    assert loaded.layers[0].get_config() == layer.get_config()


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tests TensorFlow's own converter"
)
def test_tflite_of_learned_filters_without_other_operators(rng):
    layer = leaf_tf.MelFilterbanks(learn_filters=True, compression="pcen")
    waveform = rng.uniform(-1, 1, (1, 16000)).astype("float32")
    np.testing.assert_allclose(
        run_tflite(layer, waveform), numbers(layer(waveform)), rtol=1e-3, atol=1e-4
    )
