import numpy as np
import pytest
from keras import ops

import leaf_tf
from leaf_tf.dsp import units
from tests.leaf_tf.parameters import numbers
from tests.reference import leaf as reference

RATE = 16000


def responses(layer, waveform):
    """Complex outputs (samples, n_filters) of one clip."""
    outputs = numbers(layer(waveform[None, :, None].astype("float32")))
    return outputs[0, :, 0::2] + 1j * outputs[0, :, 1::2]


def test_impulse_returns_the_taps_reversed():
    layer = leaf_tf.GaborConv1D()
    impulse = np.zeros(801)
    impulse[400] = 1.0
    outputs = responses(layer, impulse)
    expected = reference.gabor_filters(
        numbers(layer.center_freqs), numbers(layer.sigmas), 401
    )
    # Cross-correlation reads the taps backwards.
    np.testing.assert_allclose(outputs[200:601], expected[:, ::-1].T, atol=2e-7)
    assert np.all(outputs[:200] == 0) and np.all(outputs[601:] == 0)


@pytest.mark.parametrize("n", [3, 20, 39])
def test_a_tone_is_loudest_in_its_own_filter(n):
    layer = leaf_tf.GaborConv1D()
    layer.build((None, None, 1))
    center = numbers(layer.center_freqs)[n]
    outputs = responses(layer, np.cos(center * np.arange(4000)))
    energies = (np.abs(outputs[1000:3000]) ** 2).mean(axis=0)
    assert energies.argmax() == n
    # The Gaussian has unit sum: a tone of amplitude 1 gives |z| = 1/2.
    np.testing.assert_allclose(energies[n], 0.25, rtol=0.05)


def test_measured_bandwidth_matches_sigma():
    layer = leaf_tf.GaborConv1D()
    layer.build((None, None, 1))
    impulse = np.zeros(401)
    impulse[200] = 1.0
    measured = responses(layer, impulse)
    n_fft = 1 << 16
    bin_hz = RATE / n_fft
    sigmas = numbers(layer.sigmas)
    for n in range(10, 40, 7):
        spectrum = np.abs(np.fft.fft(measured[:, n], n_fft))
        width = np.sum(spectrum >= spectrum.max() / 2) * bin_hz
        expected = units.sigmas_to_bandwidths_hz(sigmas[n], RATE)
        assert abs(width - expected) <= max(2 * bin_hz, 0.01 * expected)


def test_parameters_outside_their_bounds_are_clipped_forward(rng):
    layer = leaf_tf.GaborConv1D(n_filters=4)
    layer.build((None, None, 1))
    layer.center_freqs.assign([-1.0, 0.5, 4.0, 1.0])
    layer.sigmas.assign([0.1, 10.0, 1000.0, 20.0])
    waveform = rng.uniform(-1, 1, 900)
    expected = reference.energies(
        waveform, numbers(layer.center_freqs), numbers(layer.sigmas), 401
    )
    np.testing.assert_allclose(
        np.abs(responses(layer, waveform)) ** 2, expected, atol=1e-6
    )


def test_optimizers_bring_parameters_back_into_their_bounds():
    layer = leaf_tf.GaborConv1D(n_filters=2)
    layer.build((None, None, 1))
    below = layer.sigmas.constraint(ops.convert_to_tensor([0.0, 1000.0]))
    z = np.sqrt(2 * np.log(2)) / np.pi
    np.testing.assert_allclose(numbers(below), [4 * z, 401 * z], rtol=1e-6)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n_filters": 0}, "`n_filters` must be an integer of at least 1. Received: 0"),
        ({"kernel_size": 4.5}, "`kernel_size` must be an integer of at least 1."),
        ({"kernel_size": 2}, "`kernel_size` must be at least 4"),
        (
            {"max_freq": 9000.0},
            "`max_freq` must be at most sample_rate / 2 = 8000.0 Hz. Received: 9000.0",
        ),
        ({"min_freq": -1.0}, "`min_freq` must be at least 0 Hz. Received: -1.0"),
        ({"min_freq": 7900.0}, "`max_freq` must be greater than min_freq = 7900.0 Hz"),
        ({"initial_filters": "bark"}, "`initial_filters` must be one of"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        leaf_tf.GaborConv1D(**arguments)
    assert message in str(error.value)


def test_refuses_several_channels():
    with pytest.raises(ValueError, match="one channel"):
        leaf_tf.GaborConv1D()(np.zeros((1, 500, 2), "float32"))
