"""SincNet and SincNet+, rivals whose filters are sinc band-passes."""

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp.alignment import align
from leaf_tf.frontends.base import Frontend
from leaf_tf.layers import PCEN, GaussianLowpass
from leaf_tf.layers.sinc import SincConv1D
from leaf_tf.layers.stage import nan_if_not_finite
from leaf_tf.streaming.banks import BankMaxima, at_every_sample

# What is left of a sample below 0.
NEGATIVE_SLOPE = 0.2
# Of the layer normalisation, added to the variance.
EPSILON = 1e-3
# Below any sample: a maximum never picks it where there is another.
_LOWEST = -1e30


class _SincFrontend(Frontend):
    """Sinc filters and a leaky rectifier; subclasses pool and compress.

    Args:
        learn_filters: Whether the filters are trained.
        (n_filters ... compression: as the subclasses say.)
    """

    def __init__(
        self,
        n_filters,
        sample_rate,
        window_len,
        window_stride,
        min_freq,
        max_freq,
        learn_filters,
        compression,
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
        self.learn_filters = learn_filters
        self.filtering = SincConv1D(
            n_filters,
            self.kernel_size,
            sample_rate,
            self.min_freq,
            self.max_freq,
            trainable=learn_filters,
            dtype=self.dtype_policy,
            name="filtering",
        )

    def build(self, input_shape):
        super().build(input_shape)
        self.filtering.build((*input_shape[:2], 1))

    @property
    def filter_stage(self):
        return self.filtering

    def _rectified(self, waveform):
        return _leaky(
            self.filtering(waveform[..., None])
        )  # (batch, samples, n_filters)

    def compute_energies(self, waveform, lengths):
        original = waveform
        if lengths is None:
            outputs = self._pooled(self._rectified(waveform))
        else:
            waveform, bounds = align(waveform, lengths, self.kernel_size, self.strides)
            outputs = self._pooled_within(self._rectified(waveform), bounds, lengths)
        return nan_if_not_finite(outputs, original[..., None])

    def _pooled(self, outputs):
        """Frames (batch, frames, n_filters) of filter outputs."""
        raise NotImplementedError

    def _pooled_within(self, outputs, bounds, lengths):
        """Frames of aligned clips, of which nothing outside the bounds counts."""
        raise NotImplementedError

    def get_config(self):
        return {**super().get_config(), "learn_filters": self.learn_filters}


@keras.saving.register_keras_serializable("leaf_tf")
class SincNet(_SincFrontend):
    """Sinc filters, a leaky rectifier, max pooling, layer normalisation.

    Every filter has a learned lower edge and bandwidth. What is below 0 counts a
    fifth; each frame is the maximum over its window (SAME); each frame is brought to
    mean 0 and variance 1 over its filters, then scaled and shifted by two learned
    numbers a filter. That normalisation is in the place of a compression.

    Args:
        n_filters: Filters, and channels of the features. Defaults to 40.
        sample_rate: Sample rate of the waveform, Hz. Defaults to 16000.
        window_len: Length of the filters and of the pooling window, ms.
        window_stride: Hop between frames, ms.
        min_freq, max_freq: Edges of the initial bands, Hz. `max_freq` defaults to
            7800, or 97.5 % of half the sample rate where that is lower.
        learn_filters: Whether the filters are trained.
        compression: "none", or a Keras layer from features of either sign.
        mean_var_norm, spec_augment: Arguments of `Leaf`, and so are `lengths` and
            `mask` of a call.

    Input shape: (batch, samples) or (batch, samples, 1), float, scaled to
        [-1, 1], any length from 1 sample.
    Output shape: (batch, ceil(samples / strides), n_filters), the policy's
        compute dtype.

    Raises:
        ValueError: Argument out of range; a waveform of several channels or of
            integers.

    Example:
        >>> frontend = leaf_tf.SincNet()
        >>> frontend(np.zeros((1, 16000), "float32")).shape
        TensorShape([1, 100, 40])

    Source: arXiv:1808.00158, as the baseline of LEAF, arXiv:2101.08596, Sec. 4, has
        it. There the initial bands are placed for 16 kHz whatever the rate, and
        reach from 100 to 8000 Hz; here they keep to `min_freq` and `max_freq`.
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
        compression: str | keras.layers.Layer = "none",
        **kwargs,
    ):
        if isinstance(compression, str) and compression != "none":
            raise ValueError(
                '`compression` of SincNet must be "none" or a Keras layer: its '
                "features go below 0. SincNetPlus has energies to compress. "
                f"Received: {compression!r}"
            )
        super().__init__(
            n_filters,
            sample_rate,
            window_len,
            window_stride,
            min_freq,
            max_freq,
            learn_filters,
            compression,
            **kwargs,
        )
        self.layer_norm = keras.layers.LayerNormalization(
            epsilon=EPSILON, dtype=self.stage_dtype, name="layer_norm"
        )

    def build(self, input_shape):
        super().build(input_shape)
        shape = (input_shape[0], self.n_frames(input_shape[1]), self.n_filters)
        self.layer_norm.build(shape)

    def _pooled(self, outputs):
        return self.layer_norm(self._maxima(outputs))

    def _pooled_within(self, outputs, bounds, lengths):
        # A zero would beat the negative samples of the clip.
        times = ops.arange(ops.shape(outputs)[1], dtype="int32")[None]
        outside = bounds.outside(times)[:, :, None]
        outputs = ops.where(outside, ops.full_like(outputs, _LOWEST), outputs)
        maxima = self._maxima(outputs)
        # Frames that hold no sound would overflow in the normalisation.
        frames = ops.arange(ops.shape(maxima)[1], dtype="int32")[None]
        is_frame = (frames < self.n_frames(lengths)[:, None])[:, :, None]
        return self.layer_norm(ops.where(is_frame, maxima, ops.zeros_like(maxima)))

    def energies_on_stream(self, lag):
        windows = np.ones((self.kernel_size, self.n_filters), "float32")
        taps = self.impulse_responses()
        stage = at_every_sample(self, taps, windows, _leaky, lag, kind=BankMaxima)
        return stage, self.layer_norm

    def _maxima(self, outputs):
        return ops.max_pool(
            outputs,
            self.kernel_size,
            strides=self.strides,
            padding="same",
            data_format="channels_last",
        )


@keras.saving.register_keras_serializable("leaf_tf")
class SincNetPlus(_SincFrontend):
    """SincNet with LEAF's pooling and compression.

    Sinc filters, a leaky rectifier (what is below 0 counts a fifth), Gaussian
    lowpass, at least 1e-5, then PCEN.

    Args:
        n_filters: Filters, and channels of the features. Defaults to 40.
        sample_rate: Sample rate of the waveform, Hz. Defaults to 16000.
        window_len: Length of the filters and of the pooling window, ms.
        window_stride: Hop between frames, ms.
        min_freq, max_freq: Edges of the initial bands, Hz. `max_freq` defaults to
            7800, or 97.5 % of half the sample rate where that is lower.
        learn_filters: Whether the filters are trained.
        learn_pooling: Whether the pooling widths are trained.
        compression: "pcen" (floor 1e-6, smoothing not learned: the paper's for this
            frontend), another name as for `Leaf`, or a Keras layer from values
            (batch, frames, n_filters), at least 1e-5, to features.
        mean_var_norm, spec_augment: Arguments of `Leaf`, and so are `lengths` and
            `mask` of a call.

    Input shape: (batch, samples) or (batch, samples, 1), float, scaled to
        [-1, 1], any length from 1 sample.
    Output shape: (batch, ceil(samples / strides), n_filters), the policy's
        compute dtype.

    Raises:
        ValueError: Argument out of range; a waveform of several channels or of
            integers.

    Example:
        >>> frontend = leaf_tf.SincNetPlus()
        >>> frontend(np.zeros((1, 16000), "float32")).shape
        TensorShape([1, 100, 40])

    Source: a baseline of LEAF, arXiv:2101.08596, Sec. 4. There the initial bands
        are placed for 16 kHz whatever the rate, and reach from 100 to 8000 Hz;
        here they keep to `min_freq` and `max_freq`.
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
        compression: str | keras.layers.Layer = "pcen",
        **kwargs,
    ):
        super().__init__(
            n_filters,
            sample_rate,
            window_len,
            window_stride,
            min_freq,
            max_freq,
            learn_filters,
            compression,
            compressing=_pcen if compression == "pcen" else None,
            **kwargs,
        )
        self.learn_pooling = learn_pooling
        self.pooling = GaussianLowpass(
            self.kernel_size,
            self.strides,
            trainable=learn_pooling,
            dtype=self.dtype_policy,
            name="pooling",
        )

    def build(self, input_shape):
        super().build(input_shape)
        self.pooling.build((*input_shape[:2], self.n_filters))

    @property
    def pooling_stage(self):
        return self.pooling

    def energies_on_stream(self, lag):
        windows = ops.convert_to_numpy(self.pooling.taps())
        taps = self.impulse_responses()
        stage = at_every_sample(self, taps, windows, _leaky, lag)
        return stage, lambda pooled: ops.maximum(pooled, self.least_energy)

    def _pooled(self, outputs):
        return ops.maximum(self.pooling(outputs), self.least_energy)

    def _pooled_within(self, outputs, bounds, lengths):
        return self._pooled(bounds.keep(outputs))

    def get_config(self):
        return {**super().get_config(), "learn_pooling": self.learn_pooling}


def _leaky(outputs):
    return ops.leaky_relu(outputs, negative_slope=NEGATIVE_SLOPE)


def _pcen(dtype):
    """The compression of SincNet+, as published."""
    return PCEN(floor=1e-6, learn_smooth_coef=False, dtype=dtype, name="pcen")
