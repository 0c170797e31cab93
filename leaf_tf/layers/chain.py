"""Compressions one after another."""

import keras

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.any_layer import build_compression, compress, compressed_shape
from leaf_tf.layers.parts import Composite
from leaf_tf.layers.stage import Stage


@keras.saving.register_keras_serializable("leaf_tf")
class Chain(Composite, Stage):
    """Layers one after another, each given the mask of the frames if it takes one.

    Makes one `compression` of several: `keras.Sequential` would lose the mask on
    the way.

    Args:
        stages: Keras layers, (batch, frames, channels) -> (batch, frames, channels).

    Input shape: (batch, frames, channels).
    Output shape: the last layer's.
    """

    def __init__(self, stages, **kwargs):
        super().__init__(**kwargs)
        self.stages = list(stages)
        self.supports_masking = True

    def build(self, input_shape):
        for stage in self.stages:
            input_shape = build_compression(stage, input_shape)

    def call(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        outputs = inputs
        for stage in self.stages:
            outputs = compress(stage, outputs, mask)
        return outputs

    def compute_output_shape(self, input_shape):
        for stage in self.stages:
            input_shape = compressed_shape(stage, input_shape)
        return tuple(input_shape)

    def get_config(self):
        stages = [keras.saving.serialize_keras_object(stage) for stage in self.stages]
        return {**super().get_config(), "stages": stages}

    @classmethod
    def from_own_config(cls, config):
        stages = map(keras.saving.deserialize_keras_object, config["stages"])
        return cls(**{**config, "stages": list(stages)})


def stages_of(compression):
    """The layers that a frontend's compression is made of, a list.

    Args:
        compression: Keras layer, such as a `Chain`; None for none.
    """
    if compression is None:
        return []
    return compression.stages if isinstance(compression, Chain) else [compression]
