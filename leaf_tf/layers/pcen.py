"""Compression: per-channel energy normalisation with learned parameters."""

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import compression, smoothing
from leaf_tf.dsp.slices import last_frame
from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.stage import Stage

# Lower bound of delta: at 0 the gradient of delta^(1 / root) is infinite, below
# it the output is NaN.
MIN_DELTA = 1e-6


@keras.saving.register_keras_serializable("leaf_tf")
class PCEN(Stage):
    """Normalises each channel by its own recent loudness, then compresses it.

        (E / (floor + M)^alpha + delta)^(1 / root) - delta^(1 / root)
        M_0 = E_0,  M_t = s E_t + (1 - s) M_(t - 1),  s = smooth_coef

    The defaults assume energies of a waveform in [-1, 1] pooled by LEAF. All of
    alpha, delta, root and s are learned, one each per channel. Computed in
    float32 under half-precision policies. So that no sound and no parameters give
    Inf or NaN, 1 / (floor + M)^alpha is at most 1e8, the quotient at most 1e12.

    Args:
        alpha: Initial strength of the normalisation, in [0, 1].
        smooth_coef: Initial s, in [0, 1].
        delta: Initial offset, at least 1e-6.
        root: Initial root, at least 1.
        floor: Added to M, > 0; not learned.
        learn_smooth_coef: Whether s is learned. Defaults to True.

    Weights:
        alpha, delta, root, smooth_coef: (n_filters,). Optimizers keep them in
            [0, 1], [1e-6, inf), [1, inf) and [0, 1].

    Input shape: (batch, frames, n_filters), float; values below 0 count as 0.
    Output shape: the same; the policy's compute dtype.

    Raises:
        ValueError: Argument out of range.

    Example:
        >>> layer = leaf_tf.PCEN()
        >>> layer(np.array([[[1.0], [1.0], [100.0]]], "float32")).numpy().round(2)
        array([[[0.32],
                [0.32],
                [3.43]]], dtype=float32)

    Source: arXiv:1607.05666; LEAF, arXiv:2101.08596, Sec. 3.
    """

    def __init__(
        self,
        alpha: float = 0.96,
        smooth_coef: float = 0.04,
        delta: float = 2.0,
        root: float = 2.0,
        floor: float = 1e-12,
        learn_smooth_coef: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        _require_in("alpha", alpha, 0.0, 1.0)
        _require_in("smooth_coef", smooth_coef, 0.0, 1.0)
        _require_in("delta", delta, MIN_DELTA, float("inf"))
        _require_in("root", root, 1.0, float("inf"))
        if not floor > 0:
            raise ValueError(f"`floor` must be greater than 0. Received: {floor}")
        self.alpha_init = alpha
        self.smooth_coef_init = smooth_coef
        self.delta_init = delta
        self.root_init = root
        self.floor = floor
        self.learn_smooth_coef = learn_smooth_coef

    def build(self, input_shape):
        ones = np.ones(input_shape[-1])
        self.alpha = self.add_bounded_weight("alpha", self.alpha_init * ones, 0.0, 1.0)
        delta, root = self.delta_init * ones, self.root_init * ones
        self.delta = self.add_bounded_weight(
            "delta", delta, min_value=MIN_DELTA, step_scale=delta
        )
        self.root = self.add_bounded_weight(
            "root", root, min_value=1.0, step_scale=root
        )
        smooth_coef = self.smooth_coef_init * ones
        self.smooth_coef = self.add_bounded_weight(
            "smooth_coef",
            smooth_coef,
            0.0,
            1.0,
            trainable=self.learn_smooth_coef,
            step_scale=smooth_coef,
        )

    def call(self, inputs: Tensor) -> Tensor:
        energies = self._energies(inputs)
        smooth_coef = self.bounded(self.smooth_coef)
        means = smoothing.exponential_moving_average(energies, smooth_coef)
        return self._normalize(energies, means)

    def parameters(self):
        """{name: weight (n_filters,)} of what is learned."""
        return {
            "alpha": self.alpha,
            "delta": self.delta,
            "root": self.root,
            "smooth_coef": self.smooth_coef,
        }

    def step(self, inputs, means, is_frame, is_first):
        """Goes on with a stream whose frames so far left M at `means`.

        Args:
            inputs: (batch, frames, n_filters), the frames now.
            means, is_frame, is_first: Arguments of
                `dsp.smoothing.continued_average`.

        Returns:
            What `call` makes of these frames of the whole stream, and M for the next
            step, (batch, n_filters).
        """
        energies = self._energies(inputs)
        smooth_coef = self.bounded(self.smooth_coef)
        means = smoothing.continued_average(
            energies, smooth_coef, means, is_frame, is_first
        )
        return self._normalize(energies, means), last_frame(means)

    def _energies(self, inputs):
        return ops.maximum(ops.cast(inputs, self.stage_dtype), 0.0)

    def _normalize(self, energies, means):
        outputs = compression.pcen(
            energies,
            means,
            self.bounded(self.alpha),
            self.bounded(self.delta),
            self.bounded(self.root),
            self.floor,
        )
        return self.cast_outputs(outputs)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "alpha": self.alpha_init,
            "smooth_coef": self.smooth_coef_init,
            "delta": self.delta_init,
            "root": self.root_init,
            "floor": self.floor,
            "learn_smooth_coef": self.learn_smooth_coef,
        }


def _require_in(name, value, low, high):
    if not low <= value <= high:
        raise ValueError(f"`{name}` must be in [{low}, {high}]. Received: {value}")
