import numpy as np
import pytest

from leaf_tf.dsp import mel, units
from tests.reference import mel as reference


def test_hz_to_mel_known_values():
    np.testing.assert_allclose(mel.hz_to_mel(700.0), 1127.0 * np.log(2.0))
    np.testing.assert_allclose(
        mel.mel_to_hz(mel.hz_to_mel([0.0, 60.0, 7800.0])), [0.0, 60.0, 7800.0]
    )


def test_filterbank_equals_reference():
    ours = mel.mel_filterbank(40, 512, 16000, 60.0, 7800.0)
    theirs = reference.mel_triangles(40, 512, 16000, 60.0, 7800.0)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize(
    "sample_rate, n_filters", [(16000, 40), (48000, 128), (8000, 23)]
)
def test_initial_filters_have_the_width_of_mel_triangles(sample_rate, n_filters):
    max_freq = 0.4875 * sample_rate
    kernel_size = units.window_samples(25.0, sample_rate)
    centers, sigmas = mel.initial_gabor_filters(
        n_filters, kernel_size, sample_rate, 60.0, max_freq
    )
    # The square root of the triangle on a fine axis, and the Gabor's response.
    freqs = np.linspace(0.0, sample_rate / 2, 200001)
    edges = mel.mel_edges_hz(n_filters, 60.0, max_freq)
    low, high = mel.sigma_limits(kernel_size)
    for n in range(0, n_filters, 5):
        triangle = np.interp(
            mel.hz_to_mel(freqs), mel.hz_to_mel(edges[n : n + 3]), [0.0, 1.0, 0.0]
        )
        above = freqs[np.sqrt(triangle) >= 0.5]
        np.testing.assert_allclose(
            units.radians_to_hz(centers[n], sample_rate), edges[n + 1], rtol=1e-12
        )
        if low < sigmas[n] < high:
            bandwidth = units.sigmas_to_bandwidths_hz(sigmas[n], sample_rate)
            # Both edges are known to a step of the axis.
            assert abs(bandwidth - (above[-1] - above[0])) <= 2 * freqs[1]


def test_initial_filters_are_never_out_of_bounds():
    for n_filters in (1, 8, 64, 128):
        for sample_rate in (8000, 16000, 44100, 96000):
            kernel_size = units.window_samples(25.0, sample_rate)
            centers, sigmas = mel.initial_gabor_filters(
                n_filters, kernel_size, sample_rate, 60.0, 0.4875 * sample_rate
            )
            low, high = mel.sigma_limits(kernel_size)
            assert np.all(np.diff(centers) > 0)
            assert 0 < centers[0] and centers[-1] < np.pi
            assert np.all((sigmas >= low) & (sigmas <= high))


def test_official_filters_are_whole_bins_and_close_to_the_exact_ones():
    official, _ = mel.initial_gabor_filters(
        40, 401, 16000, 60.0, 7800.0, "official_mel"
    )
    exact, _ = mel.initial_gabor_filters(40, 401, 16000, 60.0, 7800.0, "mel")
    bins = official * 512 / (2 * np.pi)
    np.testing.assert_allclose(bins, np.round(bins), atol=1e-9)
    # Half a bin of 31.25 Hz, and no more.
    assert np.max(np.abs(units.radians_to_hz(official - exact, 16000))) <= 15.7


def test_official_filters_refuse_empty_triangles():
    with pytest.raises(ValueError, match="no bin in .* of 128 filters .* 96000 Hz"):
        mel.initial_gabor_filters(128, 2401, 96000, 60.0, 7800.0, "official_mel")


def test_linear_filters_are_equally_spaced_and_equally_wide():
    center_freqs, sigmas = mel.initial_gabor_filters(
        7, 401, 16000, 0.0, 8000.0, "linear"
    )
    np.testing.assert_allclose(center_freqs, np.pi * np.arange(1, 8) / 8)
    # The triangles' base is 2 kHz; 3/4 of it is the width at half the amplitude.
    half = np.exp(-0.5 * (sigmas * 2 * np.pi * 750 / 16000) ** 2)
    np.testing.assert_allclose(half, 0.5)


@pytest.mark.parametrize(
    "n_filters, sample_rate", [(1, 8000), (40, 16000), (128, 48000)]
)
def test_random_filters_are_sorted_in_band_and_always_the_same(n_filters, sample_rate):
    settings = (n_filters, 2001, sample_rate, 60.0, 0.4 * sample_rate)
    center_freqs, sigmas = mel.initial_gabor_filters(*settings, "random")
    centers_hz = center_freqs * sample_rate / (2 * np.pi)
    assert np.all(np.diff(centers_hz) > 0)
    assert centers_hz[0] > 60.0 and centers_hz[-1] < 0.4 * sample_rate
    again = mel.initial_gabor_filters(*settings, "random")
    np.testing.assert_array_equal((center_freqs, sigmas), again)
    # As wide as a mel filter there: lower ones are narrower.
    assert np.all(np.diff(sigmas) <= 0)
    if n_filters > 1:
        regular, _ = mel.initial_gabor_filters(*settings, "mel")
        assert np.abs(center_freqs - regular).max() > 1e-3
