"""Energies of filtered noise: how well few of them predict the pooled energy.

For Gaussian noise the covariance of two energies |a|^2, |b|^2 at lag tau is

    K(tau) = |E[a*(n) b(n + tau)]|^2 + |E[a(n) b(n + tau)]|^2,

both from the filters' frequency responses. So the error of every plan can be told
before it runs, and the weights of least error can be solved for.
"""

import numpy as np

from leaf_tf.dsp.multirate import taps as multirate_taps

# The adverse input is noise this much stronger outside a filter's band than in it.
_CONTRAST = 10.0 ** (20.0 / 10.0)
# Half that band, in standard deviations of the filter's frequency response.
_HALF_BAND = 4.0
# An onset: energies rise by this power of ten over the pooling window.
_RISE = 4.0
# Weight of "the sum of the energies is kept" against their covariance.
_MEAN_WEIGHT = 10.0
# Noise assumed in the computed energies, -80 dB: keeps the weights small.
_RIDGE = 1e-8


def gabor(center_freqs, sigmas, half_length):
    """Complex taps at -half_length ... half_length: (n_filters, taps), uncut."""
    times = np.arange(-half_length, half_length + 1)
    exponents = -0.5 * (times / sigmas[:, None]) ** 2
    return np.exp(exponents + 1j * center_freqs[:, None] * times) / (
        np.sqrt(2.0 * np.pi) * sigmas[:, None]
    )


def gaussian_lowpass(widths, pool_size):
    """Pooling windows: (n_filters, pool_size)."""
    half = (pool_size - 1) / 2
    positions = (np.arange(pool_size) - half) / max(half, 0.5)
    return np.exp(-0.5 * (positions / widths[:, None]) ** 2)


class BankStatistics:
    """Covariances of a filterbank's energies, and errors of computing fewer.

    All methods take an index array `filters` and, for what a plan computes in place
    of those filters, frequency responses (filters, size) by `computed_responses`.

    Args:
        center_freqs: (n_filters,), rad/sample.
        sigmas: (n_filters,), samples.
        pooling_widths: (n_filters,), relative to half the pooling window.
        kernel_size, pool_size: Taps of filters and of pooling.
        span: Samples over which energies are computed for one frame.
    """

    def __init__(
        self, center_freqs, sigmas, pooling_widths, kernel_size, pool_size, span
    ):
        self.center_freqs = np.asarray(center_freqs, np.float64)
        self.sigmas = np.asarray(sigmas, np.float64)
        self.kernel_size = kernel_size
        whole = gaussian_lowpass(np.asarray(pooling_widths, np.float64), pool_size)
        # At the ends of a clip, at worst, half the pooling window is outside.
        inside = np.arange(pool_size) >= pool_size // 2
        # (2, n_filters, pool_size)
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
        """White noise, and noise 20 dB stronger outside each filter's band."""
        freqs = 2.0 * np.pi * np.abs(np.fft.fftfreq(self._size))
        distances = np.abs(freqs - self.center_freqs[:, None]) * self.sigmas[:, None]
        adverse = np.where(distances < _HALF_BAND, 1.0, _CONTRAST)
        return np.stack([np.ones_like(adverse), adverse])

    def _covariance(self, first, second, power):
        """Spectrum of K (filters, size // 2 + 1); E[a*(n) b(n)] (filters,)."""
        direct = np.fft.ifft(np.conj(first) * second * power)
        mirrored = np.roll(first[:, ::-1], 1, axis=1)
        conjugate = np.fft.ifft(mirrored * second * power)
        lags = np.abs(direct) ** 2 + np.abs(conjugate) ** 2
        return np.fft.rfft(lags), direct[:, 0].real

    def computed_responses(self, filters, rate, stride, half_length, cut=None):
        """Responses of the taps that stand for `filters`: (filters, size).

        Args:
            cut: (filters, 2 * half_length + 1), a window in place of the
                definition's cut, or None.
        """
        if cut is None:
            cut = multirate_taps.cut_window(self.kernel_size, half_length, stride)
        taps = cut * gabor(
            self.center_freqs[filters], self.sigmas[filters], half_length
        )
        if rate == 1:
            return self._response(taps, 1)
        decimation = multirate_taps.decimated_taps(half_length, rate)
        taps = taps.real @ decimation.T + 1j * (taps.imag @ decimation.T)
        decimator = multirate_taps.decimator(rate)[None]
        return self._response(taps, rate) * self._response(decimator, 1)

    def _response(self, taps, rate):
        """Of taps `rate` samples apart, the middle one at time 0: (filters, size)."""
        times = (np.arange(taps.shape[1]) - taps.shape[1] // 2) * rate % self._size
        wrapped = np.zeros((len(taps), self._size), taps.dtype)
        np.add.at(wrapped.T, times, taps.T)
        return np.fft.fft(wrapped)

    def _joint_covariances(self, filters, computed, power_index):
        """Spectra of K for computed-computed and computed-exact; ratio of means.

        In units of the exact mean energy.
        """
        power = self._inputs[power_index][filters]
        _, mean = self._exact[power_index]
        scale = mean[filters, None] ** 2
        own, computed_mean = self._covariance(computed, computed, power)
        cross, _ = self._covariance(computed, self._responses[filters], power)
        return own / scale, cross / scale, computed_mean / mean[filters]

    def pooling_weights(self, filters, computed, positions):
        """Weights of least error on white noise, each filter its own.

        Args:
            positions: (m,), samples at which energies are computed, relative to the
                first of the pooling window.

        Returns:
            (2, filters, m), for `lowpasses`.
        """
        own, cross, mean = self._joint_covariances(filters, computed, 0)
        sums = self.lowpasses[:, filters].sum(axis=-1)
        wanted = np.fft.irfft(np.conj(cross) * self._lowpass_responses[:, filters])
        wanted = wanted[..., positions % self._size]
        wanted += _MEAN_WEIGHT * (mean * sums)[..., None]
        gram = self._gram(own, positions) + _MEAN_WEIGHT * mean[:, None, None] ** 2
        return np.moveaxis(np.linalg.solve(gram, np.moveaxis(wanted, 0, -1)), -1, 0)

    def interpolation(self, filters, computed, positions):
        """One matrix for all `filters`, from a lowpass to pooling weights.

        A = (K_mm + 10 1 1^T)^-1 (K_mn + 10 1 1^T), averages over the filters: the
        linear estimate of all energies from the computed ones that has the least
        error on white noise and keeps their sum.

        Returns:
            (m, pool_size). The weights are A lowpass.
        """
        own, cross, _ = self._joint_covariances(filters, computed, 0)
        gram = self._gram(own.mean(axis=0), positions) + _MEAN_WEIGHT
        lags = np.arange(self.lowpasses.shape[-1]) - positions[:, None]
        wanted = np.fft.irfft(cross.mean(axis=0))[lags % self._size] + _MEAN_WEIGHT
        return np.linalg.solve(gram, wanted)

    def _gram(self, own, positions):
        lags = positions[:, None] - positions
        return np.fft.irfft(own)[..., lags % self._size] + _RIDGE * np.eye(
            len(positions)
        )

    def relative_errors(self, filters, computed, positions, weights):
        """RMS error of the pooled energy over its mean, in four situations.

        Args:
            weights: (2, filters, m), for `lowpasses`.

        Returns:
            (4, filters): white noise; noise that is 20 dB stronger outside the filter's
            band; white noise at the ends of a clip, half the pooling window outside;
            white noise that rises by 40 dB over the pooling window.
        """
        rise = 10.0 ** (
            _RISE * np.arange(self.lowpasses.shape[-1]) / self.lowpasses.shape[-1]
        )
        whole, half = self.lowpasses[:, filters]
        situations = (
            (0, whole, weights[0]),
            (1, whole, weights[0]),
            (0, half, weights[1]),
            (
                0,
                whole * rise,
                weights[0] * 10.0 ** (_RISE * positions / self.lowpasses.shape[-1]),
            ),
        )
        joint = [self._joint_covariances(filters, computed, i) for i in (0, 1)]
        return np.stack(
            [
                self._relative_error(filters, positions, joint[power], power, *windows)
                for power, *windows in situations
            ]
        )

    def _relative_error(self, filters, positions, joint, power, lowpass, weights):
        spread = np.zeros((len(filters), self._size))
        spread[:, positions % self._size] = weights
        computed = np.fft.rfft(spread)
        target = np.fft.rfft(lowpass, self._size)
        sums = lowpass.sum(axis=1)
        exact, exact_mean = self._exact[power]
        exact = exact[filters] / exact_mean[filters, None] ** 2
        own, cross, mean = joint
        # A one-sided spectrum holds all but its first and last bin twice.
        counts = np.full(self._size // 2 + 1, 2.0 / self._size)
        counts[[0, -1]] = 1.0 / self._size
        variance = (
            np.abs(target) ** 2 * exact
            - 2.0 * np.conj(computed) * target * np.conj(cross)
            + np.abs(computed) ** 2 * own
        ).real @ counts
        bias = weights.sum(axis=1) * mean - sums
        return np.sqrt(np.maximum(variance, 0.0) + bias**2) / sums
