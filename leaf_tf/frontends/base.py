"""The base class of frontends: settings, input, output shape."""

import functools
from typing import Any

import keras
from keras import ops

from leaf_tf.dsp import units
from leaf_tf.dsp.types import Size, Tensor
from leaf_tf.frontends.answers import Answers
from leaf_tf.layers import AttachMask, MeanVarNorm, SpecAugment
from leaf_tf.layers.any_layer import (
    build_compression,
    compress,
    compressed_shape,
)
from leaf_tf.layers.compressions import compression_layer, least_energy
from leaf_tf.layers.masks import FrameMask, mask_lengths
from leaf_tf.layers.parts import Composite
from leaf_tf.layers.stage import Stage, require_band, require_positive_int


class Frontend(Composite, Answers, Stage):
    """From a waveform to features; subclasses implement `compute_energies`.

    A subclass says of itself what it has, by the methods of `Answers`: nobody asks
    which class it is. What compresses is given to this class, ready to be made.

    Holds the settings that all frontends take and what comes last in all of them:
    compression, normalisation; checks the input; casts the features to the policy's
    compute dtype. Clips of different lengths share a batch: say how long each is,
    by `lengths` or a Keras mask, and each clip's features are those of the clip
    alone, zeros after them, with a mask for the layers behind.

    A sample that is NaN or infinite gives NaN in the features of its clip that depend
    on it, in those after them where the compression has a memory (PCEN), and in all of
    the clip where each clip is normalised. Other clips of the batch are not changed,
    except by batch normalisation in training. What follows `lengths` is ignored.

    Args:
        mean_var_norm: Whether each channel of a clip is brought to mean 0 and
            variance 1, then scaled and shifted by learned numbers.
        spec_augment: Whether features are masked and warped in training: True for
            the defaults of `SpecAugment`, or such a layer.
        (n_filters ... compression: as the subclasses say.)
        compressing: For subclasses whose compression isn't that of its name alone:
            function from a dtype to the layer that compresses, or to None. Defaults
            to that of `compression`.
    """

    def __init__(
        self,
        n_filters: int,
        sample_rate: int,
        window_len: float,
        window_stride: float,
        min_freq: float,
        max_freq: float | None,
        compression: str | keras.layers.Layer,
        mean_var_norm: bool = False,
        spec_augment: bool | SpecAugment = False,
        compressing=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
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
        self.least_energy = least_energy(compression)  # of silence, to the compression
        # Stays in float32; only the features are cast, by `call`.
        if compressing is None:
            compressing = functools.partial(compression_layer, compression)
        self.compressing = compressing(self.stage_dtype)
        self.mean_var_norm = mean_var_norm
        self.normalizing = (
            MeanVarNorm(dtype=self.stage_dtype, name="mean_var_norm")
            if mean_var_norm
            else None
        )
        self.spec_augment = spec_augment
        self.augmenting = _augmenting_layer(spec_augment, self.stage_dtype)
        self._attach_mask = AttachMask(dtype=self.dtype_policy, name="attach_mask")

    @property
    def kernel_size(self):
        """Samples in the analysis window."""
        return units.window_samples(self.window_len, self.sample_rate)

    @property
    def strides(self):
        """Samples between frames."""
        return units.stride_samples(self.window_stride, self.sample_rate)

    @property
    def whole_window(self):
        """Samples a frame takes within the clip; None where windows pass its ends."""
        return None

    def preemphasized(self, waveform, bounds):
        """The waveform after pre-emphasis, where the frontend has it.

        Args:
            waveform: (batch, samples).
            bounds: Bounds of the clips in it, outside of which it stays 0; or None.
        """
        if self.preemphasis is None:
            return waveform
        waveform = self.preemphasis(waveform[..., None])
        if bounds is not None:
            waveform = bounds.keep(waveform)
        return ops.squeeze(waveform, axis=-1)

    def freeze(self, keep_compression: bool = False) -> None:
        """Ends the training of all weights, or of all but the compression's.

        With `keep_compression` the compression alone learns on, as far as it was
        trainable: PCEN does on little noisy data, and recovers much of what noise
        cost (arXiv:2404.06702). Compile the model anew. Saved with the layer.
        """
        for layer in self._flatten_layers(include_self=False, recursive=False):
            if not (keep_compression and layer is self.compressing):
                layer.trainable = False
        for weight in self._trainable_variables:  # its own, such as mel's triangles
            weight.trainable = False

    def n_frames(self, samples: Size) -> Size:
        """Frames of a clip of so many samples: an integer, None or an integer tensor.

        SAME padding's, ceil(samples / strides); frontends that pad otherwise differ.
        """
        return units.n_frames(samples, self.strides)

    def build(self, input_shape):
        _require_mono(input_shape, type(self).__name__)
        shape = (input_shape[0], self.n_frames(input_shape[1]), self.n_filters)
        if self.compressing is not None:
            shape = build_compression(self.compressing, shape)
        if self.normalizing is not None:
            self.normalizing.build(shape)
        if self.augmenting is not None:
            self.augmenting.build(shape)
        self._attach_mask.build([shape, shape[:2]])

    def call(
        self,
        waveform: Tensor,
        lengths: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> Tensor:
        """Features of waveforms.

        Args:
            waveform: (batch, samples) or (batch, samples, 1), float. A ragged tensor
                of TensorFlow says itself how long its clips are.
            lengths: Samples of each clip, (batch,), integers from 1; what follows
                is ignored. Defaults to those of the mask.
            mask: (batch, samples), True where there is sound. A clip extends to its
                last True, whatever is masked within. Keras passes it along.
        """
        name = type(self).__name__
        if _is_ragged(waveform):
            waveform, lengths, mask = _padded(waveform, lengths)
        if not keras.backend.is_float_dtype(waveform.dtype):
            raise ValueError(
                f"{name} expects a float waveform scaled to [-1, 1]; divide 16-bit "
                f"samples by 32768. Received: dtype {waveform.dtype}"
            )
        _require_mono(waveform.shape, name)
        if len(waveform.shape) == 3:
            # One channel; of a shape that isn't known yet, or this fails as it runs.
            waveform = ops.reshape(waveform, ops.shape(waveform)[:2])
        waveform = ops.cast(waveform, self.stage_dtype)
        if lengths is None and mask is not None:
            lengths = mask_lengths(mask)
        if lengths is None:
            return self.cast_outputs(self._features(waveform, None, None))
        lengths = _checked_lengths(lengths, ops.shape(waveform)[1])
        is_sound = _is_before(waveform, lengths)
        waveform = ops.where(is_sound, waveform, ops.zeros_like(waveform))
        features, is_frame = self._features(waveform, lengths, self.n_frames(lengths))
        features = self.cast_outputs(features)
        return self._attach_mask([features, is_frame])

    def _features(self, waveform, lengths, n_frames):
        """Features; and which of them are the clip's, if lengths are given."""
        outputs = self.compute_energies(waveform, lengths)
        if lengths is None:
            is_frame = None
        else:
            is_frame = _is_before(outputs, n_frames)
            outputs = _zero_after(outputs, is_frame)
        if self.compressing is not None:
            outputs = compress(self.compressing, outputs, is_frame)
        if self.normalizing is not None:
            outputs = self.normalizing(outputs, mask=is_frame)
        if self.augmenting is not None:
            outputs = self.augmenting(outputs, mask=is_frame)
        if lengths is None:
            return outputs
        return _zero_after(outputs, is_frame), is_frame

    def compute_energies(self, waveform: Tensor, lengths: Tensor | None) -> Tensor:
        """Energies before compression, (batch, frames, n_filters).

        Args:
            waveform: (batch, samples), float32 or float64, zero from `lengths` on.
            lengths: (batch,), int32, or None if all clips fill the batch. Frames
                up to `n_frames(lengths)` are those of the clip alone; what follows
                is ignored.
        """
        raise NotImplementedError

    def compute_mask(self, inputs, previous_mask):
        if previous_mask is None:
            return None
        return FrameMask(self.strides, self.whole_window)(previous_mask)

    def compute_output_shape(self, input_shape):
        _require_mono(input_shape, type(self).__name__)
        shape = (input_shape[0], self.n_frames(input_shape[1]), self.n_filters)
        if self.compressing is None:
            return shape
        return compressed_shape(self.compressing, shape)

    def get_config(self):
        compression = self.compression
        if not isinstance(compression, str):
            compression = keras.saving.serialize_keras_object(compression)
        spec_augment = self.spec_augment
        if not isinstance(spec_augment, bool):
            spec_augment = keras.saving.serialize_keras_object(spec_augment)
        return {
            **super().get_config(),
            "n_filters": self.n_filters,
            "sample_rate": self.sample_rate,
            "window_len": self.window_len,
            "window_stride": self.window_stride,
            "min_freq": self.min_freq,
            "max_freq": self.max_freq,
            "compression": compression,
            "mean_var_norm": self.mean_var_norm,
            "spec_augment": spec_augment,
        }

    @classmethod
    def from_own_config(cls, config):
        return cls(
            **{
                name: keras.saving.deserialize_keras_object(value)
                if isinstance(value, dict) and "class_name" in value
                else value
                for name, value in config.items()
            }
        )


def frontends_of(model: Any) -> list[Frontend]:
    """All frontends of a Keras model, nested ones included.

    Args:
        model: The model; a frontend alone is the only one of itself.
    """
    layers = model._flatten_layers() if hasattr(model, "_flatten_layers") else [model]
    return [layer for layer in layers if isinstance(layer, Frontend)]


def _augmenting_layer(spec_augment, dtype):
    if isinstance(spec_augment, SpecAugment):
        return spec_augment
    if spec_augment is True:
        return SpecAugment(dtype=dtype, name="spec_augment")
    if spec_augment is False:
        return None
    raise ValueError(
        "`spec_augment` must be True, False or a leaf_tf.SpecAugment. "
        f"Received: {spec_augment!r}"
    )


def _is_ragged(waveform):
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return isinstance(waveform, tf.RaggedTensor)


def _padded(ragged, lengths):
    """A ragged waveform as (waveform, lengths, mask)."""
    if lengths is not None:
        raise ValueError(
            "`lengths` must be left out with a ragged waveform, which has its own"
        )
    return ragged.to_tensor(), ragged.row_lengths(), None


def _checked_lengths(lengths, samples):
    """The lengths as int32, none longer than the batch."""
    lengths = ops.convert_to_tensor(lengths)
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(lengths.dtype)):
        raise ValueError(
            "`lengths` must be integers, samples of each clip. Received: dtype "
            f"{lengths.dtype}"
        )
    if len(lengths.shape) != 1:
        raise ValueError(
            f"`lengths` must be of shape (batch,). Received: {tuple(lengths.shape)}"
        )
    return ops.minimum(ops.cast(lengths, "int32"), samples)


def _is_before(values, ends):
    """(batch, length), whether a place along axis 1 is before the example's end."""
    return ops.arange(ops.shape(values)[1])[None, :] < ends[:, None]


def _zero_after(values, is_before):
    return ops.where(is_before[:, :, None], values, ops.zeros_like(values))


def _require_mono(shape, name):
    if len(shape) == 2 or (len(shape) == 3 and shape[-1] in (1, None)):
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
