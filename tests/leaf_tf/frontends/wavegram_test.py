import math

import numpy as np
import pytest

from leaf_tf.frontends.wavegram import Wavegram, hop_factors
from tests.leaf_tf.parameters import numbers
from tests.reference import wavegram as reference


def scrambled(rng, **arguments):
    """A built Wavegram whose normalisations have statistics and shifts."""
    layer = Wavegram(n_filters=8, **arguments)
    layer.build((None, None))
    for norm in layer.norms:
        size = norm.gamma.shape
        norm.gamma.assign(rng.uniform(0.5, 2, size))
        norm.beta.assign(rng.normal(0, 0.5, size))
        norm.moving_mean.assign(rng.normal(0, 0.1, size))
        norm.moving_variance.assign(rng.uniform(0.05, 1, size))
    return layer


@pytest.mark.parametrize(
    "arguments, factors",
    [
        ({}, (5, 4, 4, 2)),
        ({"sample_rate": 32000}, (5, 4, 4, 4)),
        ({"sample_rate": 44100}, (7, 7, 3, 3)),
        ({"sample_rate": 8000, "window_stride": 127 / 8}, (127, 1, 1, 1)),
        ({"sample_rate": 8000, "window_stride": 0.125}, (1, 1, 1, 1)),
    ],
)
@pytest.mark.parametrize("samples", [1, 1501])
def test_equals_reference(arguments, factors, samples, rng):
    layer = scrambled(rng, **arguments)
    assert layer.factors == factors
    waveform = rng.uniform(-1, 1, (2, samples)).astype("float32")
    outputs = numbers(layer(waveform))
    kernels = [numbers(convolution.kernel) for convolution in layer.convolutions]
    norms = [
        [
            numbers(weight)
            for weight in (
                norm.gamma,
                norm.beta,
                norm.moving_mean,
                norm.moving_variance,
            )
        ]
        for norm in layer.norms
    ]
    for clip in range(2):
        expected = reference.wavegram(waveform[clip], kernels, norms, factors)
        np.testing.assert_allclose(outputs[clip], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("strides", [1, 2, 97, 110, 160, 220, 240, 320, 441, 480, 960])
def test_factors_multiply_to_the_hop(strides):
    assert math.prod(hop_factors(strides)) == strides


def test_as_published_at_32_khz():
    layer = Wavegram(n_filters=128, sample_rate=32000)
    layer.build((None, None))
    shapes = [tuple(layer.kernel.shape) for layer in layer.convolutions]
    assert shapes == [
        (11, 1, 64),
        (3, 64, 64),
        (3, 64, 64),
        (3, 64, 128),
        (3, 128, 128),
        (3, 128, 128),
        (3, 128, 128),
    ]
    assert [c.dilation_rate for c in layer.convolutions[1:]] == 3 * [(1,), (2,)]


def test_clips_of_a_batch_are_as_alone(rng):
    layer = scrambled(rng)
    lengths = np.array([1000, 999, 1, 160, 161, 500], "int32")
    waveform = rng.uniform(-1, 1, (len(lengths), 1000)).astype("float32")
    outputs = numbers(layer(waveform, lengths=lengths))
    for clip, length in enumerate(lengths):
        alone = numbers(layer(waveform[clip : clip + 1, :length]))[0]
        kept = outputs[clip, : len(alone)]
        np.testing.assert_allclose(kept, alone, atol=1e-5, rtol=1e-5)
        assert not outputs[clip, len(alone) :].any()


def test_padding_changes_nothing_in_training(rng):
    waveform = rng.uniform(-1, 1, (2, 640)).astype("float32")
    layer, padded = scrambled(rng), Wavegram(n_filters=8)
    padded.build((None, None))
    padded.set_weights(layer.get_weights())
    expected = numbers(layer(waveform, training=True))
    # 960 samples that follow count neither in features nor in statistics.
    outputs = padded(
        np.pad(waveform, ((0, 0), (0, 960)), constant_values=1.0),
        lengths=np.array([640, 640], "int32"),
        training=True,
    )
    np.testing.assert_allclose(numbers(outputs)[:, :4], expected, rtol=1e-3, atol=1e-4)
    for one, other in zip(layer.norms, padded.norms):
        for name in ("moving_mean", "moving_variance"):
            np.testing.assert_allclose(
                numbers(getattr(other, name)),
                numbers(getattr(one, name)),
                rtol=1e-4,
                atol=1e-5,
            )


def test_training_moves_the_statistics_and_inference_does_not(rng):
    layer = scrambled(rng)
    waveform = rng.uniform(-1, 1, (2, 640)).astype("float32")
    before = [numbers(norm.moving_mean).copy() for norm in layer.norms]
    first = numbers(layer(waveform, training=False))
    np.testing.assert_array_equal(first, numbers(layer(waveform)))
    for norm, mean in zip(layer.norms, before):
        np.testing.assert_array_equal(numbers(norm.moving_mean), mean)
    layer(waveform, training=True)
    for norm, mean in zip(layer.norms, before):
        assert np.abs(numbers(norm.moving_mean) - mean).max() > 1e-3
