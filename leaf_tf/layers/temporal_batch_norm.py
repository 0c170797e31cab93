"""Normalisation over a batch of clips."""

import keras

from leaf_tf.layers.batch_norm import BatchNormalization
from leaf_tf.layers.stage import Stage


@keras.saving.register_keras_serializable("leaf_tf")
class TemporalBatchNorm(Stage, BatchNormalization):
    """Brings each channel to mean 0 and variance 1 over batch and time.

    Keras's batch normalisation, in float32 under half-precision policies as every
    stage:

        (x - mean) / sqrt(variance + 1e-5) * gamma + beta

    In training mean and variance are those of the batch; frames that the mask leaves
    out don't count. Otherwise they are the moving averages of training, so that a clip
    doesn't depend on its neighbours; corrected for their start, see `MovingMoments`.

    Args:
        momentum: Part of the moving averages that a step keeps, in [0, 1).

    Weights: gamma, beta (channels,), learned, start at 1 and 0; moving_mean,
        moving_variance (channels,), start at 0 and 1.

    Input and output shape: (batch, frames, channels).

    Raises:
        ValueError: `momentum` out of range.

    Example:
        >>> layer = leaf_tf.TemporalBatchNorm()
        >>> features = np.array([[[1.0], [3.0]]], "float32")
        >>> layer(features, training=True).numpy().ravel().round(2)
        array([-1.,  1.], dtype=float32)

    Source: EfficientLEAF, arXiv:2207.05508.
    """

    def __init__(self, momentum: float = 0.9, **kwargs):
        if not 0.0 <= momentum < 1.0:
            raise ValueError(f"`momentum` must be in [0, 1). Received: {momentum}")
        super().__init__(momentum=momentum, epsilon=1e-5, **kwargs)

    def add_weight(self, *args, **kwargs):
        return super().add_weight(*args, **{"dtype": self.stage_dtype, **kwargs})

    def get_config(self):
        return {**keras.layers.Layer.get_config(self), "momentum": self.momentum}
