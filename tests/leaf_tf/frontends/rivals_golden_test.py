"""The paper's other frontends: official numbers, saving, gradients, TFLite."""

import keras
import numpy as np
import pytest

from leaf_tf.frontends.sincnet import SincNet, SincNetPlus
from leaf_tf.frontends.time_domain_filterbanks import TimeDomainFilterbanks
from leaf_tf.frontends.wavegram import Wavegram
from tests.leaf_tf.parameters import numbers
from tests.reference import sincnet as reference

FRONTENDS = (TimeDomainFilterbanks, SincNet, SincNetPlus, Wavegram)

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's own"
)


def golden(shared, name):
    with np.load(shared / "reference" / f"{name}.npz") as arrays:
        return dict(arrays)


def errors(outputs, expected):
    outputs = numbers(outputs)
    assert outputs.shape == expected.shape
    return np.abs(outputs - expected) / (1 + np.abs(expected))


def official(layer, arrays):
    """A SincNet or SincNet+, given the official bands."""
    layer.build((None, None))
    # The official code adds 50 Hz to both columns.
    bands = (50 + np.abs(arrays["w/kernel"].astype(np.float64))) * 2 * np.pi / 16000
    layer.filtering.low_freqs.assign(bands[:, 0])
    layer.filtering.bandwidths.assign(bands[:, 1])
    return layer


@pytest.mark.shared
def test_time_domain_filterbanks(shared):
    arrays = golden(shared, "tfbanks")
    kernel = arrays["w/tfbanks/tfbanks_complex_conv/kernel"]
    lowpass = arrays["w/tfbanks/learnable_pooling/conv2d/kernel"].ravel()
    layer = TimeDomainFilterbanks(initial_filters="official_mel")
    layer.build((None, None))
    np.testing.assert_allclose(numbers(layer.filtering.kernel), kernel, atol=1e-6)
    # The official window lies one sample late.
    np.testing.assert_allclose(
        numbers(layer.pooling.lowpass)[:-1], lowpass[1:], atol=1e-6
    )
    layer.filtering.kernel.assign(kernel)
    layer.pooling.lowpass.assign(lowpass)
    assert errors(layer(arrays["x"]), arrays["y"]).max() <= 1e-4


@pytest.mark.shared
def test_sincnet(shared):
    arrays = golden(shared, "sincnet")
    layer = official(SincNet(), arrays)
    assert errors(layer(arrays["x"]), arrays["y"]).max() <= 1e-3


@pytest.mark.shared
def test_sincnet_plus(shared):
    arrays = golden(shared, "sincnet_plus")
    layer = official(SincNetPlus(), arrays)
    different = errors(layer(arrays["x"]), arrays["y"])
    # Two of the clips are pure tones: 90 dB below them is what the float32 taps of
    # the official code let through, off by as much as ours from the exact value.
    energies = official(SincNetPlus(compression="none"), arrays)(arrays["x"])
    is_heard = numbers(energies) > 0.1
    assert np.mean(is_heard) > 0.7
    assert different[is_heard].max() <= 1e-3 and different[2:].max() <= 1e-3
    assert different.max() <= 0.05


@pytest.mark.shared
def test_sincnet_plus_with_the_official_rounding_of_taps(shared, monkeypatch):
    arrays = golden(shared, "sincnet_plus")
    taps = reference.official_band_passes(arrays["w/kernel"]).T
    monkeypatch.setattr("leaf_tf.layers.sinc._band_passes", lambda *_: taps)
    layer = official(SincNetPlus(), arrays)
    different = errors(layer(arrays["x"]), arrays["y"])
    # 3e-2 and 2e-4 with our taps; what is left is sines, which processors round.
    assert different.max() <= 5e-3 and different[2:].max() <= 5e-5


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_keras_file_round_trip(frontend, rng, tmp_path):
    layer = frontend(n_filters=8, sample_rate=8000, window_len=20.0, mean_var_norm=True)
    model = keras.Sequential([keras.Input((None,)), layer, keras.layers.Dense(3)])
    for weight in layer.weights:
        if "seed" not in weight.path:
            weight.assign(numbers(weight) * rng.uniform(0.8, 1.2, weight.shape))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    waveform = rng.uniform(-1, 1, (2, 3000)).astype("float32")
    np.testing.assert_array_equal(
        model.predict(waveform, verbose=0), loaded.predict(waveform, verbose=0)
    )
    assert loaded.layers[0].get_config() == layer.get_config()


@needs_tensorflow
@pytest.mark.parametrize("frontend", FRONTENDS)
@pytest.mark.parametrize("lengths", [None, [1, 700]])
@pytest.mark.parametrize(
    "waveform",
    [np.zeros(800), np.eye(1, 800, 400)[0], np.sign(np.sin(np.arange(800)))],
    ids=["silence", "impulse", "full_scale"],
)
def test_gradients_are_finite(frontend, lengths, waveform):
    import tensorflow as tf

    layer = frontend(n_filters=8)
    inputs = tf.constant(np.stack([waveform, waveform]), tf.float32)
    if lengths is not None:
        lengths = tf.constant(lengths, tf.int32)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, lengths=lengths, training=True)
        loss = tf.reduce_sum(tf.sin(outputs))
    sources = [inputs, *(weight.value for weight in layer.trainable_weights)]
    for gradient in tape.gradient(loss, sources):
        assert np.all(np.isfinite(numbers(gradient)))


@needs_tensorflow
@pytest.mark.parametrize("frontend", FRONTENDS)
def test_tflite_of_builtins_gives_the_same(frontend, rng):
    from ai_edge_litert.interpreter import Interpreter

    from benchmarks.tflite import convert

    layer = frontend()
    waveform = rng.uniform(-1, 1, (1, 16000)).astype("float32")
    expected = numbers(layer(waveform))
    interpreter = Interpreter(model_content=convert(layer))
    interpreter.allocate_tensors()
    (place,) = interpreter.get_input_details()
    interpreter.set_tensor(place["index"], waveform)
    interpreter.invoke()
    (place,) = interpreter.get_output_details()
    outputs = interpreter.get_tensor(place["index"])
    np.testing.assert_allclose(outputs, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_freeze_reaches_every_weight(frontend):
    layer = frontend(n_filters=8)
    layer.build((None, None))
    assert layer.trainable_weights
    layer.freeze()
    assert layer.trainable_weights == []
