"""The mel scale, triangular filterbanks, and initial filters made from them."""

import math

import numpy as np
from numpy.typing import ArrayLike

from leaf_tf.dsp import units

# Half-power constants of the paper's limits on sigma (arXiv:1711.01161, 2.2).
SIGMA_UNIT = math.sqrt(2.0 * math.log(2.0)) / math.pi
# Points of the FFT off whose bins leaf-audio reads its initial filters.
OFFICIAL_N_FFT = 512
# sqrt(triangle) is at least 1/2 where the triangle is at least 1/4: 3/4 of its base.
_PART_ABOVE_HALF = 0.75

INITIAL_FILTERS = ("mel", "official_mel", "linear", "random")


def hz_to_mel(freqs_hz: ArrayLike) -> np.ndarray:
    """Hz to mel, HTK formula.

    Example:
        >>> hz_to_mel([0.0, 700.0]).round(1)
        array([  0. , 781.2])
    """
    return 1127.0 * np.log1p(np.asarray(freqs_hz, np.float64) / 700.0)


def mel_to_hz(mels: ArrayLike) -> np.ndarray:
    """Mel to Hz, HTK formula.

    Example:
        >>> mel_to_hz([0.0, 781.2]).round(1)
        array([  0., 700.])
    """
    return 700.0 * np.expm1(np.asarray(mels, np.float64) / 1127.0)


def mel_edges_hz(n_filters: int, min_freq: float, max_freq: float) -> np.ndarray:
    """Edges of `n_filters` triangles, equally spaced in mel.

    Args:
        n_filters: Triangles.
        min_freq, max_freq: First and last edge, Hz.

    Returns:
        (n_filters + 2,), Hz. Filter n rises from edge n, peaks at n + 1 and
        ends at n + 2.

    Example:
        >>> mel_edges_hz(2, 0.0, 8000.0).round()
        array([   0.,  921., 3056., 8000.])
    """
    return mel_to_hz(
        np.linspace(hz_to_mel(min_freq), hz_to_mel(max_freq), n_filters + 2)
    )


def mel_filterbank(
    n_filters: int, n_fft: int, sample_rate: int, min_freq: float, max_freq: float
) -> np.ndarray:
    """Triangles on the mel axis, sampled at the bins of an FFT.

    Peak 1, the DC bin always zero, as `tf.signal.linear_to_mel_weight_matrix`.

    Args:
        n_filters: Triangles.
        n_fft: Points of the FFT.
        sample_rate: Sample rate, Hz.
        min_freq, max_freq: First and last edge, Hz.

    Returns:
        (n_fft // 2 + 1, n_filters), float64.

    Example:
        >>> mel_filterbank(40, 512, 16000, 60.0, 7800.0).shape
        (257, 40)
    """
    bins = hz_to_mel(np.arange(n_fft // 2 + 1) * (sample_rate / n_fft))
    edges = np.linspace(hz_to_mel(min_freq), hz_to_mel(max_freq), n_filters + 2)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles[0] = 0.0
    return triangles


def sigma_limits(kernel_size: int) -> tuple[float, float]:
    """Least and greatest sigma of a Gabor filter of `kernel_size` taps, samples.

    [4 z, kernel_size z] with z = sqrt(2 ln 2) / pi: in frequency, no wider
    than half the band and no narrower than one bin.

    Example:
        >>> least, greatest = sigma_limits(401)
        >>> round(least, 3), round(greatest, 1)
        (1.499, 150.3)

    Source: arXiv:1711.01161, Sec. 2.2.
    """
    return 4.0 * SIGMA_UNIT, kernel_size * SIGMA_UNIT


def initial_gabor_filters(
    n_filters: int,
    kernel_size: int,
    sample_rate: int,
    min_freq: float,
    max_freq: float,
    initial_filters: str = "mel",
) -> tuple[np.ndarray, np.ndarray]:
    """Center frequencies and widths of Gabor filters placed like mel triangles.

    The amplitude response of filter n has the center of the square root of
    mel triangle n and its full width at half maximum. (A mel-filterbank
    weighs power; its square root weighs amplitude.)

    Args:
        n_filters: Filters.
        kernel_size: Taps, which limit the widths.
        sample_rate: Sample rate, Hz.
        min_freq, max_freq: First and last edge of the triangles, Hz.
        initial_filters: "mel": computed on the continuous frequency axis, right
            at any rate and number of filters. "official_mel": read off the
            512-bin triangles as leaf-audio does: centers are whole bins
            (up to 15 Hz off at 16 kHz), widths are whole bins. "linear": triangles
            of one width, equally spaced in Hz. "random": centers drawn uniformly in
            mel and sorted, each as wide as a mel triangle there; the same ones every
            time.

    Returns:
        center_freqs (n_filters,), rad/sample, in [0, pi]; sigmas
        (n_filters,), samples, in `sigma_limits(kernel_size)`.

    Raises:
        ValueError: "official_mel" at a high rate or with many filters, where some
            triangles contain no bin.

    Example:
        >>> center_freqs, sigmas = initial_gabor_filters(3, 401, 16000, 60.0, 7800.0)
        >>> units.radians_to_hz(center_freqs, 16000).round()
        array([ 690., 1842., 3948.])
        >>> sigmas.round(1)
        array([4.6, 2.5, 1.5])

    Source: LEAF, arXiv:2101.08596, Sec. 3.
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
