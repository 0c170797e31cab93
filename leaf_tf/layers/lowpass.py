"""Pooling: learned Gaussian lowpass filters."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import impulse_responses, units
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage, require_positive_int

INITIAL_WIDTH = 0.4
MAX_WIDTH = 0.5
PADDINGS = ("same", "symmetric")
_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))  # of a Gaussian, by its deviation


@keras.saving.register_keras_serializable("leaf_tf")
class GaussianLowpass(Stage):
    """Smooths and subsamples each channel with a Gaussian of learned width.

    K = kernel_size taps, k = 0 ... K - 1, peak 1, not normalised:

        exp(-((k - (K - 1) / 2) / (w (K - 1) / 2))^2 / 2)

    Args:
        kernel_size: Taps K, in samples, at least 4.
        strides: Samples between frames.
        padding: Place of the zeros beyond the ends: "same", TensorFlow's SAME: at
            16000 samples, 401 taps and strides of 160, 120 on the left and 121 on
            the right. "symmetric", PyTorch's: 200 on either side, so that frame j
            is centered on sample 160 j, at any length.
        use_bias: Whether a learned number is added to each channel.
        regularizer: Keras regularizer of the widths.

    Weights:
        widths: (n_filters,), w, relative to half the window, initially 0.4,
            kept in [2 / K, 0.5].
        bias: (n_filters,), only with `use_bias`; initially 1.

    Input shape: (batch, samples, n_filters), float.
    Output shape: (batch, ceil(samples / strides), n_filters), float32.

    Raises:
        ValueError: Argument out of range.

    Example:
        >>> layer = leaf_tf.GaussianLowpass(kernel_size=401, strides=160)
        >>> layer(np.ones((1, 16000, 2), "float32")).shape
        TensorShape([1, 100, 2])

    Source: LEAF, arXiv:2101.08596, Sec. 3; symmetric padding and bias: leaf-pytorch,
    SpeechBrain.
    """

    def __init__(
        self,
        kernel_size: int = 401,
        strides: int = 160,
        padding: str = "same",
        use_bias: bool = False,
        regularizer: Any = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_positive_int(kernel_size=kernel_size, strides=strides)
        if kernel_size < 4:
            raise ValueError(
                "`kernel_size` must be at least 4, or no width is allowed. "
                f"Received: {kernel_size}"
            )
        if padding not in PADDINGS:
            raise ValueError(
                f"`padding` must be one of {PADDINGS}. Received: {padding!r}"
            )
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = padding
        self.use_bias = use_bias
        self.regularizer = keras.regularizers.get(regularizer)

    def build(self, input_shape):
        widths = np.full(input_shape[-1], INITIAL_WIDTH)
        self.widths = self.add_bounded_weight(
            "widths",
            widths,
            2.0 / self.kernel_size,
            MAX_WIDTH,
            regularizer=self.regularizer,
            step_scale=widths,
        )
        if self.use_bias:
            self.bias = self.add_bounded_weight("bias", np.ones(input_shape[-1]))

    def call(self, inputs: Tensor) -> Tensor:
        return self.add_bias(self.pool(inputs))

    def taps(self):
        """The windows as they are, (kernel_size, n_filters)."""
        return impulse_responses.gaussian_lowpass(
            self.bounded(self.widths), self.kernel_size
        )

    def pool(self, inputs):
        """Pools as `call` does, without the bias."""
        energies = ops.cast(inputs, self.stage_dtype)
        taps = self.taps()
        if self.padding == "symmetric":
            before, after = (self.kernel_size - 1) // 2, self.kernel_size // 2
            energies = ops.pad(energies, ((0, 0), (before, after), (0, 0)))
        return ops.depthwise_conv(
            energies,
            ops.expand_dims(taps, axis=-1),
            strides=self.strides,
            padding="same" if self.padding == "same" else "valid",
            data_format="channels_last",
        )

    def pooling_widths(self) -> np.ndarray:
        """FWHM of the windows, NumPy (n_filters,), samples."""
        return fwhm(self.values(self.widths), self.kernel_size)

    def add_bias(self, pooled):
        """Pooled energies (batch, frames, n_filters) and the bias, if there is one."""
        return pooled + self.bias if self.use_bias else pooled

    def compute_output_shape(self, input_shape):
        batch, samples, n_filters = input_shape
        return (batch, units.n_frames(samples, self.strides), n_filters)

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "use_bias": self.use_bias,
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }


def fwhm(widths, kernel_size):
    """Full width at half maximum of Gaussian windows, samples.

    Args:
        widths: Deviations relative to half the window.
        kernel_size: Taps of the window.
    """
    return _FWHM * widths * (kernel_size - 1) / 2.0
