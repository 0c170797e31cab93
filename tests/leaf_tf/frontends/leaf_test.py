import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers, parameters_of, perturb
from tests.reference import leaf as reference


@pytest.mark.parametrize("samples", [1, 700, 4001])
def test_equals_reference(samples, rng):
    waveform = rng.uniform(-1, 1, (2, samples)).astype("float32")
    layer = leaf_tf.Leaf(method="exact")
    outputs = numbers(layer(waveform))
    for clip in range(2):
        expected = reference.leaf(waveform[clip], parameters_of(layer))
        np.testing.assert_allclose(outputs[clip], expected, rtol=1e-4, atol=1e-4)


def test_equals_reference_with_parameters_out_of_bounds(rng):
    layer = leaf_tf.Leaf(n_filters=12, method="exact")
    layer.build((None, None))
    perturb(layer, rng)
    waveform = rng.uniform(-1, 1, 3000).astype("float32")
    expected = reference.leaf(waveform, parameters_of(layer))
    np.testing.assert_allclose(
        numbers(layer(waveform[None]))[0], expected, rtol=1e-4, atol=1e-4
    )


def test_equals_reference_at_another_rate_and_window(rng):
    layer = leaf_tf.Leaf(
        n_filters=10,
        sample_rate=22050,
        window_len=20.0,
        window_stride=7.5,
        method="exact",
    )
    waveform = rng.uniform(-1, 1, 2000).astype("float32")
    outputs = numbers(layer(waveform[None]))
    # 20 ms and 7.5 ms at 22050 Hz, rounded down, one tap more for the window.
    expected = reference.leaf(waveform, parameters_of(layer), 442, 165)
    np.testing.assert_allclose(outputs[0], expected, rtol=1e-4, atol=1e-4)


def test_parameter_counts_of_the_paper():
    for n_filters, parameters in ((40, 280), (64, 448)):
        layer = leaf_tf.Leaf(n_filters)
        layer.build((None, None))
        assert layer.count_params() == parameters


def test_a_chirp_climbs_through_the_filters():
    times = np.arange(32000) / 16000
    phase = 2 * np.pi * (100 * times + 0.5 * (7000 - 100) / 2 * times**2)
    layer = leaf_tf.Leaf(compression="none")
    features = numbers(layer(0.5 * np.sin(phase)[None].astype("float32")))
    centers = numbers(layer.filtering.center_freqs) * 16000 / (2 * np.pi)
    frames = np.arange(10, 190, 20)
    # Frame k is centered on sample 80 + 160 k.
    expected = 100 + (7000 - 100) / 2 * (80 + 160 * frames) / 16000
    loudest = centers[features[0, frames].argmax(axis=1)]
    spacing = np.gradient(centers)[features[0, frames].argmax(axis=1)]
    assert np.all(np.abs(loudest - expected) <= spacing)


def test_learn_arguments_choose_what_is_trained():
    layer = leaf_tf.Leaf(learn_filters=False, preemp=True)
    layer.build((None, None))
    names = {weight.name for weight in layer.trainable_weights}
    assert names == {"widths", "alpha", "delta", "root", "smooth_coef"}
    layer = leaf_tf.Leaf(learn_pooling=False, compression="log")
    layer.build((None, None))
    names = {weight.name for weight in layer.trainable_weights}
    assert names == {"center_freqs", "sigmas"}


def test_two_layers_share_nothing():
    first, second = leaf_tf.Leaf(), leaf_tf.Leaf()
    first.build((None, None))
    second.build((None, None))
    first.compressing.alpha.assign(np.zeros(40))
    np.testing.assert_allclose(second.compressing.alpha, 0.96, rtol=1e-6)


def test_max_freq_follows_low_rates():
    assert leaf_tf.Leaf(sample_rate=8000).max_freq == 3900.0
    assert leaf_tf.Leaf(sample_rate=44100).max_freq == 7800.0
