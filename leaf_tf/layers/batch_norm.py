"""Keras's batch normalisation, of use after a few steps."""

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.moving_moments import MovingMoments


@keras.saving.register_keras_serializable("leaf_tf")
class BatchNormalization(MovingMoments, keras.layers.BatchNormalization):
    """Keras's BatchNormalization, its moving averages corrected for their start.

    See `MovingMoments`. Takes the arguments, masks, inputs and weights of Keras's, and
    is one; a file of weights of either loads into the other. (Of a layer that has
    seen but a few batches, into this one only.) Variances are means of squared
    deviations on all backends, so that a large mean costs a small variance nothing.

    Example:
        >>> layer = leaf_tf.layers.BatchNormalization(momentum=0.99)
        >>> batch = np.random.normal(5.0, 0.1, (32, 4)).astype("float32")
        >>> _ = layer(batch, training=True)
        >>> bool(np.abs(layer(batch) - layer(batch, training=True)).max() < 1e-4)
        True
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.add_seen()

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        # Renormalisation keeps averages of its own.
        if getattr(self, "renorm", False):
            return super().call(inputs, training=training, mask=mask)
        # In float32 under half-precision policies, as Keras's.
        dtype = keras.backend.result_type(inputs.dtype, self.variable_dtype, "float32")
        inputs = ops.cast(inputs, dtype)
        if training and self.trainable:
            mean, variance = self._moments(inputs, mask)
            self.remember(mean, variance)
        else:
            mean = ops.cast(self.moving_mean, dtype)
            variance = ops.cast(self.moving_variance, dtype)
        outputs = ops.batch_normalization(
            inputs,
            mean,
            variance,
            axis=self.axis,
            offset=ops.cast(self.beta, dtype) if self.center else None,
            scale=ops.cast(self.gamma, dtype) if self.scale else None,
            epsilon=self.epsilon,
        )
        return self.cast_outputs(outputs)

    def cast_outputs(self, outputs):
        """Casts to the policy's compute dtype."""
        return ops.cast(outputs, self.compute_dtype)

    def _moments(self, inputs, mask):
        if mask is not None or self.synchronized:
            return super()._moments(inputs, mask)
        mean = ops.mean(inputs, axis=self._reduction_axes, keepdims=True)
        # The derivative with respect to the mean is 0.
        deviations = inputs - ops.stop_gradient(mean)
        variance = ops.mean(ops.square(deviations), axis=self._reduction_axes)
        return ops.squeeze(mean, axis=self._reduction_axes), variance
