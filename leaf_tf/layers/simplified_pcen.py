"""Compression: PCEN with two learned numbers a channel."""

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import smoothing
from leaf_tf.dsp.slices import last_frame
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage


@keras.saving.register_keras_serializable("leaf_tf")
class SimplifiedPCEN(Stage):
    """SimpPCEN: PCEN without delta, and with a smoothing that is not learned.

        E^(1 / root) / (floor + M)^alpha
        M_0 = E_0,  M_t = s E_t + (1 - s) M_(t - 1),  s = smooth_coef

    What PCEN, (E / (floor + M)^a + delta)^(1 / root) - delta^(1 / root), becomes
    at delta = 0, with alpha = a / root: the power that compresses E and the one
    that normalises it are apart. That is the form, and the initial values
    (0.48 = 0.96 / 2), of the code its authors published for their paper; only
    alpha and root are learned, one each per channel. At alpha = 1 / root the
    level of the input is forgotten. Computed in float32 under half-precision
    policies. M looks back only: frames after a clip don't change it.

    Args:
        alpha: Initial strength of the normalisation, in [0, 1].
        root: Initial root, at least 1.
        smooth_coef: s, in [0, 1]; not learned.
        floor: Added to M, and the least E, > 0; not learned.

    Weights:
        alpha, root: (n_filters,). Optimizers keep them in [0, 1] and [1, inf).

    Input shape: (batch, frames, n_filters), float; values below `floor` count
        as `floor`.
    Output shape: the same; the policy's compute dtype.

    Raises:
        ValueError: Argument out of range.

    Source: Meng et al., arXiv:2510.18206, and their LEAF-APCEN code.
    """

    def __init__(
        self,
        alpha: float = 0.48,
        root: float = 2.0,
        smooth_coef: float = 0.04,
        floor: float = 1e-12,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value in (("alpha", alpha), ("smooth_coef", smooth_coef)):
            if not 0.0 <= value <= 1.0:
                raise ValueError(f"`{name}` must be in [0, 1]. Received: {value}")
        if not root >= 1.0:
            raise ValueError(f"`root` must be at least 1. Received: {root}")
        if not floor > 0:
            raise ValueError(f"`floor` must be greater than 0. Received: {floor}")
        self.alpha_init = alpha
        self.root_init = root
        self.smooth_coef = smooth_coef
        self.floor = floor
        self.supports_masking = True

    def build(self, input_shape):
        ones = np.ones(input_shape[-1])
        self.alpha = self.add_bounded_weight("alpha", self.alpha_init * ones, 0.0, 1.0)
        self.root = self.add_bounded_weight(
            "root", self.root_init * ones, min_value=1.0
        )

    def call(self, inputs: Tensor) -> Tensor:
        energies = self._energies(inputs)
        smooth_coef = self._smooth_coef()
        means = smoothing.exponential_moving_average(energies, smooth_coef)
        return self._normalize(energies, means)

    def step(self, inputs, means, is_frame, is_first):
        """Goes on with a stream, see `PCEN.step`."""
        energies = self._energies(inputs)
        means = smoothing.continued_average(
            energies, self._smooth_coef(), means, is_frame, is_first
        )
        return self._normalize(energies, means), last_frame(means)

    def _energies(self, inputs):
        return ops.maximum(ops.cast(inputs, self.stage_dtype), self.floor)

    def _smooth_coef(self):
        return ops.convert_to_tensor([self.smooth_coef], self.stage_dtype)

    def _normalize(self, energies, means):
        # Powers of positive numbers as exp(log), both in one.
        compressed = ops.log(energies) / self.bounded(self.root)
        gains = self.bounded(self.alpha) * ops.log(self.floor + means)
        return self.cast_outputs(ops.exp(compressed - gains))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "alpha": self.alpha_init,
            "root": self.root_init,
            "smooth_coef": self.smooth_coef,
            "floor": self.floor,
        }
