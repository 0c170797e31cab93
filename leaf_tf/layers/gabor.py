"""Filtering: learned complex Gabor band-passes."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import impulse_responses, mel, units
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import (
    Stage,
    require_band,
    require_positive_int,
)


class GaborFilters(Stage):
    """Properties of Gabor filters, as the forward pass uses them.

    A subclass has the weights `center_freqs`, rad/sample, and `sigmas`, samples, both
    (n_filters,) and of `add_bounded_weight`; `kernel_size` and `sample_rate`.
    """

    kernel_size: int
    sample_rate: int
    center_freqs: Any
    sigmas: Any

    def impulse_responses(self) -> np.ndarray:
        """The taps, complex, NumPy (kernel_size, n_filters)."""
        real, imaginary = impulse_responses.gabor(
            self.bounded(self.center_freqs), self.bounded(self.sigmas), self.kernel_size
        )
        real, imaginary = map(ops.convert_to_numpy, (real, imaginary))
        return real.astype(np.float64) + 1j * imaginary.astype(np.float64)

    def center_freqs_hz(self) -> np.ndarray:
        """Center frequencies, NumPy (n_filters,), Hz."""
        return units.radians_to_hz(self.values(self.center_freqs), self.sample_rate)

    def bandwidths_hz(self) -> np.ndarray:
        """FWHM of the amplitude responses, NumPy (n_filters,), Hz."""
        return units.sigmas_to_bandwidths_hz(self.values(self.sigmas), self.sample_rate)


@keras.saving.register_keras_serializable("leaf_tf")
class GaborConv1D(GaborFilters):
    """Filters a waveform with learned complex Gabor band-passes.

    Filter n is a tone under a Gaussian, K = kernel_size taps,
    t = -(K // 2) ... (K + 1) // 2 - 1:

        g_n[t] = exp(-t^2 / (2 sigma_n^2)) exp(i omega_n t) / (sqrt(2 pi) sigma_n)

    Two numbers per filter are learned, whatever K is. The waveform is
    cross-correlated with the filters, zeros beyond its ends (SAME).

    Args:
        n_filters: Complex filters, at least 1.
        kernel_size: Taps K, in samples.
        sample_rate: Sample rate in Hz; places the initial filters only.
        min_freq, max_freq: Edges of the initial mel bank, in Hz.
        strides: Samples between outputs. Defaults to 1.
        initial_filters: "mel" (exact mel centers and widths), "official_mel" (read
            off 512 FFT bins, as leaf-audio does), "linear" or "random".
        regularizer: Keras regularizer of both weights.

    Weights:
        center_freqs: (n_filters,), omega, rad/sample, kept in [0, pi].
        sigmas: (n_filters,), sigma, samples, kept in
            [4 z, K z] with z = sqrt(2 ln 2) / pi.

    Input shape: (batch, samples, 1), float, scaled to [-1, 1].
    Output shape: (batch, ceil(samples / strides), 2 * n_filters), float32.
        Channels 2n and 2n + 1: real and imaginary part of filter n.

    Raises:
        ValueError: Argument out of range, e.g. "`max_freq` must be at
            most sample_rate / 2 = 8000.0 Hz. Received: 9000.0".

    Example:
        >>> layer = leaf_tf.GaborConv1D(n_filters=2)
        >>> layer(np.zeros((1, 1000, 1), "float32")).shape
        TensorShape([1, 1000, 4])
        >>> layer.center_freqs_hz().round()
        array([1000., 3101.])

    Source: LEAF, arXiv:2101.08596, Sec. 3; sigma limits: arXiv:1711.01161, Sec. 2.2.
    """

    def __init__(
        self,
        n_filters: int = 40,
        kernel_size: int = 401,
        sample_rate: int = 16000,
        min_freq: float = 60.0,
        max_freq: float = 7800.0,
        strides: int = 1,
        initial_filters: str = "mel",
        regularizer: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_positive_int(
            n_filters=n_filters,
            kernel_size=kernel_size,
            sample_rate=sample_rate,
            strides=strides,
        )
        require_band(min_freq, max_freq, sample_rate)
        if kernel_size < 4:
            raise ValueError(
                "`kernel_size` must be at least 4, or no sigma is allowed. "
                f"Received: {kernel_size}"
            )
        if initial_filters not in mel.INITIAL_FILTERS:
            raise ValueError(
                f"`initial_filters` must be one of {mel.INITIAL_FILTERS}. "
                f"Received: {initial_filters!r}"
            )
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.sample_rate = sample_rate
        self.min_freq = min_freq
        self.max_freq = max_freq
        self.strides = strides
        self.initial_filters = initial_filters
        self.regularizer = keras.regularizers.get(regularizer)

    def build(self, input_shape):
        if input_shape[-1] != 1:
            raise ValueError(
                "GaborConv1D expects one channel, (batch, samples, 1). "
                f"Received: input shape {tuple(input_shape)}"
            )
        center_freqs, sigmas = mel.initial_gabor_filters(
            self.n_filters,
            self.kernel_size,
            self.sample_rate,
            self.min_freq,
            self.max_freq,
            self.initial_filters,
        )
        self.center_freqs = self.add_bounded_weight(
            "center_freqs",
            center_freqs,
            0.0,
            math.pi,
            regularizer=self.regularizer,
            step_scale=1.0 / sigmas,
        )
        shortest, longest = mel.sigma_limits(self.kernel_size)
        self.sigmas = self.add_bounded_weight(
            "sigmas",
            sigmas,
            shortest,
            longest,
            regularizer=self.regularizer,
            step_scale=sigmas,
        )

    def call(self, inputs: Tensor) -> Tensor:
        waveform = ops.cast(inputs, self.stage_dtype)
        real, imaginary = impulse_responses.gabor(
            self.bounded(self.center_freqs), self.bounded(self.sigmas), self.kernel_size
        )
        taps = ops.stack([real, imaginary], axis=-1)
        taps = ops.reshape(taps, (self.kernel_size, 1, 2 * self.n_filters))
        return ops.conv(
            waveform,
            taps,
            strides=self.strides,
            padding="same",
            data_format="channels_last",
        )

    def compute_output_shape(self, input_shape):
        return (
            input_shape[0],
            units.n_frames(input_shape[1], self.strides),
            2 * self.n_filters,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "n_filters": self.n_filters,
            "kernel_size": self.kernel_size,
            "sample_rate": self.sample_rate,
            "min_freq": self.min_freq,
            "max_freq": self.max_freq,
            "strides": self.strides,
            "initial_filters": self.initial_filters,
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }
