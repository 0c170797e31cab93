"""Masks of frames."""

import keras


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

    def call(self, inputs):
        features, _ = inputs
        return features

    def compute_mask(self, inputs, previous_mask):
        _, mask = inputs
        return mask

    def compute_output_shape(self, input_shape):
        return input_shape[0]
