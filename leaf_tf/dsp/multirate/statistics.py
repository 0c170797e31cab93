"""Statistics of filtered noise: covariances of a filterbank's energies.

For Gaussian noise the covariance of two energies |a|^2, |b|^2 at lag tau is

    K(tau) = |E[a*(n) b(n + tau)]|^2 + |E[a(n) b(n + tau)]|^2,

both from the filters' frequency responses. So the error of computing fewer energies is
known before any is computed, and the pooling weights of least error are the solution of
a linear system.
"""

from collections.abc import Sequence

import numpy as np

from leaf_tf.dsp.multirate import taps

# The adverse input is noise this much stronger outside a filter's band than in it.
_CONTRAST = 10.0 ** (20.0 / 10.0)
# Half that band, in standard deviations of the filter's frequency response.
_HALF_BAND = 4.0
# An onset: energies rise by this power of ten over the pooling window.
_RISE = 4.0
# Weight of "the sum of the energies is kept" against their covariance: a bias is there
# in every frame, noise averages out.
_MEAN_WEIGHT = 10.0
# Noise assumed in the computed energies, -80 dB: keeps the weights small.
_RIDGE = 1e-8

# Share of a filter's mean energy below which the overlap of its response with its own
# mirror image counts for nothing: the covariance takes its square.
_NO_OVERLAP = 1e-6
# Inputs: indices of `BankStatistics.inputs`.
WHITE, ADVERSE = 0, 1
# What errors are predicted in: the input, and the index of the pooling window: whole,
# its second half, and as noise that rises by 40 dB sees it.
_SITUATIONS = ((WHITE, 0), (ADVERSE, 0), (WHITE, 1), (WHITE, 2))

Values = Sequence[float] | np.ndarray


def gabor(center_freqs: np.ndarray, sigmas: np.ndarray, half_length: int) -> np.ndarray:
    """Complex Gabor filters in float64, not cut by a window.

    Args:
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        half_length: Samples on either side of the center.

    Returns:
        (n_filters, 2 * half_length + 1), complex128.

    Example:
        >>> gabor(np.array([0.0]), np.array([1.0]), 1).real.round(3)
        array([[0.242, 0.399, 0.242]])
    """
    times = np.arange(-half_length, half_length + 1)
    exponents = -0.5 * (times / sigmas[:, None]) ** 2
    return np.exp(exponents + 1j * center_freqs[:, None] * times) / (
        np.sqrt(2.0 * np.pi) * sigmas[:, None]
    )


def gaussian_lowpass(widths: np.ndarray, pool_size: int) -> np.ndarray:
    """Pooling windows in float64, peak 1.

    Args:
        widths: (n_filters,), relative to half the window.
        pool_size: Samples in the window.

    Returns:
        (n_filters, pool_size).

    Example:
        >>> gaussian_lowpass(np.array([0.4]), 3).round(3)
        array([[0.044, 1.   , 0.044]])
    """
    half = (pool_size - 1) / 2
    positions = (np.arange(pool_size) - half) / max(half, 0.5)
    return np.exp(-0.5 * (positions / widths[:, None]) ** 2)


class BankStatistics:
    """Energies of a filterbank at every sample: what computing fewer is measured by.

    Args:
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        pooling_widths: (n_filters,), relative to half the pooling window.
        kernel_size, pool_size: Samples in a filter and in the pooling window.
        span: Samples over which energies are computed for one frame.

    Attributes:
        lowpasses: (2, n_filters, pool_size): the pooling windows, and their second
            halves, which remain at the start of a clip.
        size: Of all transforms, samples.
        responses: (n_filters, size), frequency responses of the definition.
        inputs: (2, n_filters, size), power spectra of `WHITE` and `ADVERSE`.
        exact: For each input: spectra of the energies' covariances, relative to the
            mean squared, (n_filters, size // 2 + 1); means, (n_filters,).
        window_sums, window_spectra: (3, n_filters), (3, n_filters, size // 2 + 1): of
            `lowpasses`, and of the first as it pools noise that rises.

    Example:
        >>> statistics = BankStatistics([0.5], [20.0], [0.4], 401, 401, 480)
        >>> positions = np.arange(0, 401, 20)
        >>> computed = statistics.computed(np.array([0]), 1, 20, 60)
        >>> weights = computed.pooling_weights(positions)
        >>> errors = computed.relative_errors(positions, weights)
        >>> errors.shape, errors[0] < 1e-2
        ((4, 1), array([ True]))
    """

    def __init__(
        self,
        center_freqs: Values,
        sigmas: Values,
        pooling_widths: Values,
        kernel_size: int,
        pool_size: int,
        span: int,
    ):
        self.center_freqs = np.asarray(center_freqs, np.float64)
        self.sigmas = np.asarray(sigmas, np.float64)
        self.kernel_size = kernel_size
        whole = gaussian_lowpass(np.asarray(pooling_widths, np.float64), pool_size)
        # At the ends of a clip, at worst, half the pooling window is outside.
        inside = np.arange(pool_size) >= pool_size // 2
        self.lowpasses = np.stack([whole, whole * inside])
        # Noise that rises, pooled, equals steady noise pooled by a window that rises.
        rise = _rise(np.arange(pool_size), pool_size)
        windows = np.stack([*self.lowpasses, whole * rise])
        self.window_sums = windows.sum(axis=-1)
        # Lags up to the span, both signs, without wrapping around.
        self.size = 1 << int(np.ceil(np.log2(2 * max(span, kernel_size))))
        self.window_spectra = np.fft.rfft(windows, self.size)
        every = np.arange(len(self.sigmas))
        self.responses = self._responses(every, 1, 1, kernel_size // 2, None)
        self.inputs = self._power_spectra()
        exact = ComputedEnergies(self, every, self.responses)
        self.exact = [
            (auto / mean[:, None] ** 2, mean)
            for auto, mean in (exact.covariance(input_) for input_ in (WHITE, ADVERSE))
        ]

    def _power_spectra(self):
        """Inputs (2, n_filters, size): white noise; 20 dB stronger outside the band."""
        freqs = 2.0 * np.pi * np.abs(np.fft.fftfreq(self.size))
        distances = np.abs(freqs - self.center_freqs[:, None]) * self.sigmas[:, None]
        adverse = np.where(distances < _HALF_BAND, 1.0, _CONTRAST)
        return np.stack([np.ones_like(adverse), adverse])

    def computed(
        self,
        filters: np.ndarray,
        rate: int,
        stride: int,
        half_length: int,
        cut: np.ndarray | None = None,
    ) -> "ComputedEnergies":
        """Energies by the taps that a group computes with.

        Args:
            filters: (filters,), indices.
            rate, stride, half_length: Those of a `Group`.
            cut: (filters, 2 * half_length + 1), a window in place of the
                definition's cut. Defaults to that.

        Returns:
            `ComputedEnergies`, with the decimator's part.
        """
        responses = self._responses(filters, rate, stride, half_length, cut)
        return ComputedEnergies(self, filters, responses)

    def _responses(self, filters, rate, stride, half_length, cut):
        """Frequency responses (filters, size), complex, of the taps of `computed`."""
        if cut is None:
            cut = taps.cut_window(self.kernel_size, half_length, stride)
        gabors = cut * gabor(
            self.center_freqs[filters], self.sigmas[filters], half_length
        )
        if rate == 1:
            return self._response(gabors, 1)
        decimation = taps.decimated_taps(half_length, rate)
        # Two real products: a complex one would make the matrix complex first.
        decimated = gabors.real @ decimation.T + 1j * (gabors.imag @ decimation.T)
        decimator = taps.decimator(rate)[None]
        return self._response(decimated, rate) * self._response(decimator, 1)

    def _response(self, impulse_responses, rate):
        """Responses (filters, size) of taps `rate` samples apart, the middle at 0."""
        n_taps = impulse_responses.shape[1]
        times = (np.arange(n_taps) - n_taps // 2) * rate % self.size
        wrapped = np.zeros((len(impulse_responses), self.size), impulse_responses.dtype)
        # Taps longer than the transform wrap around, so a time may occur twice.
        np.add.at(wrapped.T, times, impulse_responses.T)
        return np.fft.fft(wrapped)


class ComputedEnergies:
    """Energies that a plan computes in place of the definition's, as random variables.

    Covariances are computed once for each input, whatever is then asked of them.

    Args:
        statistics: `BankStatistics` of the definition.
        filters: (filters,), indices.
        responses: (filters, size), frequency responses of the taps.
    """

    def __init__(
        self, statistics: BankStatistics, filters: np.ndarray, responses: np.ndarray
    ):
        self._statistics = statistics
        self._filters = filters
        self._responses = responses
        self._relative: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def covariance(self, input_: int) -> tuple[np.ndarray, np.ndarray]:
        """Spectrum of K (filters, size // 2 + 1) of these energies; means (filters,).

        Args:
            input_: `WHITE` or `ADVERSE`.
        """
        power = self._statistics.inputs[input_, self._filters]
        # Wiener and Khinchin: a correlation is the transform of the cross spectrum.
        # That of a filter with itself is real, so half of the lags are enough.
        direct = np.fft.ihfft(np.abs(self._responses) ** 2 * power)
        lags = np.abs(direct) ** 2
        means = direct[:, 0].real
        overlap, which = self._mirrored(self._responses, power, means)
        lags[which] += np.abs(overlap[:, : lags.shape[1]]) ** 2
        return np.fft.hfft(lags, self._statistics.size)[:, : lags.shape[1]], means

    def _cross_covariance(self, input_):
        """Spectrum of K (filters, size // 2 + 1) with the definition's energies."""
        power = self._statistics.inputs[input_, self._filters]
        exact = self._statistics.responses[self._filters]
        direct = np.fft.ifft(np.conj(self._responses) * exact * power)
        lags = np.abs(direct) ** 2
        overlap, which = self._mirrored(exact, power, direct[:, 0].real)
        lags[which] += np.abs(overlap) ** 2
        return np.fft.rfft(lags)

    def _mirrored(self, others, power, means):
        """E[a(n) b(n + tau)], and of which filters: of the others it is negligible.

        Without the conjugate it is the response at -w that meets the one at w. For
        filters near 0 Hz or half the rate the two overlap.
        """
        mirrored = np.roll(self._responses[:, ::-1], 1, axis=1)
        products = mirrored * others
        products *= power
        which = np.abs(products).mean(axis=1) > _NO_OVERLAP * means
        return np.fft.ifft(products[which]), which

    def _covariances(self, input_):
        """Covariances of these and the definition's energies, relative to its mean.

        Returns:
            Spectra of K of these energies, and of these with the definition's,
            (filters, size // 2 + 1); ratio of the means, (filters,).
        """
        if input_ not in self._relative:
            auto, means = self.covariance(input_)
            exact_means = self._statistics.exact[input_][1][self._filters]
            scale = exact_means[:, None] ** 2
            self._relative[input_] = (
                auto / scale,
                self._cross_covariance(input_) / scale,
                means / exact_means,
            )
        return self._relative[input_]

    def pooling_weights(self, positions: np.ndarray) -> np.ndarray:
        """Weights of least error on white noise, for each filter alone.

        The best that any weights of these energies can do. A plan shares one matrix
        between the filters of a group, see `interpolation`.

        Args:
            positions: (m,), samples at which energies are computed, relative to the
                first of the pooling window.

        Returns:
            (2, filters, m), for `BankStatistics.lowpasses`.
        """
        # A tenth of a second to import, for plans that are rarely made.
        from scipy.linalg import solve_toeplitz

        auto, cross, mean = self._covariances(WHITE)
        statistics = self._statistics
        spectra = statistics.window_spectra[:2, self._filters]
        sums = statistics.window_sums[:2, self._filters]
        targets = np.fft.irfft(np.conj(cross) * spectra)
        targets = targets[..., positions % statistics.size]
        # Least squares of "the means agree", weighted, besides the covariances.
        targets += _MEAN_WEIGHT * (mean * sums)[..., None]
        # Energies are equally far apart: their covariances depend on the lag alone.
        columns = np.fft.irfft(auto)[:, (positions - positions[0]) % statistics.size]
        columns += _MEAN_WEIGHT * mean[:, None] ** 2
        columns[:, 0] += _RIDGE
        return np.stack(
            [
                solve_toeplitz(column, of_filter.T).T
                for column, of_filter in zip(columns, np.moveaxis(targets, 1, 0))
            ],
            axis=1,
        )

    def interpolation(self, positions: np.ndarray) -> np.ndarray:
        """One matrix for all filters, from a lowpass to pooling weights.

        A = (K_mm + 10 1 1^T)^-1 (K_mn + 10 1 1^T), averages over the filters: the
        linear estimate of all energies from the computed ones that has the least
        error on white noise and keeps their sum.

        Args:
            positions: Same as for `pooling_weights`.

        Returns:
            (m, pool_size). The weights are A lowpass.
        """
        # One matrix serves every lowpass, so pooling widths are learned through it.
        auto, cross, _ = self._covariances(WHITE)
        size = self._statistics.size
        between = (positions[:, None] - positions) % size
        gram = np.fft.irfft(auto.mean(axis=0))[between] + _MEAN_WEIGHT
        gram += _RIDGE * np.eye(len(positions))
        pool_size = self._statistics.lowpasses.shape[-1]
        lags = (np.arange(pool_size) - positions[:, None]) % size
        targets = np.fft.irfft(cross.mean(axis=0))[lags] + _MEAN_WEIGHT
        return np.linalg.solve(gram, targets)

    def relative_errors(self, positions: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """RMS error of the pooled energy over its mean, in four situations.

        Args:
            positions: Same as for `pooling_weights`.
            weights: (2, filters, m), for `BankStatistics.lowpasses`.

        Returns:
            (4, filters): white noise; noise that is 20 dB stronger outside the filter's
            band; white noise at the ends of a clip, half the pooling window outside;
            white noise that rises by 40 dB over the pooling window.
        """
        pool_size = self._statistics.lowpasses.shape[-1]
        rising = weights[0] * _rise(positions, pool_size)
        # As `window_sums` and `window_spectra`, of what comes in their windows' place.
        in_place = np.stack([*weights, rising])
        spread = np.zeros((*in_place.shape[:-1], self._statistics.size))
        spread[..., positions % self._statistics.size] = in_place
        spectra, sums = np.fft.rfft(spread), in_place.sum(axis=-1)
        return np.stack(
            [
                self._relative_error(input_, window, spectra[window], sums[window])
                for input_, window in _SITUATIONS
            ]
        )

    def _relative_error(self, input_, window, estimate, weight_sums):
        """RMS error over the mean in one situation, (filters,)."""
        statistics = self._statistics
        target = statistics.window_spectra[window, self._filters]
        sums = statistics.window_sums[window, self._filters]
        exact = statistics.exact[input_][0][self._filters]
        auto, cross, mean = self._covariances(input_)
        # A one-sided spectrum holds all but its first and last bin twice.
        counts = np.full(statistics.size // 2 + 1, 2.0 / statistics.size)
        counts[[0, -1]] = 1.0 / statistics.size
        # Quadratic forms of covariances that depend on lags alone are products of
        # spectra (Parseval): no matrix of all samples with all samples.
        variance = (
            np.abs(target) ** 2 * exact
            - 2.0 * (np.conj(estimate) * target * np.conj(cross)).real
            + np.abs(estimate) ** 2 * auto
        ) @ counts
        bias = weight_sums * mean - sums
        return np.sqrt(np.maximum(variance, 0.0) + bias**2) / sums


def _rise(times, pool_size):
    """How energies rise at an onset, by `_RISE` powers of ten over the window."""
    return 10.0 ** (_RISE * times / pool_size)
