"""Time-Domain Filterbanks, a rival whose filters are free."""

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import mel, units
from leaf_tf.dsp.types import Size, Tensor
from leaf_tf.frontends.base import Frontend
from leaf_tf.layers import PreEmphasis, SquaredModulus
from leaf_tf.layers.stage import Stage, require_positive_int
from leaf_tf.streaming.banks import (
    at_every_sample,
    parts_side_by_side,
    squared_modulus,
)


@keras.saving.register_keras_serializable("leaf_tf")
class SharedLowpass(Stage):
    """Smooths and subsamples all channels with one lowpass whose taps are learned.

    In windows within the clip (VALID), one at least: with zeros after the
    end of a clip that is shorter.

    Args:
        kernel_size: Taps, in samples.
        strides: Samples between frames.

    Weights:
        lowpass: (kernel_size,), initially a squared Hann window, peak 1.

    Input shape: (batch, samples, n_filters), float.
    Output shape: (batch, (samples - kernel_size) // strides + 1, n_filters), float32.

    Source: arXiv:1711.01161, Sec. 2.
    """

    def __init__(self, kernel_size: int = 401, strides: int = 160, **kwargs):
        super().__init__(**kwargs)
        require_positive_int(kernel_size=kernel_size, strides=strides)
        self.kernel_size = kernel_size
        self.strides = strides

    def build(self, input_shape):
        taps = np.square(np.hanning(self.kernel_size))
        self.lowpass = self.add_bounded_weight("lowpass", taps)

    def call(self, inputs: Tensor) -> Tensor:
        energies = ops.cast(inputs, self.stage_dtype)
        samples = energies.shape[1]
        if samples is None:
            missing = ops.maximum(self.kernel_size - ops.shape(energies)[1], 0)
        else:
            missing = max(self.kernel_size - samples, 0)
        taps = ops.reshape(ops.convert_to_tensor(self.lowpass), (-1, 1, 1))
        return ops.depthwise_conv(
            ops.pad(energies, ((0, 0), (0, missing), (0, 0))),
            ops.tile(taps, (1, energies.shape[-1], 1)),
            strides=self.strides,
            padding="valid",
            data_format="channels_last",
        )

    def compute_output_shape(self, input_shape):
        batch, samples, n_filters = input_shape
        return (
            batch,
            units.n_whole_frames(samples, self.kernel_size, self.strides),
            n_filters,
        )

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
        }


@keras.saving.register_keras_serializable("leaf_tf")
class TimeDomainFilterbanks(Frontend):
    """Complex filters whose taps are all learned, then a lowpass, then the logarithm.

    Squared modulus of the filters, zeros beyond the clip's ends (SAME); one lowpass
    for all channels, in windows within the clip (VALID); at least 1e-5. It
    starts as a mel-filterbank: Gabor filters, each with the energy of its
    triangle, and a squared Hann window. 802 numbers a filter and 401 for the lowpass
    at 16 kHz.

    Args:
        n_filters: Filters, and channels of the features. Defaults to 40.
        sample_rate: Sample rate of the waveform, Hz. Defaults to 16000.
        window_len: Length of the filters and of the pooling window, ms.
        window_stride: Hop between frames, ms.
        min_freq, max_freq: Edges of the initial mel bank, Hz. `max_freq` defaults to
            7800, or 97.5 % of half the sample rate where that is lower.
        learn_filters: Whether the filters (and the pre-emphasis) are trained.
        learn_pooling: Whether the lowpass is trained.
        preemp: Whether a learned pre-emphasis comes first.
        compression: "log" (log(E + 1e-5)), another name as for `Leaf`, or a Keras
            layer from energies (batch, frames, n_filters), at least 1e-5, to features.
        initial_filters: "mel" (exact mel centers, widths and areas),
            "official_mel" (read off 512 FFT bins, as leaf-audio does), "linear"
            (triangles of one width, equally spaced in Hz) or "random" (triangles as
            wide as mel's, at random centers, the same ones every time).
        mean_var_norm, spec_augment: Arguments of `Leaf`, and so are `lengths` and
            `mask` of a call.

    Weights:
        filtering.kernel: (kernel_size, 1, 2 * n_filters). Channels 2n and 2n + 1:
            real and imaginary part of filter n.
        pooling.lowpass: (kernel_size,).

    Input shape: (batch, samples) or (batch, samples, 1), float, scaled to
        [-1, 1], any length from 1 sample.
    Output shape: (batch, (samples - kernel_size) // strides + 1, n_filters), the
        policy's compute dtype: 98 frames for 16000 samples at the defaults. A clip
        shorter than the window gives one frame, with zeros after its end.

    Raises:
        ValueError: Argument out of range; a waveform of several channels or of
            integers.

    Example:
        >>> frontend = leaf_tf.TimeDomainFilterbanks()
        >>> frontend(np.zeros((1, 16000), "float32")).shape
        TensorShape([1, 98, 40])

    Source: Zeghidour et al., arXiv:1711.01161; the baseline of LEAF,
        arXiv:2101.08596, Sec. 4. Its initial lowpass is one sample later.
    """

    def __init__(
        self,
        n_filters: int = 40,
        sample_rate: int = 16000,
        window_len: float = 25.0,
        window_stride: float = 10.0,
        min_freq: float = 60.0,
        max_freq: float | None = None,
        learn_filters: bool = True,
        learn_pooling: bool = True,
        preemp: bool = False,
        compression: str | keras.layers.Layer = "log",
        initial_filters: str = "mel",
        **kwargs,
    ):
        super().__init__(
            n_filters,
            sample_rate,
            window_len,
            window_stride,
            min_freq,
            max_freq,
            compression,
            **kwargs,
        )
        if self.kernel_size < 4:
            raise ValueError(
                "`window_len` must be at least 3 samples, or no filter fits in it. "
                f"Received: {window_len} ms at {sample_rate} Hz"
            )
        if initial_filters not in mel.INITIAL_FILTERS:
            raise ValueError(
                f"`initial_filters` must be one of {mel.INITIAL_FILTERS}. "
                f"Received: {initial_filters!r}"
            )
        self.learn_filters = learn_filters
        self.learn_pooling = learn_pooling
        self.preemp = preemp
        self.initial_filters = initial_filters
        policy = self.dtype_policy
        self.preemphasis = (
            PreEmphasis(trainable=learn_filters, dtype=policy, name="preemphasis")
            if preemp
            else None
        )
        self.filtering = keras.layers.Conv1D(
            2 * n_filters,
            self.kernel_size,
            padding="same",
            use_bias=False,
            kernel_initializer=lambda shape, dtype: ops.cast(
                self._initial_taps()[:, None], dtype
            ),
            data_format="channels_last",
            trainable=learn_filters,
            dtype=self.stage_dtype,
            name="filtering",
        )
        self.filtering.made_trainable = learn_filters
        self.modulus = SquaredModulus(dtype=policy, name="modulus")
        self.pooling = SharedLowpass(
            self.kernel_size,
            self.strides,
            trainable=learn_pooling,
            dtype=policy,
            name="pooling",
        )

    @property
    def whole_window(self):
        return self.kernel_size

    def n_frames(self, samples: Size) -> Size:
        """Frames of a clip of so many samples: an integer, None or an integer tensor.

        Number of windows within the clip, at least one.
        """
        return units.n_whole_frames(samples, self.kernel_size, self.strides)

    def build(self, input_shape):
        super().build(input_shape)
        batch, samples = input_shape[:2]
        if self.preemphasis is not None:
            self.preemphasis.build((batch, samples, 1))
        self.filtering.build((batch, samples, 1))
        self.modulus.build((batch, samples, 2 * self.n_filters))
        self.pooling.build((batch, samples, self.n_filters))

    def compute_energies(self, waveform: Tensor, lengths: Tensor | None) -> Tensor:
        outputs = waveform[..., None]
        if self.preemphasis is not None:
            outputs = self.preemphasis(outputs)
        outputs = self.filtering(outputs)  # (batch, samples, 2 * n_filters)
        outputs = self.modulus(outputs)  # (batch, samples, n_filters)
        if lengths is not None:
            # The filters ring on after the end of a clip.
            times = ops.arange(ops.shape(outputs)[1], dtype="int32")[None, :, None]
            is_sound = times < lengths[:, None, None]
            outputs = ops.where(is_sound, outputs, ops.zeros_like(outputs))
        return ops.maximum(self.pooling(outputs), self.least_energy)

    def impulse_responses(self) -> np.ndarray:
        taps = ops.convert_to_numpy(self.filtering.kernel)[:, 0].astype(np.float64)
        return taps[:, 0::2] + 1j * taps[:, 1::2]

    def energies_on_stream(self, lag):
        taps = parts_side_by_side(self.impulse_responses())
        windows = ops.convert_to_numpy(self.pooling.lowpass)[:, None]
        windows = np.tile(windows, (1, self.n_filters))
        stage = at_every_sample(self, taps, windows, squared_modulus, lag, left=0)
        return stage, lambda pooled: ops.maximum(pooled, self.least_energy)

    def _initial_taps(self):
        """Gabor filters with the energies of triangles: (kernel_size, 2 n_filters)."""
        center_freqs, sigmas = mel.initial_gabor_filters(
            self.n_filters,
            self.kernel_size,
            self.sample_rate,
            self.min_freq,
            self.max_freq,
            self.initial_filters,
        )
        times = np.arange(self.kernel_size)[:, None] - self.kernel_size // 2
        taps = np.exp(-0.5 * (times / sigmas) ** 2 + 1j * center_freqs * times)
        # The Gaussian's energy is sqrt(pi) sigma.
        taps *= np.sqrt(self._triangle_areas(center_freqs) / (np.sqrt(np.pi) * sigmas))
        return np.stack([taps.real, taps.imag], axis=-1).reshape(len(times), -1)

    def _triangle_areas(self, center_freqs):
        """Areas of the triangles that filters are placed by, (n_filters,), rad/sample.

        Args:
            center_freqs: Initial center frequencies, (n_filters,), rad/sample.
        """
        if self.initial_filters == "official_mel":
            n_fft = mel.OFFICIAL_N_FFT
            triangles = mel.mel_filterbank(
                self.n_filters, n_fft, self.sample_rate, self.min_freq, self.max_freq
            )
            bases = (triangles > 0).sum(axis=0) + 2
            return triangles.max(axis=0) * bases * (np.pi / n_fft)
        lower, upper = self._triangle_feet_hz(center_freqs)
        return np.pi * (upper - lower) / self.sample_rate

    def _triangle_feet_hz(self, center_freqs):
        """Where each triangle of peak 1 rises from 0, and falls to it."""
        if self.initial_filters == "random":  # as wide as a mel triangle there
            low_end, high_end = mel.hz_to_mel([self.min_freq, self.max_freq])
            step = (high_end - low_end) / (self.n_filters + 1)
            centers_hz = units.radians_to_hz(center_freqs, self.sample_rate)
            mels = mel.hz_to_mel(centers_hz)
            return mel.mel_to_hz(mels - step), mel.mel_to_hz(mels + step)
        band = self.min_freq, self.max_freq
        if self.initial_filters == "linear":
            edges = np.linspace(*band, self.n_filters + 2)
        else:
            edges = mel.mel_edges_hz(self.n_filters, *band)
        return edges[:-2], edges[2:]

    def get_config(self):
        return {
            **super().get_config(),
            "learn_filters": self.learn_filters,
            "learn_pooling": self.learn_pooling,
            "preemp": self.preemp,
            "initial_filters": self.initial_filters,
        }
