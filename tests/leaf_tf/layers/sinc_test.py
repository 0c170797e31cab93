import keras
import numpy as np
import pytest
from keras import ops

from leaf_tf.layers.sinc import SincConv1D
from tests.leaf_tf.parameters import numbers
from tests.reference import sincnet as reference


def built(**arguments):
    layer = SincConv1D(**arguments)
    layer.build((None, None, 1))
    return layer


def impulse_responses(layer):
    """Taps (n_filters, kernel_size) as measured with an impulse."""
    size = layer.kernel_size
    impulse = np.zeros(2 * size - 1, "float32")
    impulse[size - 1] = 1.0
    outputs = numbers(layer(impulse[None, :, None]))[0]
    left = (size - 1) // 2
    # Cross-correlation reads the taps backwards.
    return outputs[left : left + size][::-1].T


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"sample_rate": 44100, "kernel_size": 882, "n_filters": 64},
        {"sample_rate": 8000, "kernel_size": 51, "max_freq": 4000.0},
        {"n_filters": 1, "min_freq": 0.0, "max_freq": 8000.0},
    ],
)
def test_impulse_returns_the_taps(arguments):
    layer = built(**arguments)
    expected = reference.band_passes(
        numbers(layer.low_freqs), numbers(layer.bandwidths), layer.kernel_size
    )
    np.testing.assert_allclose(impulse_responses(layer), expected, atol=2e-5)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
def test_passes_its_band_in_hz_and_nothing_else(sample_rate):
    layer = built(
        n_filters=6, sample_rate=sample_rate, kernel_size=1001, max_freq=3900.0
    )
    n_fft = 1 << 15
    freqs_hz = np.arange(n_fft // 2 + 1) * sample_rate / n_fft
    spectra = np.abs(np.fft.rfft(impulse_responses(layer), n_fft))
    to_hz = sample_rate / (2 * np.pi)
    edges = numbers(layer.low_freqs) * to_hz
    np.testing.assert_allclose(edges[0], 60.0, rtol=1e-5)
    # Half a main lobe of the Hamming window.
    lobe = 2.0 * sample_rate / 1001
    for n, low in enumerate(edges):
        high = low + numbers(layer.bandwidths)[n] * to_hz
        if n < 5:
            np.testing.assert_allclose(edges[n + 1], high, rtol=1e-5)
        response = spectra[n] * (high - low) / (sample_rate / 2)
        inside = (freqs_hz > low + lobe) & (freqs_hz < high - lobe)
        outside = (freqs_hz < low - lobe) | (freqs_hz > high + lobe)
        np.testing.assert_allclose(response[inside], 1.0, atol=0.01)
        assert response[outside].max() < 0.005
        for edge in (low, high):
            at_edge = np.interp(edge, freqs_hz, response)
            np.testing.assert_allclose(at_edge, 0.5, atol=0.03)


def test_bands_stay_within_what_can_be_heard():
    layer = built(n_filters=3)
    least = 50 * 2 * np.pi / 16000
    lows = layer.low_freqs.constraint(ops.convert_to_tensor([-1.0, 0.5, 4.0]))
    np.testing.assert_allclose(numbers(lows), [0, 0.5, np.pi - least], rtol=1e-6)
    widths = layer.bandwidths.constraint(ops.convert_to_tensor([0.0, 0.5, 4.0]))
    np.testing.assert_allclose(numbers(widths), [least, 0.5, np.pi], rtol=1e-6)
    # Set from outside: clipped forward; a band that ends above pi ends at pi.
    layer.low_freqs.assign([-1.0, 3.0, 9.0])
    layer.bandwidths.assign([0.0, 1.0, 1.0])
    expected = reference.band_passes(
        [0.0, 3.0, np.pi - least], [least, np.pi - 3.0, least], 401
    )
    np.testing.assert_allclose(impulse_responses(layer), expected, atol=1e-4)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="uses tf.GradientTape"
)
def test_gradients_equal_finite_differences(rng):
    import tensorflow as tf

    layer = built(n_filters=4, kernel_size=101, dtype="float64")
    # At the least band and at 0 Hz, too: sin(x) / x was NaN there elsewhere.
    layer.low_freqs.assign([0.0, 0.3, 1.5, 3.0])
    layer.bandwidths.assign([50 * 2 * np.pi / 16000, 0.2, 0.7, 0.1])
    waveform = rng.uniform(-1, 1, (1, 300, 1))
    weights = rng.uniform(-1, 1, (1, 300, 4))

    def loss():
        return tf.reduce_sum(layer(waveform) * weights)

    for variable in (layer.low_freqs, layer.bandwidths):
        with tf.GradientTape() as tape:
            value = loss()
        gradient = numbers(tape.gradient(value, variable.value))
        assert np.all(np.isfinite(gradient))
        start = numbers(variable).copy()
        for n in range(4):
            step = 1e-5 * np.eye(4)[n]
            variable.assign(start + step)
            above = loss()
            variable.assign(start)
            # One-sided: below lies the bound.
            difference = (above - loss()) / 1e-5
            np.testing.assert_allclose(gradient[n], difference, rtol=0.01, atol=0.02)


def test_config_round_trip(rng):
    layer = SincConv1D(5, 64, 22050, 100.0, 9000.0, strides=3)
    again = SincConv1D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    waveform = rng.uniform(-1, 1, (2, 500, 1)).astype("float32")
    outputs = layer(waveform)
    assert tuple(outputs.shape) == layer.compute_output_shape(waveform.shape)
    np.testing.assert_array_equal(numbers(outputs), numbers(again(waveform)))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n_filters": 0}, "`n_filters` must be an integer of at least 1. Received: 0"),
        (
            {"max_freq": 9000.0},
            "`max_freq` must be at most sample_rate / 2 = 8000.0 Hz. Received: 9000.0",
        ),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        SincConv1D(**arguments)
    assert message in str(error.value)


def test_refuses_several_channels():
    with pytest.raises(ValueError, match="one channel"):
        SincConv1D()(np.zeros((1, 500, 2), "float32"))
