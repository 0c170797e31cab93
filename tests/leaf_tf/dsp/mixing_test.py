import numpy as np
import pytest
from keras import ops

from leaf_tf.dsp.mixing import mixture, noise_gain, pink_amplitudes


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 7.5])
def test_noise_has_the_level_that_was_asked_for(snr_db, rng):
    signal, noise = rng.normal(size=(2, 1000)) * [[0.3], [5.0]]
    gain = noise_gain(np.mean(signal**2), np.mean(noise**2), snr_db, np)
    ratio = np.mean(signal**2) / np.mean((gain * noise) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=1e-9)


def test_silence_gets_no_noise_and_silent_noise_no_infinite_gain():
    assert noise_gain(0.0, 2.0, -20.0, np) == 0
    assert np.isfinite(noise_gain(1.0, 0.0, -20.0, np))


def test_power_falls_as_one_over_frequency():
    powers = pink_amplitudes(np.arange(5.0), np) ** 2
    np.testing.assert_allclose(powers, [0, 1, 1 / 2, 1 / 3, 1 / 4], rtol=1e-15)


def test_keras_computes_what_numpy_does(rng):
    powers = rng.uniform(0.1, 2.0, (2, 6)).astype("float32")
    bins = np.arange(6, dtype="float32")
    gains = noise_gain(*map(ops.convert_to_tensor, powers), 5.0, ops)
    amplitudes = pink_amplitudes(ops.convert_to_tensor(bins), ops)
    for found, expected in (
        (gains, noise_gain(*powers, 5.0, np)),
        (amplitudes, pink_amplitudes(bins, np)),
    ):
        np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-6)


def test_shares_of_a_mixture():
    np.testing.assert_array_equal(
        mixture(np.array([1.0, 2.0]), np.array([3.0, 6.0]), np.array([0.75, 0.0])),
        [1.5, 6.0],
    )
