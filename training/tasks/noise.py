"""Colored noise."""

import numpy as np

COLORS = ("pink", "white")


def colored_noise(random, samples, color, flat_below=1):
    """Noise of a color, of no certain level.

    Args:
        random: `numpy.random.Generator`.
        samples: Length, at least 1.
        color: "white"; "pink", whose power falls as 1 / frequency; or "brown", whose
            power falls as 1 / frequency^2.
        flat_below: Periods in the whole length below which the power of pink and of
            brown noise doesn't rise further.

    Returns:
        (samples,), float64.

    >>> colored_noise(np.random.default_rng(0), 8000, "pink").shape
    (8000,)
    """
    noise = random.standard_normal(samples)
    if color == "white":
        return noise
    # Imported here: Keras comes with it, which the names of colors don't need.
    from leaf_tf.dsp import mixing

    spectrum = np.fft.rfft(noise)
    periods = np.arange(len(spectrum)) / flat_below
    amplitudes = mixing.pink_amplitudes(np.maximum(periods, periods > 0), np)
    spectrum *= amplitudes if color == "pink" else amplitudes**2
    return np.fft.irfft(spectrum, samples)


def endless_noise(random, color, sample_rate):
    """Noise without an end, of mean square 1, half a second at a time.

    Pieces of a second, which `colored_noise` makes, fade into one another, each half of
    the next; pink noise has no power below 1 Hz so.

    Args:
        random: `numpy.random.Generator`.
        color: One of `COLORS`.
        sample_rate: Hz.

    Yields:
        (samples,), float64.

    >>> noise = endless_noise(np.random.default_rng(0), "pink", 8000)
    >>> next(noise).shape
    (4000,)
    """
    half = max(1, round(sample_rate / 2))
    window = np.sin(np.pi * (np.arange(2 * half) + 0.5) / (2 * half))
    fading = None
    while True:
        piece = colored_noise(random, 2 * half, color)
        power = np.mean(piece**2)
        piece *= window / np.sqrt(power if power else 1.0)
        if fading is not None:
            yield fading + piece[:half]
        fading = piece[half:]
