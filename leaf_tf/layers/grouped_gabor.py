"""Filtering, modulus and pooling of EfficientLEAF, in one stage."""

import math

import keras
import numpy as np

from leaf_tf.dsp import grouped_energies, mel, units
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.gabor import GaborFilters
from leaf_tf.layers.lowpass import INITIAL_WIDTH, MAX_WIDTH, fwhm
from leaf_tf.layers.stage import require_band, require_positive_int


@keras.saving.register_keras_serializable("leaf_tf")
class GroupedGaborFilterbank(GaborFilters):
    """Pooled energies of learned Gabor filters, computed in groups.

    The filters of `GaborConv1D`, squared modulus and the windows of
    `GaussianLowpass`, but filters that are neighbours form a group with

    - as many taps as its greatest initial sigma needs,
    - energies at every s-th sample only, s by its highest initial center frequency;
      the window's every s-th tap pools them, times s.

    Both are fixed by the initial filters, so shapes don't change as filters learn;
    sigmas are kept where the taps are enough.

    Args:
        n_filters: Complex filters, at least 1.
        kernel_size: Taps K of the pooling window; a filter has no more.
        strides: Samples between frames.
        sample_rate: Sample rate in Hz; places the initial filters only.
        min_freq, max_freq: Edges of the initial mel bank, in Hz.
        initial_filters: Argument of `GaborConv1D`.
        n_groups: Groups, or one a filter if that is less.
        window_factor: Taps of a group, in its greatest initial sigmas.
        stride_factor: Most samples between energies of a group, in half-periods of
            its highest initial center frequency; the next lower divisor of
            `strides` is taken.
        learn_filters: Whether center_freqs and sigmas are trained.
        learn_pooling: Whether widths are trained.

    Weights:
        center_freqs: (n_filters,), rad/sample, kept in [0, pi].
        sigmas: (n_filters,), samples, kept in [2 z, (taps of the group) z] with
            z = sqrt(2 ln 2) / pi.
        widths: (n_filters,), relative to half the window, initially 0.4, kept in
            [2 / K, 0.5].

    Input shape: (batch, samples), float, scaled to [-1, 1].
    Output shape: (batch, ceil(samples / strides), n_filters), float32.

    Raises:
        ValueError: Argument out of range.

    Source: EfficientLEAF, arXiv:2207.05508. There groups follow the filters
    as they learn, and energies are not multiplied by s.
    """

    def __init__(
        self,
        n_filters: int = 40,
        kernel_size: int = 401,
        strides: int = 160,
        sample_rate: int = 16000,
        min_freq: float = 60.0,
        max_freq: float = 7800.0,
        initial_filters: str = "mel",
        n_groups: int = 8,
        window_factor: float = 6.0,
        stride_factor: float = 16.0,
        learn_filters: bool = True,
        learn_pooling: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_positive_int(
            n_filters=n_filters,
            kernel_size=kernel_size,
            strides=strides,
            sample_rate=sample_rate,
            n_groups=n_groups,
        )
        require_band(min_freq, max_freq, sample_rate)
        if kernel_size < 4:
            raise ValueError(
                "`kernel_size` must be at least 4, or no width is allowed. "
                f"Received: {kernel_size}"
            )
        if initial_filters not in mel.INITIAL_FILTERS:
            raise ValueError(
                f"`initial_filters` must be one of {mel.INITIAL_FILTERS}. "
                f"Received: {initial_filters!r}"
            )
        factors = {"window_factor": window_factor, "stride_factor": stride_factor}
        for name, value in factors.items():
            if not value > 0:
                raise ValueError(f"`{name}` must be above 0. Received: {value}")
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.sample_rate = sample_rate
        self.min_freq = min_freq
        self.max_freq = max_freq
        self.initial_filters = initial_filters
        self.n_groups = n_groups
        self.window_factor = window_factor
        self.stride_factor = stride_factor
        self.learn_filters = learn_filters
        self.learn_pooling = learn_pooling

    @property
    def groups(self):
        """The groups, a tuple of `grouped_energies.Group`."""
        center_freqs, sigmas = self._initial_filters()
        return grouped_energies.plan_groups(
            center_freqs,
            sigmas,
            self.n_groups,
            self.window_factor,
            self.stride_factor,
            self.kernel_size,
            self.strides,
        )

    def build(self, input_shape):
        center_freqs, sigmas = self._initial_filters()
        self.center_freqs = self.add_bounded_weight(
            "center_freqs",
            center_freqs,
            0.0,
            math.pi,
            self.learn_filters,
            step_scale=1.0 / sigmas,
        )
        taps = np.concatenate(
            [
                np.full(group.stop - group.start, 2 * group.half_length + 1)
                for group in self.groups
            ]
        )
        self.sigmas = self.add_bounded_weight(
            "sigmas",
            sigmas,
            2.0 * mel.SIGMA_UNIT,
            (mel.SIGMA_UNIT * taps).astype(self.stage_dtype),
            self.learn_filters,
            step_scale=sigmas,
        )
        widths = np.full(self.n_filters, INITIAL_WIDTH)
        self.widths = self.add_bounded_weight(
            "widths",
            widths,
            2.0 / self.kernel_size,
            MAX_WIDTH,
            self.learn_pooling,
            step_scale=widths,
        )

    def call(self, inputs: Tensor, bounds=None) -> Tensor:
        return grouped_energies.pooled_energies(
            inputs,
            self.bounded(self.center_freqs),
            self.bounded(self.sigmas),
            self.bounded(self.widths),
            self.groups,
            self.kernel_size,
            self.strides,
            bounds,
        )

    def pooling_widths(self) -> np.ndarray:
        """FWHM of the pooling windows, NumPy (n_filters,), samples."""
        return fwhm(self.values(self.widths), self.kernel_size)

    def _initial_filters(self):
        return mel.initial_gabor_filters(
            self.n_filters,
            self.kernel_size,
            self.sample_rate,
            self.min_freq,
            self.max_freq,
            self.initial_filters,
        )

    def compute_output_shape(self, input_shape):
        batch, samples = input_shape
        return (batch, units.n_frames(samples, self.strides), self.n_filters)

    def get_config(self):
        return {
            **super().get_config(),
            "n_filters": self.n_filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "sample_rate": self.sample_rate,
            "min_freq": self.min_freq,
            "max_freq": self.max_freq,
            "initial_filters": self.initial_filters,
            "n_groups": self.n_groups,
            "window_factor": self.window_factor,
            "stride_factor": self.stride_factor,
            "learn_filters": self.learn_filters,
            "learn_pooling": self.learn_pooling,
        }
