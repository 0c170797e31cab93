"""Decimators, decimated taps and softened cuts."""

import numpy as np
import pytest

from leaf_tf.dsp.multirate import taps


def test_decimator_keeps_its_band_and_stops_images():
    for rate in (2, 3, 4, 7, 8):
        response = np.abs(np.fft.rfft(taps.decimator(rate), 8192))
        freqs = np.linspace(0, 1, len(response))
        np.testing.assert_allclose(response[freqs < 0.57 / rate], 1, atol=2e-4)
        # What is folded onto that band.
        assert response[freqs > 1.35 / rate].max() < 6e-5
        # Taps can make up for the rest of it.
        assert response[freqs < 0.78 / rate].min() > 0.8


def test_decimation_in_stages_is_one_decimator(rng):
    signal = rng.normal(size=1000)
    once = np.convolve(signal, taps.decimator(2), "valid")[::2]
    twice = np.convolve(once, taps.decimator(2), "valid")[::2]
    at_once = np.convolve(signal, taps.decimator(4), "valid")[::4]
    np.testing.assert_allclose(twice[: len(at_once)], at_once, atol=1e-12)


@pytest.mark.parametrize("rate", [2, 4, 5])
def test_decimated_taps_answer_as_the_gabor(rate):
    times = np.arange(-120, 121)
    gabor = np.exp(-0.5 * (times / 30) ** 2 + 0.3j * times)
    decimated = taps.decimated_taps(120, rate) @ gabor
    spread = np.zeros((len(decimated) - 1) * rate + 1, complex)
    spread[::rate] = decimated
    both = np.convolve(spread, taps.decimator(rate))
    reach = len(both) // 2 - 120
    error = both - np.pad(gabor, reach)
    assert np.linalg.norm(error) < 5e-4 * np.linalg.norm(gabor)


def test_softened_cut_keeps_the_window_and_narrows_its_spectrum():
    soft = taps.cut_window(401, taps.soft_half_length(401, 20), 20)
    hard = taps.cut_window(401, 200, 20)
    np.testing.assert_allclose(soft[100:-100], 1, atol=1e-6)
    far = slice(8192 // 20, None)
    energy = [np.sum(np.abs(np.fft.rfft(w, 8192))[far] ** 2) for w in (soft, hard)]
    assert energy[0] < 1e-3 * energy[1]


@pytest.mark.parametrize(
    "kernel_size, half_length, rate, stride",
    [
        (401, 200, 1, 1),  # as defined
        (401, 80, 1, 10),  # short
        (401, 250, 1, 20),  # softened
        (401, 250, 4, 20),
        (401, 132, 2, 16),
        (276, 138, 1, 1),  # the cut of an even size isn't symmetric
        (276, 138, 2, 2),
        (276, 188, 2, 20),
    ],
)
def test_half_a_gabor_gives_all_its_taps(kernel_size, half_length, rate, stride):
    times = np.arange(-half_length, half_length + 1)
    gabor = np.exp(-0.5 * (times / 60) ** 2 + 0.3j * times)
    matrix = taps.tap_matrix(kernel_size, half_length, rate, stride)
    expected = gabor if matrix is None else matrix @ gabor
    half = taps.folded_taps(kernel_size, half_length, rate, stride)
    parts = gabor[half_length:].real, gabor[half_length:].imag
    if half.matrices is not None:
        parts = [matrix @ part for matrix, part in zip(half.matrices, parts)]
    real, imaginary = (part[half.rows] for part in parts)
    found = real * half.factors[:, 0] + 1j * imaginary * half.factors[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-12)
