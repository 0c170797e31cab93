"""Masks of samples and of frames."""

import keras
from keras import ops

from leaf_tf.dsp import units
from leaf_tf.dsp.types import Tensor


def mask_lengths(mask):
    """How long each clip is: to the last True of its mask.

    A sound may hold zeros, which `keras.layers.Masking` takes for padding; what lies
    between sounds belongs to the clip.

    Args:
        mask: (batch, length) or (batch, length, 1).

    Returns:
        (batch,), int32; 0 where there is no True.
    """
    if len(mask.shape) == 3:
        mask = ops.squeeze(mask, axis=-1)
    mask = ops.cast(mask, "bool")
    ends = ops.arange(1, ops.shape(mask)[1] + 1, dtype="int32")[None, :]
    return ops.max(ops.where(mask, ends, 0), axis=1, initial=0)


@keras.saving.register_keras_serializable("leaf_tf")
class FrameMask(keras.Operation):
    """Tells which frames are a clip's, from a mask of its samples.

    An operation of its own, so that functional models can hold it.

    Args:
        strides: Samples between frames.
        window: Samples that a frame takes, where frames are within the clip (VALID).
            Defaults to None: a frame for each stride begun (SAME).

    Input shape: (batch, samples) or (batch, samples, 1), bool.
    Output shape: (batch, frames), bool.
    """

    def __init__(self, strides: int, window=None, *, name=None):
        super().__init__(name=name)
        self.strides = strides
        self.window = window

    def call(self, mask: Tensor | None) -> Tensor:
        frames = self._n_frames(ops.shape(mask)[1])
        ends = self._n_frames(mask_lengths(mask))
        return ops.arange(frames, dtype="int32")[None, :] < ends[:, None]

    def compute_output_spec(self, mask):
        batch, samples = mask.shape[:2]
        return keras.KerasTensor((batch, self._n_frames(samples)), dtype="bool")

    def _n_frames(self, samples):
        if self.window is None:
            return units.n_frames(samples, self.strides)
        return units.n_whole_frames(samples, self.window, self.strides)


@keras.saving.register_keras_serializable("leaf_tf")
class AttachMask(keras.layers.Layer):
    """Gives features a mask, which Keras then passes along to the layers behind.

    Input: [features (batch, frames, channels), mask (batch, frames)].
    Output: The features, as they are.
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.supports_masking = True

    def build(self, input_shape):
        pass

    def call(self, inputs: list[Tensor]) -> Tensor:
        features, _ = inputs
        return features

    def compute_mask(self, inputs, previous_mask):
        _, mask = inputs
        return mask

    def compute_output_shape(self, input_shape):
        return input_shape[0]
