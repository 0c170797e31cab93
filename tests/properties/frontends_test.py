"""What holds for every frontend, whatever its settings, its weights and the sound."""

import keras
import numpy as np
import pytest
from hypothesis import strategies as st
from keras import ops

import leaf_tf
from leaf_tf.dsp.multirate import allowed_errors
from leaf_tf.frontends import FRONTENDS
from leaf_tf.layers.compressions import COMPRESSIONS
from tests.leaf_tf.parameters import numbers
from tests.properties.stress import (
    PLACES,
    TIMINGS,
    examples,
    frontend_settings,
    hold,
    move,
    require_finite,
    waveforms,
)

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="gradients by TensorFlow's tape"
)


@needs_tensorflow
@examples(35, 300)
def test_outputs_and_gradients_are_finite(n_examples):
    def check(settings, waveform, place, seed, by_lengths):
        frontend, arguments = settings
        layer = frontend(**arguments)
        layer.build((None, None))
        move(layer, place, seed)
        batch, samples = waveform.shape
        call = {}
        if by_lengths:
            call["lengths"] = 1 + np.arange(batch) * (samples - 1) // batch
        features = require_finite(layer, waveform, **call)
        frames = layer.n_frames(samples)
        assert tuple(features.shape[:2]) == (batch, frames)

    hold(
        check,
        n_examples,
        frontend_settings(),
        waveforms(),
        st.sampled_from(PLACES),
        st.integers(0, 99),
        st.booleans(),
    )


@examples(15, 100)
def test_padding_and_neighbours_change_nothing(n_examples):
    def check(settings, waveform, seed):
        frontend, arguments = settings
        layer = frontend(**{**arguments, "dtype": "float32", "mean_var_norm": False})
        samples = waveform.shape[1]
        random = np.random.default_rng(seed)
        length = int(random.integers(1, samples + 1))
        batch = random.uniform(-1, 1, (2, samples)).astype("float32")
        batch[0, :length] = np.clip(waveform[0, :length], -1, 1)
        lengths = np.array([length, samples])
        mask = np.arange(samples) < lengths[:, None]
        together = numbers(layer(batch, lengths=lengths))
        np.testing.assert_array_equal(together, numbers(layer(batch, mask=mask)))
        for row, clip, own in zip(together, batch, lengths):
            alone = numbers(layer(clip[None, :own]))[0]
            np.testing.assert_allclose(row[: len(alone)], alone, rtol=1e-3, atol=1e-4)
            assert not row[len(alone) :].any()

    hold(check, n_examples, frontend_settings(), waveforms(1500), st.integers(0, 99))


def exact_twin(layer):
    """The same LEAF by the definition, with the same weights."""
    twin = leaf_tf.Leaf.from_config({**layer.get_config(), "method": "exact"})
    twin.build((None, None))
    twin.set_weights(layer.get_weights())
    return twin


@examples(8, 60)
def test_fast_is_within_its_tolerance_of_exact(n_examples):
    def check(timing, n_filters, initial, padding, place, seed, tolerance, by_lengths):
        sample_rate, window_len, window_stride = timing
        layer = leaf_tf.Leaf(
            n_filters=n_filters,
            sample_rate=sample_rate,
            window_len=window_len,
            window_stride=window_stride,
            initial_filters=initial,
            pooling_padding=padding,
            compression="none",
            tolerance=tolerance,
        )
        layer.build((None, None))
        move(layer, place, seed)
        samples = max(4 * layer.kernel_size, 30 * layer.strides) + seed
        random = np.random.default_rng(seed)
        # Loud: no energy is as small as the least that there is.
        waveform = random.normal(0, 30, (3, samples)).astype("float32")
        call = {"lengths": [samples, samples - 7, samples // 2]} if by_lengths else {}
        expected = numbers(exact_twin(layer)(waveform, **call))
        errors = numbers(layer(waveform, **call)) - expected
        relative = np.sqrt(np.mean(errors**2, axis=(0, 1))) / expected.mean(axis=(0, 1))
        _, sigmas, _ = layer.bounded_weights()
        allowed = allowed_errors(numbers(sigmas), layer.kernel_size, tolerance)
        # Of whole clips, their ends included; float32 has its own error.
        assert np.all(relative <= allowed[2] + 5e-6)

    hold(
        check,
        n_examples,
        st.sampled_from(TIMINGS),
        st.integers(1, 6),
        st.sampled_from(["mel", "linear", "random"]),
        st.sampled_from(["same", "symmetric"]),
        st.sampled_from(PLACES),
        st.integers(0, 99),
        st.sampled_from([1e-4, 1e-3, 1e-2]),
        st.booleans(),
    )


CASES = [(name, c) for name in FRONTENDS for c in COMPRESSIONS if name != "sincnet"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name, compression", [*CASES, ("sincnet", "none")])
def test_a_sample_that_is_no_number_is_heard_in_its_own_clip_alone(
    name, compression, bad, rng
):
    """The rule that `Frontend` documents."""
    layer = FRONTENDS[name](n_filters=3, sample_rate=8000, compression=compression)
    waveform = rng.uniform(-1, 1, (3, 2400)).astype("float32")
    clean = numbers(layer(waveform))
    waveform[1, 1200] = bad
    features = numbers(layer(waveform))
    np.testing.assert_allclose(features[[0, 2]], clean[[0, 2]], rtol=1e-4, atol=1e-5)
    is_bad = ~np.isfinite(features[1])
    hit = np.argmax(is_bad.any(axis=1))
    # The frame that begins where the sample is has heard it in some filter.
    assert is_bad[1200 // layer.strides - 1 : 1200 // layer.strides + 1].any()
    if compression.endswith("pcen"):  # which goes on from what it remembers
        assert is_bad[hit:].any(axis=1).all()
    # No feature looks right and is not.
    same = np.isclose(features[1], clean[1], rtol=1e-3, atol=1e-3)
    assert np.all(same | is_bad)


@pytest.mark.parametrize("name", FRONTENDS)
def test_what_follows_a_clip_may_be_no_number(name, rng):
    layer = FRONTENDS[name](n_filters=3, sample_rate=8000)
    waveform = rng.uniform(-1, 1, (2, 2400)).astype("float32")
    lengths = np.array([1000, 2400])
    clean = numbers(layer(waveform, lengths=lengths))
    waveform[0, 1000:] = np.nan
    np.testing.assert_array_equal(numbers(layer(waveform, lengths=lengths)), clean)


def test_mean_and_variance_of_a_clip_that_holds_no_number(rng):
    layer = leaf_tf.Leaf(n_filters=3, sample_rate=8000, mean_var_norm=True)
    waveform = rng.uniform(-1, 1, (2, 2400)).astype("float32")
    waveform[0, 1200] = np.nan
    features = numbers(layer(waveform))
    assert np.all(np.isnan(features[0])) and np.all(np.isfinite(features[1]))


def test_float16_features_end_at_its_largest_number(rng):
    waveform = 1e4 * rng.uniform(-1, 1, (1, 1600)).astype("float32")
    arguments = {"n_filters": 3, "sample_rate": 8000, "compression": "none"}
    layer = leaf_tf.Leaf(**arguments, dtype="mixed_float16")
    expected = numbers(leaf_tf.Leaf(**arguments)(waveform))
    assert expected.max() > 65504
    features = numbers(ops.cast(layer(waveform), "float32"))
    np.testing.assert_allclose(features, np.minimum(expected, 65504), rtol=1e-3)
