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
    """Covariances of a filterbank's energies, and errors of computing fewer.

    All methods take an index array `filters`, and `computed`: frequency responses
    (filters, size) of what a plan computes in their place, by `computed_responses`.

    Args:
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        pooling_widths: (n_filters,), relative to half the pooling window.
        kernel_size, pool_size: Samples in a filter and in the pooling window.
        span: Samples over which energies are computed for one frame.

    Attributes:
        lowpasses: (2, n_filters, pool_size): the pooling windows, and their second
            halves, which remain at the start of a clip.

    Example:
        >>> statistics = BankStatistics([0.5], [20.0], [0.4], 401, 401, 480)
        >>> positions, filters = np.arange(0, 401, 20), np.array([0])
        >>> computed = statistics.computed_responses(filters, 1, 20, 60)
        >>> weights = statistics.pooling_weights(filters, computed, positions)
        >>> errors = statistics.relative_errors(filters, computed, positions, weights)
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
        # Lags up to the span, both signs, without wrapping around.
        self._size = 1 << int(np.ceil(np.log2(2 * max(span, kernel_size))))
        self._lowpass_responses = np.fft.rfft(self.lowpasses, self._size)
        n_filters = len(self.sigmas)
        self._responses = self.computed_responses(
            np.arange(n_filters), 1, 1, kernel_size // 2
        )
        self._inputs = self._power_spectra()
        self._exact = [
            self._covariance(self._responses, self._responses, power)
            for power in self._inputs
        ]

    def _power_spectra(self):
        """Inputs (2, n_filters, size): white noise; 20 dB stronger outside the band."""
        freqs = 2.0 * np.pi * np.abs(np.fft.fftfreq(self._size))
        distances = np.abs(freqs - self.center_freqs[:, None]) * self.sigmas[:, None]
        adverse = np.where(distances < _HALF_BAND, 1.0, _CONTRAST)
        return np.stack([np.ones_like(adverse), adverse])

    def _covariance(self, first, second, power):
        """Spectrum of K (filters, size // 2 + 1); E[a*(n) b(n)] (filters,)."""
        # Wiener and Khinchin: a correlation is the transform of the cross spectrum.
        direct = np.fft.ifft(np.conj(first) * second * power)
        # Without the conjugate it is the response at -w that meets the one at w. For
        # filters near 0 Hz or half the rate the two overlap.
        mirrored = np.roll(first[:, ::-1], 1, axis=1)
        conjugate = np.fft.ifft(mirrored * second * power)
        lags = np.abs(direct) ** 2 + np.abs(conjugate) ** 2
        return np.fft.rfft(lags), direct[:, 0].real

    def computed_responses(
        self,
        filters: np.ndarray,
        rate: int,
        stride: int,
        half_length: int,
        cut: np.ndarray | None = None,
    ) -> np.ndarray:
        """Frequency responses of the taps that a group computes with.

        Args:
            filters: (filters,), indices.
            rate, stride, half_length: Those of a `Group`.
            cut: (filters, 2 * half_length + 1), a window in place of the
                definition's cut. Defaults to that.

        Returns:
            (filters, size), complex, with the decimator's.
        """
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
        times = (np.arange(n_taps) - n_taps // 2) * rate % self._size
        wrapped = np.zeros(
            (len(impulse_responses), self._size), impulse_responses.dtype
        )
        # Taps longer than the transform wrap around, so a time may occur twice.
        np.add.at(wrapped.T, times, impulse_responses.T)
        return np.fft.fft(wrapped)

    def _joint_covariances(self, filters, computed, power_index):
        """Covariances of computed and exact energies, relative to the exact mean.

        Returns:
            Spectra of K of computed with computed, and of computed with exact
            energies, (filters, size // 2 + 1); ratio of their means, (filters,).
        """
        power = self._inputs[power_index][filters]
        _, mean = self._exact[power_index]
        scale = mean[filters, None] ** 2
        auto, computed_mean = self._covariance(computed, computed, power)
        cross, _ = self._covariance(computed, self._responses[filters], power)
        return auto / scale, cross / scale, computed_mean / mean[filters]

    def pooling_weights(
        self, filters: np.ndarray, computed: np.ndarray, positions: np.ndarray
    ) -> np.ndarray:
        """Weights of least error on white noise, for each filter alone.

        The best that any weights of these energies can do. A plan shares one matrix
        between the filters of a group, see `interpolation`.

        Args:
            filters: (filters,), indices.
            computed: (filters, size), frequency responses.
            positions: (m,), samples at which energies are computed, relative to the
                first of the pooling window.

        Returns:
            (2, filters, m), for `lowpasses`.
        """
        auto, cross, mean = self._joint_covariances(filters, computed, 0)
        sums = self.lowpasses[:, filters].sum(axis=-1)
        targets = np.fft.irfft(np.conj(cross) * self._lowpass_responses[:, filters])
        targets = targets[..., positions % self._size]
        # Least squares of "the means agree", weighted, besides the covariances.
        targets += _MEAN_WEIGHT * (mean * sums)[..., None]
        gram = self._gram(auto, positions) + _MEAN_WEIGHT * mean[:, None, None] ** 2
        return np.moveaxis(np.linalg.solve(gram, np.moveaxis(targets, 0, -1)), -1, 0)

    def interpolation(
        self, filters: np.ndarray, computed: np.ndarray, positions: np.ndarray
    ) -> np.ndarray:
        """One matrix for all `filters`, from a lowpass to pooling weights.

        A = (K_mm + 10 1 1^T)^-1 (K_mn + 10 1 1^T), averages over the filters: the
        linear estimate of all energies from the computed ones that has the least
        error on white noise and keeps their sum.

        Args:
            filters, computed, positions: Same as for `pooling_weights`.

        Returns:
            (m, pool_size). The weights are A lowpass.
        """
        # One matrix serves every lowpass, so pooling widths are learned through it.
        auto, cross, _ = self._joint_covariances(filters, computed, 0)
        gram = self._gram(auto.mean(axis=0), positions) + _MEAN_WEIGHT
        lags = np.arange(self.lowpasses.shape[-1]) - positions[:, None]
        targets = np.fft.irfft(cross.mean(axis=0))[lags % self._size] + _MEAN_WEIGHT
        return np.linalg.solve(gram, targets)

    def _gram(self, auto, positions):
        """Covariances (..., m, m) of the energies at `positions`, and the ridge."""
        lags = positions[:, None] - positions
        return np.fft.irfft(auto)[..., lags % self._size] + _RIDGE * np.eye(
            len(positions)
        )

    def relative_errors(
        self,
        filters: np.ndarray,
        computed: np.ndarray,
        positions: np.ndarray,
        weights: np.ndarray,
    ) -> np.ndarray:
        """RMS error of the pooled energy over its mean, in four situations.

        Args:
            filters, computed, positions: Same as for `pooling_weights`.
            weights: (2, filters, m), for `lowpasses`.

        Returns:
            (4, filters): white noise; noise that is 20 dB stronger outside the filter's
            band; white noise at the ends of a clip, half the pooling window outside;
            white noise that rises by 40 dB over the pooling window.
        """
        pool_size = self.lowpasses.shape[-1]
        # Noise that rises, pooled, equals steady noise pooled by a window that rises.
        rise = 10.0 ** (_RISE * np.arange(pool_size) / pool_size)
        rise_at_positions = 10.0 ** (_RISE * positions / pool_size)
        whole, half = self.lowpasses[:, filters]
        # (input, lowpass, weights)
        situations = (
            (0, whole, weights[0]),
            (1, whole, weights[0]),
            (0, half, weights[1]),
            (0, whole * rise, weights[0] * rise_at_positions),
        )
        joint = [self._joint_covariances(filters, computed, i) for i in (0, 1)]
        return np.stack(
            [
                self._relative_error(filters, positions, joint[power], power, *windows)
                for power, *windows in situations
            ]
        )

    def _relative_error(self, filters, positions, joint, power, lowpass, weights):
        """RMS error over the mean in one situation, (filters,)."""
        spread = np.zeros((len(filters), self._size))
        spread[:, positions % self._size] = weights
        estimate = np.fft.rfft(spread)
        target = np.fft.rfft(lowpass, self._size)
        sums = lowpass.sum(axis=1)
        exact, exact_mean = self._exact[power]
        exact = exact[filters] / exact_mean[filters, None] ** 2
        auto, cross, mean = joint
        # A one-sided spectrum holds all but its first and last bin twice.
        counts = np.full(self._size // 2 + 1, 2.0 / self._size)
        counts[[0, -1]] = 1.0 / self._size
        # Quadratic forms of covariances that depend on lags alone are products of
        # spectra (Parseval): no matrix of all samples with all samples.
        variance = (
            np.abs(target) ** 2 * exact
            - 2.0 * np.conj(estimate) * target * np.conj(cross)
            + np.abs(estimate) ** 2 * auto
        ).real @ counts
        bias = weights.sum(axis=1) * mean - sums
        return np.sqrt(np.maximum(variance, 0.0) + bias**2) / sums
