"""The mel scale, triangular filterbanks, and initial filters made from them."""

import math

import numpy as np

from leaf_tf.dsp import units

# Half-power constants of the paper's limits on sigma (arXiv:1711.01161, 2.2).
SIGMA_UNIT = math.sqrt(2.0 * math.log(2.0)) / math.pi
OFFICIAL_N_FFT = 512
# sqrt(triangle) is at least 1/2 where the triangle is at least 1/4: 3/4 of its base.
_PART_ABOVE_HALF = 0.75

INITIAL_FILTERS = ("mel", "official_mel", "linear", "random")


def hz_to_mel(freqs_hz):
    """Hz to mel, HTK formula."""
    return 1127.0 * np.log1p(np.asarray(freqs_hz, np.float64) / 700.0)


def mel_to_hz(mels):
    """Mel to Hz, HTK formula."""
    return 700.0 * np.expm1(np.asarray(mels, np.float64) / 1127.0)


def mel_edges_hz(n_filters, min_freq, max_freq):
    """Edges of `n_filters` triangles, equally spaced in mel.

    Returns:
        (n_filters + 2,), Hz. Filter n rises from edge n, peaks at n + 1 and
        ends at n + 2.
    """
    return mel_to_hz(
        np.linspace(hz_to_mel(min_freq), hz_to_mel(max_freq), n_filters + 2)
    )


def mel_filterbank(n_filters, n_fft, sample_rate, min_freq, max_freq):
    """Triangles on the mel axis, sampled at the bins of an FFT.

    Peak 1, the DC bin always zero, as `tf.signal.linear_to_mel_weight_matrix`.

    Returns:
        (n_fft // 2 + 1, n_filters), float64.
    """
    bins = hz_to_mel(np.arange(n_fft // 2 + 1) * (sample_rate / n_fft))
    edges = np.linspace(hz_to_mel(min_freq), hz_to_mel(max_freq), n_filters + 2)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles[0] = 0.0
    return triangles


def sigma_limits(kernel_size):
    """Least and greatest sigma of a Gabor filter of `kernel_size` taps, samples.

    [4 z, kernel_size z] with z = sqrt(2 ln 2) / pi: in frequency, no wider
    than half the band and no narrower than one bin.

    Source: arXiv:1711.01161, Sec. 2.2.
    """
    return 4.0 * SIGMA_UNIT, kernel_size * SIGMA_UNIT


def initial_gabor_filters(
    n_filters, kernel_size, sample_rate, min_freq, max_freq, initial_filters="mel"
):
    """Center frequencies and widths of Gabor filters placed like mel triangles.

    The amplitude response of filter n has the center of the square root of
    mel triangle n and its full width at half maximum. (A mel-filterbank
    weighs power; its square root weighs amplitude.)

    Args:
        initial_filters: "mel": computed on the continuous frequency axis, right
            at any rate and number of filters. "official_mel": read off the
            512-bin triangles as leaf-audio does: centers are whole bins
            (up to 15 Hz off at 16 kHz), widths are whole bins, and at high
            rates or many filters some triangles hold no bin; a ValueError
            then names them. "linear": triangles of one width, equally spaced in
            Hz. "random": centers drawn uniformly in mel and sorted, each as wide
            as a mel triangle there; the same ones every time.

    Returns:
        center_freqs (n_filters,), rad/sample, in [0, pi]; sigmas
        (n_filters,), samples, in `sigma_limits(kernel_size)`.
    """
    if initial_filters == "official_mel":
        centers_hz, widths_hz = _official_centers_and_widths(
            n_filters, sample_rate, min_freq, max_freq
        )
    elif initial_filters == "linear":
        edges = np.linspace(min_freq, max_freq, n_filters + 2)
        centers_hz = edges[1:-1]
        widths_hz = np.full(n_filters, _PART_ABOVE_HALF * 2 * (edges[1] - edges[0]))
    else:
        low_end, high_end = hz_to_mel(min_freq), hz_to_mel(max_freq)
        step = (high_end - low_end) / (n_filters + 1)
        mels = low_end + step * np.arange(1, n_filters + 1)
        if initial_filters == "random":
            random = np.random.default_rng(0)
            mels = np.sort(random.uniform(mels[0], mels[-1], n_filters))
        centers_hz = mel_to_hz(mels)
        reach = _PART_ABOVE_HALF * step
        widths_hz = mel_to_hz(mels + reach) - mel_to_hz(mels - reach)
    center_freqs = units.hz_to_radians(centers_hz, sample_rate)
    sigmas = SIGMA_UNIT * sample_rate / widths_hz
    return np.clip(center_freqs, 0.0, math.pi), np.clip(
        sigmas, *sigma_limits(kernel_size)
    )


def _official_centers_and_widths(n_filters, sample_rate, min_freq, max_freq):
    amplitudes = np.sqrt(
        mel_filterbank(n_filters, OFFICIAL_N_FFT, sample_rate, min_freq, max_freq)
    )
    peaks = amplitudes.max(axis=0)
    empty = np.flatnonzero(peaks == 0.0)
    if empty.size:
        raise ValueError(
            f"`initial_filters='official_mel'` has no bin in {empty.size} of "
            f"{n_filters} filters (first: filter {empty[0]}) at {sample_rate} Hz; "
            "use initial_filters='mel', which works at any rate."
        )
    bin_hz = sample_rate / OFFICIAL_N_FFT
    centers = amplitudes.argmax(axis=0)
    widths = (amplitudes >= peaks / 2.0).sum(axis=0)
    return centers * bin_hz, widths * bin_hz
