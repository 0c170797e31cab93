import keras
import numpy as np
import pytest
from keras import ops

import leaf_tf
from leaf_tf.frontends.efficient_leaf import EfficientLeaf
from tests.leaf_tf.layers.conversion import run_tflite
from tests.leaf_tf.parameters import numbers
from tests.reference import efficient_leaf as reference

TENSORFLOW = keras.backend.backend() == "tensorflow"


def expected_energies(layer, waveform, n_groups=8, window_factor=6.0, stride_factor=16):
    bank = layer.filterbank
    initial = EfficientLeaf(
        layer.n_filters, layer.sample_rate, layer.window_len, layer.window_stride
    )
    initial.build((None, None))
    groups = reference.groups(
        numbers(initial.filterbank.center_freqs),
        numbers(initial.filterbank.sigmas),
        min(n_groups, layer.n_filters),
        window_factor,
        stride_factor,
        layer.kernel_size,
        layer.strides,
    )
    weights = [numbers(w) for w in (bank.center_freqs, bank.sigmas, bank.widths)]
    return reference.pooled(
        waveform, *weights, groups, layer.kernel_size, layer.strides
    )


def noise(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


@pytest.mark.parametrize("samples", [1, 150, 1601])
def test_equals_reference(samples, rng):
    waveform = noise(rng, 2, samples)
    layer = EfficientLeaf(n_filters=10, compression="none")
    outputs = numbers(layer(waveform))
    for clip in range(2):
        expected = np.maximum(expected_energies(layer, waveform[clip]), 1e-5)
        np.testing.assert_allclose(outputs[clip], expected, rtol=2e-4, atol=1e-6)


def test_equals_reference_at_other_settings_and_weights(rng):
    # 221 taps, hop 165: an odd window; fewer filters than groups would have.
    layer = EfficientLeaf(
        n_filters=5,
        sample_rate=22050,
        window_len=10.0,
        window_stride=7.5,
        compression="none",
        stride_factor=3.0,
        window_factor=4.0,
    )
    layer.build((None, None))
    bank = layer.filterbank
    assert layer.kernel_size == 221 and layer.strides == 165
    bank.center_freqs.assign(rng.uniform(-0.2, 3.4, 5))
    bank.sigmas.assign(rng.uniform(0.1, 90.0, 5))
    bank.widths.assign(rng.uniform(0.001, 0.7, 5))
    waveform = noise(rng, 1000)
    expected = expected_energies(layer, waveform, 8, 4.0, 3.0)
    np.testing.assert_allclose(
        numbers(layer(waveform[None]))[0],
        np.maximum(expected, 1e-5),
        rtol=2e-4,
        atol=1e-6,
    )


@pytest.mark.parametrize(
    "n, tolerance", [(2, 0.033), (8, 0.033), (13, 0.007), (25, 0.007), (38, 0.007)]
)
def test_steady_tones_have_leafs_energies(n, tolerance):
    """An energy that doesn't change is the same however seldom it is computed.

    What is left, away from the ends where the tone begins, is the lowpass summed over
    every s-th tap: 3 % where s is a frame, three taps for 401, below 0.7 % for the
    others. In the filter of the tone and its neighbours, which are 20 dB down.
    """
    layer = EfficientLeaf(compression="none")
    layer.build((None, None))
    freq = numbers(layer.filterbank.center_freqs)[n]
    tone = 0.5 * np.sin(freq * np.arange(8000))[None].astype("float32")
    exact = leaf_tf.Leaf(method="exact", compression="none")
    ours, leafs = (numbers(frontend(tone))[0, 5:-5] for frontend in (layer, exact))
    heard = leafs > 0.01 * leafs.max()
    assert heard.sum() == 3 * len(leafs)
    np.testing.assert_allclose(ours[heard], leafs[heard], rtol=tolerance)


@pytest.mark.parametrize(
    "stride_factor, low, high",
    [(16.0, 0.4, 0.06), (4.0, 0.02, 0.006), (1.0, 0.01, 0.003)],
)
def test_energies_of_noise_are_leafs_to_a_degree(stride_factor, low, high, rng):
    """Relative RMS errors: of the 15 lowest filters, up to 1.2 kHz, and the others.

    Energies of noise vary as fast as a filter's band is wide; sampled less often than
    that, which the default does in the lowest groups, they say little of the mean.
    """
    waveform = noise(rng, 4, 16000)
    leafs = numbers(leaf_tf.Leaf(method="exact", compression="none")(waveform))
    layer = EfficientLeaf(compression="none", stride_factor=stride_factor)
    squares = np.mean((numbers(layer(waveform)) - leafs) ** 2, axis=(0, 1))
    errors = np.sqrt(squares / np.mean(leafs**2, axis=(0, 1)))
    assert np.all(errors[:15] < low) and np.all(errors[15:] < high)


def test_default_compression_is_log1p_median_batch_norm(rng):
    waveform = noise(rng, 2, 3200) * np.array([[1.0], [0.01]], "float32")
    layer = EfficientLeaf()
    outputs = numbers(layer(waveform))
    # Not held above 1e-5: log1p needs no least energy.
    energies = numbers(layer.filterbank(waveform)).astype(np.float64)
    assert np.any(energies < 1e-5)
    logs = np.log1p(1e5 * energies)
    logs -= np.percentile(logs, 50, axis=1, keepdims=True, method="lower")
    expected = logs / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)


def test_parts_can_be_switched_off():
    def names(**arguments):
        layer = EfficientLeaf(n_filters=4, **arguments)
        layer.build((None, None))
        return {weight.name for weight in layer.weights} - {
            "center_freqs",
            "sigmas",
            "widths",
        }

    norm = {"gamma", "beta", "moving_mean", "moving_variance"}
    assert names() == {"a"} | norm
    assert names(temporal_batch_norm=False) == {"a"}
    assert names(compression="none") == set()
    assert names(compression="none", temporal_batch_norm=True) == norm
    assert names(compression="pcen") == {"alpha", "delta", "root", "smooth_coef"}
    layer = EfficientLeaf(learn_filters=False, learn_pooling=False, preemp=True)
    layer.build((None, None))
    trained = {weight.name for weight in layer.trainable_weights}
    assert trained == {"a", "gamma", "beta"}


def test_six_learned_numbers_a_filter():
    layer = EfficientLeaf()
    layer.build((None, None))
    assert sum(int(np.prod(w.shape)) for w in layer.trainable_weights) == 240


@pytest.mark.parametrize("preemp", [False, True])
def test_padded_clips_have_the_features_of_the_clips_alone(preemp, rng):
    lengths = [1, 160, 161, 700, 2400]
    layer = EfficientLeaf(n_filters=8, n_groups=3, preemp=preemp)
    waveform = noise(rng, len(lengths), 2400)
    features = numbers(layer(waveform, lengths=np.array(lengths)))
    for clip, length in enumerate(lengths):
        frames = -(-length // 160)
        alone = numbers(layer(waveform[clip : clip + 1, :length]))[0]
        np.testing.assert_allclose(features[clip, :frames], alone, rtol=1e-3, atol=2e-4)
        assert np.all(features[clip, frames:] == 0)


def test_keras_file_round_trip(rng, tmp_path):
    layer = EfficientLeaf(
        n_filters=6, n_groups=3, stride_factor=2.0, window_factor=3.0, preemp=True
    )
    model = keras.Sequential([keras.Input((None,)), layer, keras.layers.Dense(2)])
    for weight in layer.weights:
        change = rng.uniform(0.9, 1.1, weight.shape)
        weight.assign(numbers(weight) * change.astype("float32"))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    waveform = noise(rng, 2, 1300)
    np.testing.assert_array_equal(
        model.predict(waveform, verbose=0), loaded.predict(waveform, verbose=0)
    )
    assert loaded.layers[0].get_config() == layer.get_config()
    assert loaded.layers[0].filterbank.groups == layer.filterbank.groups


def test_training_learns_the_filters_and_the_moving_averages(rng):
    layer = EfficientLeaf(n_filters=8)
    model = keras.Sequential(
        [keras.Input((1600,)), layer, keras.layers.GlobalMaxPooling1D()]
    )
    model.compile("adam", "mse", run_eagerly=True)
    before = {w.path: numbers(w).copy() for w in layer.weights}
    model.fit(noise(rng, 4, 1600), np.ones((4, 8)), epochs=2, verbose=0)
    for weight in layer.weights:
        assert np.all(np.isfinite(numbers(weight)))
        assert np.any(numbers(weight) != before[weight.path]), weight.path


def test_what_is_kept_of_the_compression_learns(rng, tmp_path):
    """Its gains and batch norm, also of a saved layer; the filterbank stays."""
    model = keras.Sequential(
        [
            keras.Input((1600,)),
            EfficientLeaf(n_filters=4),
            keras.layers.GlobalMaxPooling1D(),
        ]
    )
    model.layers[0].freeze(keep_compression=True)
    model.save(tmp_path / "model.keras")
    for trained in (model, keras.models.load_model(tmp_path / "model.keras")):
        layer = trained.layers[0]
        trained.compile("adam", "mse", run_eagerly=True)
        before = {w.path: numbers(w).copy() for w in layer.weights}
        trained.fit(noise(rng, 4, 1600), np.ones((4, 4)), verbose=0)
        moved = {w.name for w in layer.weights if np.any(numbers(w) != before[w.path])}
        assert moved == {"a", "gamma", "beta", "moving_mean", "moving_variance"}


@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own tracing")
@pytest.mark.parametrize("level", [0.0, 1e-20, 1.0])
def test_finite_gradients(level):
    import tensorflow as tf

    layer = EfficientLeaf(n_filters=8, preemp=True)
    layer.build((None, None))
    waveform = tf.fill((2, 1600), np.float32(level))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(layer(waveform, training=True))
    for gradient in tape.gradient(loss, layer.trainable_variables):
        assert np.all(np.isfinite(gradient))


@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own converter")
def test_tflite_without_other_operators(rng):
    layer = EfficientLeaf()
    waveform = noise(rng, 1, 16000)
    np.testing.assert_allclose(
        run_tflite(layer, waveform), numbers(layer(waveform)), rtol=1e-4, atol=1e-3
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n_groups": 0}, "`n_groups` must be an integer of at least 1"),
        ({"window_factor": 0.0}, "`window_factor` must be above 0. Received: 0.0"),
        ({"stride_factor": -1.0}, "`stride_factor` must be above 0. Received: -1.0"),
        ({"initial_filters": "bark"}, "`initial_filters` must be one of"),
        ({"compression": "cube"}, "`compression` must be one of .*'log1p'"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        EfficientLeaf(**arguments)


def test_half_precision_policy_casts_the_features_only(rng):
    layer = EfficientLeaf(dtype="mixed_float16")
    waveform = noise(rng, 1, 1600)
    outputs = layer(waveform)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float16"
    np.testing.assert_allclose(
        numbers(ops.cast(outputs, "float32")),
        numbers(EfficientLeaf()(waveform)),
        rtol=2e-3,
        atol=2e-3,
    )
