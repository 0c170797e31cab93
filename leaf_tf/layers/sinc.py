"""Filtering: learned sinc band-passes."""

import math

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import mel, units
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage, require_band, require_positive_int

# Least width of a band, Hz: about what a window of 25 ms can tell apart.
MIN_BANDWIDTH_HZ = 50.0


@keras.saving.register_keras_serializable("leaf_tf")
class SincConv1D(Stage):
    """Filters a waveform with learned sinc band-passes.

    Filter n passes low_n to high_n = min(low_n + bandwidth_n, pi), K = kernel_size
    taps, t = -(K // 2) ... (K + 1) // 2 - 1, under a Hamming window:

        h_n[t] = cos((low_n + high_n) t / 2) sinc((high_n - low_n) t / 2) w[t + K // 2]
        w[k] = 0.54 - 0.46 cos(2 pi k / K),  sinc(x) = sin(x) / x

    It is the difference of two low-passes, scaled to 1 at t = 0, in a form that
    loses no digits where the band is narrow. Two numbers a filter are learned,
    whatever K is. The waveform is cross-correlated with the filters, zeros beyond
    its ends (SAME).

    Args:
        n_filters: Filters, at least 1.
        kernel_size: Taps K, in samples.
        sample_rate: Sample rate in Hz; places the initial bands and the least width.
        min_freq, max_freq: Edges of the initial bands, in Hz. The bands are side
            by side, equally wide in mel.
        strides: Samples between outputs. Defaults to 1.

    Weights:
        low_freqs: (n_filters,), low, rad/sample, kept in [0, pi - 50 Hz].
        bandwidths: (n_filters,), rad/sample, kept in [50 Hz, pi].

    Input shape: (batch, samples, 1), float, scaled to [-1, 1].
    Output shape: (batch, ceil(samples / strides), n_filters), float32.

    Raises:
        ValueError: Argument out of range.

    Example:
        >>> layer = leaf_tf.SincConv1D(n_filters=2)
        >>> layer(np.zeros((1, 1000, 1), "float32")).shape
        TensorShape([1, 1000, 2])
        >>> layer.bandwidths_hz().round()
        array([1782., 5958.])

    Source: SincNet, arXiv:1808.00158, Eq. 4-8; scaled as in its code.
    """

    def __init__(
        self,
        n_filters: int = 40,
        kernel_size: int = 401,
        sample_rate: int = 16000,
        min_freq: float = 60.0,
        max_freq: float = 7800.0,
        strides: int = 1,
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
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.sample_rate = sample_rate
        self.min_freq = min_freq
        self.max_freq = max_freq
        self.strides = strides

    def build(self, input_shape):
        if input_shape[-1] != 1:
            raise ValueError(
                "SincConv1D expects one channel, (batch, samples, 1). "
                f"Received: input shape {tuple(input_shape)}"
            )
        # As many edges as n_filters - 1 triangles have: n_filters + 1.
        edges = mel.mel_edges_hz(self.n_filters - 1, self.min_freq, self.max_freq)
        edges = units.hz_to_radians(edges, self.sample_rate)
        least = min(units.hz_to_radians(MIN_BANDWIDTH_HZ, self.sample_rate), math.pi)
        bandwidths = np.maximum(np.diff(edges), least)
        self.low_freqs = self.add_bounded_weight(
            "low_freqs",
            np.minimum(edges[:-1], math.pi - least),
            0.0,
            math.pi - least,
            step_scale=bandwidths,
        )
        self.bandwidths = self.add_bounded_weight(
            "bandwidths", bandwidths, least, math.pi, step_scale=bandwidths
        )

    def edges(self):
        """Lower and upper edges of the bands as they are, (n_filters,), rad/sample."""
        low_freqs = self.bounded(self.low_freqs)
        return low_freqs, ops.minimum(
            low_freqs + self.bounded(self.bandwidths), math.pi
        )

    def taps(self):
        """The filters as they are, (kernel_size, n_filters)."""
        low_freqs, high_freqs = self.edges()
        return _band_passes(low_freqs, high_freqs, self.kernel_size)

    def impulse_responses(self) -> np.ndarray:
        """The `taps` as a NumPy array, float64."""
        return ops.convert_to_numpy(self.taps()).astype(np.float64)

    def center_freqs_hz(self) -> np.ndarray:
        """Middles of the bands, NumPy (n_filters,), Hz."""
        low, high = self._edges_hz()
        return (low + high) / 2

    def bandwidths_hz(self) -> np.ndarray:
        """Widths of the bands, NumPy (n_filters,), Hz: at the edges half as high."""
        low, high = self._edges_hz()
        return high - low

    def _edges_hz(self):
        edges = ops.convert_to_numpy(ops.stack(self.edges())).astype(np.float64)
        return units.radians_to_hz(edges, self.sample_rate)

    def call(self, inputs: Tensor) -> Tensor:
        waveform = ops.cast(inputs, self.stage_dtype)
        return ops.conv(
            waveform,
            ops.expand_dims(self.taps(), axis=1),
            strides=self.strides,
            padding="same",
            data_format="channels_last",
        )

    def compute_output_shape(self, input_shape):
        return (
            input_shape[0],
            units.n_frames(input_shape[1], self.strides),
            self.n_filters,
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
        }


def _band_passes(low_freqs, high_freqs, kernel_size):
    """The filters of `SincConv1D`, (kernel_size, n_filters).

    Args:
        low_freqs, high_freqs: (n_filters,), rad/sample, high > low.
        kernel_size: Taps.
    """
    dtype = low_freqs.dtype
    taps = np.arange(kernel_size)
    times = taps[:, None] - kernel_size // 2
    window = 0.54 - 0.46 * np.cos(2.0 * np.pi * taps[:, None] / kernel_size)
    # At time 0 the sinc is 1 whatever the band: nothing is divided by 0 there, and
    # the gradient, which would be NaN, is 0.
    is_center = ops.convert_to_tensor((times == 0).astype(np.float64), dtype=dtype)
    later = ops.convert_to_tensor(np.where(times == 0, 1, times), dtype=dtype)
    times = ops.convert_to_tensor(times, dtype=dtype)
    halves = 0.5 * (high_freqs - low_freqs)
    centers = 0.5 * (high_freqs + low_freqs)
    sincs = is_center + ops.sin(halves * times) / (halves * later)
    window = ops.convert_to_tensor(window, dtype=dtype)
    return window * ops.cos(centers * times) * sincs
