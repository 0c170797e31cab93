"""An optimizer whose one rate fits all parameters of a frontend."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("leaf_tf")
class ScaledAdam(keras.optimizers.Adam):
    """Adam that moves the parameters of a frontend in steps of their own scale.

    A step of Adam is about as long as the learning rate, whatever the parameter. At
    3e-3 and 16 kHz that is 7.6 Hz of a center frequency, 11 % of a bandwidth for the
    lowest of 40 filters and 1 % for the highest; 7 % of PCEN's smooth_coef, but less
    than 0.04 % of any sigma. Here a step of a weight is the rate times its scale: the
    initial 1 / sigma, 0.4 of a bandwidth, for a center frequency; the initial value for
    sigmas, pooling widths, delta, root and smooth_coef. So a rate that suits the
    network behind suits them as well: at 3e-3, 0.3 % of each a step. All other weights,
    such as those of the network, learn as by `keras.optimizers.Adam`, whose arguments
    it takes.

    Example:
        >>> model = keras.Sequential([keras.Input((1600,)), leaf_tf.Leaf(n_filters=4)])
        >>> model.compile(leaf_tf.ScaledAdam(3e-3), "mse")
        >>> sigmas = model.layers[0].filtering.sigmas
        >>> before = sigmas.numpy()
        >>> waveforms, targets = np.ones((1, 1600)), np.ones((1, 10, 4))
        >>> _ = model.fit(waveforms, targets, verbose=0)
        >>> np.abs(sigmas.numpy() / before - 1).round(4)
        array([0.003, 0.003, 0.003, 0.003], dtype=float32)

    Source: ours; what it gains: docs/results.md.
    """

    def build(self, variables):
        super().build(variables)
        self._step_scales: list[Any] = [
            getattr(variable, "step_scale", None) for variable in variables
        ]

    def update_step(self, gradient, variable, learning_rate):
        scale = self._step_scales[self._get_variable_index(variable)]
        if scale is not None:
            learning_rate = ops.multiply(
                ops.cast(learning_rate, variable.dtype), ops.cast(scale, variable.dtype)
            )
        super().update_step(gradient, variable, learning_rate)
