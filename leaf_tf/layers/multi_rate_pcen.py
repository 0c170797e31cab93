"""Compression: several PCENs side by side, each with a memory of its own length."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from leaf_tf.dsp.types import Tensor
from leaf_tf.layers.parts import Composite
from leaf_tf.layers.pcen import PCEN
from leaf_tf.layers.stage import Stage


@keras.saving.register_keras_serializable("leaf_tf")
class MultiRatePCEN(Composite, Stage):
    """PCENs with different smoothing rates: short sounds suit one, long ones another.

    A PCEN suppresses what lasts longer than its smoothing remembers; which sounds
    that are depends on the rate. So the same energies go through one PCEN a rate,
    and the layers behind choose. Computed in float32 under half-precision
    policies. PCEN looks back only: frames after a clip don't change it.

    Args:
        rates: Initial smoothing coefficients s, one PCEN each, in (0, 1]. A memory
            of T frames is s = 1 - exp(-1 / T). Defaults to 1/64, 1/16, 1/4: 63,
            15 and 3.5 frames.
        alpha, delta, root, floor: Initial values for all, see `PCEN`.
        learn_smooth_coef: Whether the rates are learned. Defaults to False: they
            stay apart.

    Weights: those of each `PCEN`, in the order of `rates`.

    Input shape: (batch, frames, n_filters), float; values below 0 count as 0.
    Output shape: (batch, frames, n_filters * rates); the policy's compute dtype.
        Channel r * n_filters + n: rate r, filter n.

    Raises:
        ValueError: Argument out of range.

    Source: multi-rate PCEN, arXiv:2102.03468 (the default rates are ours).
    """

    def __init__(
        self,
        rates: Sequence[float] = (1 / 64, 1 / 16, 1 / 4),
        alpha: float = 0.96,
        delta: float = 2.0,
        root: float = 2.0,
        floor: float = 1e-12,
        learn_smooth_coef: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if len(rates) == 0 or not all(0.0 < rate <= 1.0 for rate in rates):
            raise ValueError(
                "`rates` must be one or more smoothing coefficients in (0, 1]. "
                f"Received: {rates}"
            )
        self.rates = tuple(rates)
        self.pcen_arguments: dict[str, Any] = {
            "alpha": alpha,
            "delta": delta,
            "root": root,
            "floor": floor,
            "learn_smooth_coef": learn_smooth_coef,
        }
        self.pcens = [
            PCEN(
                smooth_coef=rate,
                **self.pcen_arguments,
                dtype=self.dtype_policy,
                name=f"pcen_{i}",
            )
            for i, rate in enumerate(rates)
        ]
        self.supports_masking = True

    def build(self, input_shape):
        for pcen in self.pcens:
            pcen.build(input_shape)

    def call(self, inputs: Tensor) -> Tensor:
        return ops.concatenate([pcen(inputs) for pcen in self.pcens], axis=-1)

    def step(self, inputs, means, is_frame, is_first):
        """Goes on with a stream, see `PCEN.step`; M of all, in the outputs' order."""
        means = ops.split(means, len(self.pcens), axis=-1)
        steps = [
            pcen.step(inputs, mean, is_frame, is_first)
            for pcen, mean in zip(self.pcens, means)
        ]
        outputs, means = (ops.concatenate(parts, axis=-1) for parts in zip(*steps))
        return outputs, means

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], len(self.rates) * input_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "rates": list(self.rates),
            **self.pcen_arguments,
        }
