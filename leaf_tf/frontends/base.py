"""What every frontend shares: its settings, its input, its output shape."""

import keras
from keras import ops

from leaf_tf.dsp import units
from leaf_tf.layers import PCEN, LogCompression
from leaf_tf.layers.stage import Stage, require_band, require_positive_int

# The energies of silence, so that no compression sees a zero.
MIN_ENERGY = 1e-5
COMPRESSIONS = ("pcen", "log", "none")


class Frontend(Stage):
    """From a waveform to features; subclasses implement `compute_features`.

    Holds the settings that all frontends take and the compression at their end,
    checks the input, and casts the features to the policy's compute dtype.
    """

    def __init__(
        self,
        n_filters,
        sample_rate,
        window_len,
        window_stride,
        min_freq,
        max_freq,
        compression,
        **kwargs,
    ):
        super().__init__(**kwargs)
        require_positive_int(n_filters=n_filters, sample_rate=sample_rate)
        self.n_filters = n_filters
        self.sample_rate = sample_rate
        self.window_len = window_len
        self.window_stride = window_stride
        self.min_freq = min_freq
        # 7800 Hz is 97.5 % of the Nyquist frequency of the paper's 16 kHz.
        if max_freq is None:
            max_freq = min(7800.0, 0.4875 * sample_rate)
        self.max_freq = max_freq
        require_band(self.min_freq, self.max_freq, sample_rate)
        lengths = {"window_len": window_len, "window_stride": window_stride}
        for name, value in lengths.items():
            if units.stride_samples(value, sample_rate) < 1:
                raise ValueError(
                    f"`{name}` must be at least one sample, {1000 / sample_rate} ms "
                    f"at {sample_rate} Hz. Received: {value} ms"
                )
        self.compression = compression
        # Stays in float32; only the features are cast, by `call`.
        self.compressing = compression_layer(compression, self.stage_dtype)

    @property
    def kernel_size(self):
        """Samples in the analysis window."""
        return units.window_samples(self.window_len, self.sample_rate)

    @property
    def strides(self):
        """Samples between frames."""
        return units.stride_samples(self.window_stride, self.sample_rate)

    def build(self, input_shape):
        _require_mono(input_shape, type(self).__name__)
        if self.compressing is not None:
            frames = units.n_frames(input_shape[1], self.strides)
            self.compressing.build((input_shape[0], frames, self.n_filters))

    def call(self, waveform):
        name = type(self).__name__
        if not keras.backend.is_float_dtype(waveform.dtype):
            raise ValueError(
                f"{name} expects a float waveform scaled to [-1, 1]; divide 16-bit "
                f"samples by 32768. Received: dtype {waveform.dtype}"
            )
        _require_mono(waveform.shape, name)
        if len(waveform.shape) == 3:
            waveform = ops.squeeze(waveform, axis=-1)
        features = self.compute_features(ops.cast(waveform, self.stage_dtype))
        return ops.cast(features, self.compute_dtype)

    def compute_features(self, waveform):
        """Features (batch, frames, n_filters) of a waveform (batch, samples)."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape):
        _require_mono(input_shape, type(self).__name__)
        frames = units.n_frames(input_shape[1], self.strides)
        return (input_shape[0], frames, self.n_filters)

    def get_config(self):
        compression = self.compression
        if not isinstance(compression, str):
            compression = keras.saving.serialize_keras_object(compression)
        return {
            **super().get_config(),
            "n_filters": self.n_filters,
            "sample_rate": self.sample_rate,
            "window_len": self.window_len,
            "window_stride": self.window_stride,
            "min_freq": self.min_freq,
            "max_freq": self.max_freq,
            "compression": compression,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if not isinstance(config["compression"], str):
            config["compression"] = keras.saving.deserialize_keras_object(
                config["compression"]
            )
        return cls(**config)


def compression_layer(compression, dtype):
    """The layer that a frontend's argument `compression` asks for, or None.

    Raises:
        ValueError: `compression` is none of "pcen", "log", "none" and no layer.
    """
    if isinstance(compression, keras.layers.Layer):
        return compression
    if compression == "pcen":
        return PCEN(dtype=dtype, name="pcen")
    if compression == "log":
        return LogCompression(dtype=dtype, name="log")
    if compression == "none":
        return None
    raise ValueError(
        f"`compression` must be one of {COMPRESSIONS} or a Keras layer. "
        f"Received: {compression!r}"
    )


def _require_mono(shape, name):
    if len(shape) == 2 or (len(shape) == 3 and shape[-1] == 1):
        return
    if len(shape) == 3:
        advice = (
            "mix the channels down with keras.ops.mean(waveform, axis=-1), or "
            "pass each channel as a clip of its own"
        )
    elif len(shape) == 1:
        advice = "add the batch axis with waveform[None]"
    else:
        advice = "merge the other axes into the batch"
    raise ValueError(
        f"{name} expects a mono waveform, (batch, samples) or (batch, samples, 1); "
        f"{advice}. Received: shape {tuple(shape)}"
    )
