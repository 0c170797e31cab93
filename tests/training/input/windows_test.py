import numpy as np
import pytest
import soxr
import tensorflow as tf

from training.input.windows import at_speed, random_window

MARGIN = 256  # samples beside a window that are resampled with it


def windows(samples, window_samples, n=60, **how):
    """Windows of the clip 1, 2, ..., one a seed."""
    clip = tf.range(1.0, samples + 1.0)
    return [
        random_window(clip, window_samples, [0, seed], **how).numpy()
        for seed in range(n)
    ]


def test_of_a_clip_of_its_own_length():
    for window in windows(5, 5, n=3):
        np.testing.assert_array_equal(window, [1, 2, 3, 4, 5])


def test_a_shift_takes_neighbouring_samples_and_zeros_beyond_the_ends():
    """The clip 1 ... 6 in windows of 4, by up to 2 beyond: 7 places."""
    padded = np.pad(np.arange(1, 7), 2)
    places = {tuple(padded[start : start + 4]) for start in range(7)}
    assert {tuple(window) for window in windows(6, 4, shift=2)} == places


def test_a_shift_cuts_a_short_clip_by_half_at_most():
    """The clip 1 2 3 4 in windows of 6: beyond either end by 2, whatever is asked."""
    padded = np.pad(np.arange(1, 5), 4)
    places = {tuple(padded[start : start + 6]) for start in range(7)}
    assert {tuple(window) for window in windows(4, 6, shift=100)} == places


def band_limited(samples, limit, seed=0):
    """Noise of peak 1, without sound above a share of the Nyquist frequency."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=samples))
    spectrum[int(limit * samples / 2) :] = 0
    waveform = np.fft.irfft(spectrum, samples)
    return (waveform / np.abs(waveform).max()).astype("float32")


def at_places(waveform, places):
    """A band-limited waveform between its samples, equally far apart."""
    whole, share = int(places[0]), places[0] % 1
    frequencies = np.fft.rfftfreq(len(waveform))
    spectrum = np.fft.rfft(waveform) * np.exp(2j * np.pi * share * frequencies)
    return np.fft.irfft(spectrum, len(waveform))[whole : whole + len(places)]


@pytest.mark.parametrize("speed", [0.8, 0.95, 1.1, 1.6])
def test_a_speed_is_that_of_soxr(speed):
    samples, start, window_samples = 8000, 1500, 3000
    n_out = window_samples + 2 * MARGIN
    n_in = round(n_out * speed)
    clip = band_limited(samples, 0.9 * min(1, n_out / n_in))
    window = at_speed(tf.constant(clip), start, window_samples, np.float32(speed))
    resampled = soxr.resample(clip.astype(float), n_in, n_out, quality="VHQ")
    first = (start - round(MARGIN * speed)) * n_out / n_in + MARGIN
    expected = at_places(resampled, first + np.arange(window_samples))
    assert np.abs(window - expected).max() < 2e-4


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_a_tone_is_higher_by_the_speed_and_as_loud(speed):
    rate, frequency, samples = 8000, 700.0, 12000
    clip = np.sin(2 * np.pi * frequency / rate * np.arange(samples)).astype("float32")
    window = at_speed(tf.constant(clip), 2000, 4000, np.float32(speed)).numpy()
    windowed = np.abs(np.fft.rfft(window * np.hanning(4000), 2**18))
    peak = rate / 2**18 * windowed.argmax()
    # The speed is rounded to whole samples, by 1 / 4512 / 2; the bins are 0.03 Hz.
    assert peak == pytest.approx(speed * frequency, abs=0.13)
    assert np.sqrt(2 * np.mean(window**2)) == pytest.approx(1, abs=2e-3)


def test_what_would_be_aliased_is_gone():
    rate, samples = 8000, 12000
    clip = np.sin(2 * np.pi * 3500.0 / rate * np.arange(samples)).astype("float32")
    window = at_speed(tf.constant(clip), 2000, 4000, np.float32(1.2)).numpy()
    assert np.abs(window).max() < 1e-3


def test_windows_at_a_speed_fall_everywhere_in_the_clip():
    """A click at the end of a clip as long as what is played is in each window."""
    clip = np.zeros(1100, "float32")
    clip[1090] = 1
    window = random_window(tf.constant(clip), 1000, [0, 0], speed=tf.constant(1.1))
    assert abs(int(np.abs(window).argmax()) - 1090 / 1.1) <= 1
