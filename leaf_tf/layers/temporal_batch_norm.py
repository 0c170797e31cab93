"""Normalisation over a batch of clips."""

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.moving_moments import MovingMoments
from leaf_tf.layers.stage import Stage

EPSILON = 1e-5


@keras.saving.register_keras_serializable("leaf_tf")
class TemporalBatchNorm(MovingMoments, Stage):
    """Brings each channel to mean 0 and variance 1 over batch and time.

    (x - mean) / sqrt(variance + 1e-5) * gamma + beta. In training mean and
    variance are those of the batch; frames that the mask leaves out don't count.
    Otherwise they are the moving averages of what training saw, so that a clip
    doesn't depend on its neighbours; corrected for their start, see `MovingMoments`.

    Args:
        momentum: Part of the moving averages that a step keeps, in [0, 1).

    Weights: gamma, beta (channels,), learned, start at 1 and 0; moving_mean,
        moving_variance (channels,), start at 0 and 1.

    Input and output shape: (batch, frames, channels).

    Raises:
        ValueError: `momentum` out of range.

    Source: EfficientLEAF, arXiv:2207.05508.
    """

    def __init__(self, momentum: float = 0.9, **kwargs):
        super().__init__(**kwargs)
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"`momentum` must be in [0, 1). Received: {momentum}")
        self.momentum = momentum
        self.supports_masking = True

    def build(self, input_shape):
        for name, initializer, trainable in (
            ("gamma", "ones", True),
            ("beta", "zeros", True),
            ("moving_mean", "zeros", False),
            ("moving_variance", "ones", False),
        ):
            weight = self.add_weight(
                name=name,
                shape=(input_shape[-1],),
                initializer=initializer,
                dtype=self.stage_dtype,
                autocast=False,
                trainable=trainable,
            )
            setattr(self, name, weight)
        self.add_seen()

    def call(
        self, inputs: Tensor, training: bool | None = False, mask: Tensor | None = None
    ) -> Tensor:
        outputs = ops.cast(inputs, self.stage_dtype)
        if training and self.trainable:
            mean, variance = _moments(outputs, mask)
            self.remember(mean, variance)
        else:
            mean, variance = self.moving_mean, self.moving_variance
        gains = self.gamma / ops.sqrt(variance + EPSILON)
        return self.cast_outputs((outputs - mean) * gains + self.beta)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


def _moments(values, mask):
    """Mean and variance over batch and time, (channels,) each."""
    if mask is None:
        mean = ops.mean(values, axis=(0, 1))
        return mean, ops.mean(ops.square(values - mean), axis=(0, 1))
    kept = ops.cast(mask, values.dtype)[:, :, None]
    weights = kept / ops.maximum(ops.sum(kept), 1.0)
    mean = ops.sum(weights * values, axis=(0, 1))
    return mean, ops.sum(weights * ops.square(values - mean), axis=(0, 1))
