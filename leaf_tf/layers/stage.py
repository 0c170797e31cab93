"""The base class of stages: precision, and weights kept in bounds."""

import math

import keras
import numpy as np
from keras import ops

MAX_FLOAT16 = 65504.0


@keras.saving.register_keras_serializable("leaf_tf")
class Interval(keras.constraints.Constraint):
    """Keeps each weight in [min_value, max_value]; None leaves an end open.

    The ends are numbers, or arrays with one number a weight.
    """

    def __init__(self, min_value=None, max_value=None):
        self.min_value = min_value
        self.max_value = max_value

    def __call__(self, w):
        low = -math.inf if self.min_value is None else self.min_value
        high = math.inf if self.max_value is None else self.max_value
        return ops.clip(w, low, high)

    def get_config(self):
        return {"min_value": self.min_value, "max_value": self.max_value}


class Stage(keras.layers.Layer):
    """A layer that computes in float32 under half-precision policies.

    Audio spans more than the 11 bits of float16 or the 8 of bfloat16: rounding
    the waveform would bury quiet bands under noise, and energies of loud ones
    would overflow. The frontend is a small part of a model's work, so it stays
    in float32 (float64 under the float64 policy), its weights too; a frontend
    casts its features to the policy's compute dtype at the end.
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self._bounds = {}
        # What `Composite` compares with; and its weights that are made frozen.
        self.made_trainable = self.trainable
        self.frozen_weights: frozenset = frozenset()

    @property
    def stage_dtype(self):
        """The dtype this stage computes in: "float32" or "float64"."""
        return "float64" if self.compute_dtype == "float64" else "float32"

    def cast_outputs(self, outputs):
        """Casts to the policy's compute dtype.

        What float16 can't hold, above 65504, becomes the greatest number it can.
        """
        if self.compute_dtype == "float16":
            outputs = ops.clip(outputs, -MAX_FLOAT16, MAX_FLOAT16)
        return ops.cast(outputs, self.compute_dtype)

    def add_bounded_weight(
        self,
        name,
        initial_values,
        min_value=None,
        max_value=None,
        trainable=True,
        regularizer=None,
        step_scale=None,
    ):
        """Adds a float32 weight that is meant to stay in [min_value, max_value].

        Optimizers keep it there. Values outside, as an import may bring, stay as
        they are until the first optimizer step; `call` clips them by `bounded`.
        `leaf_tf.ScaledAdam` moves it in steps of `step_scale`, an array of its shape.
        """
        bounds = Interval(min_value, max_value)
        weight = self.add_weight(
            name=name,
            shape=initial_values.shape,
            initializer=lambda shape, dtype: ops.cast(initial_values, dtype),
            dtype=self.stage_dtype,
            autocast=False,
            constraint=bounds,
            trainable=trainable,
            regularizer=regularizer,
        )
        weight.step_scale = step_scale
        self._bounds[name] = bounds
        if name in self.frozen_weights:
            weight.trainable = False
        return weight

    def bounded(self, weight):
        """The value of a weight of `add_bounded_weight`, clipped to its bounds."""
        return self._bounds[weight.name](ops.convert_to_tensor(weight))

    def values(self, weight):
        """The `bounded` value as a NumPy array, float64."""
        return ops.convert_to_numpy(self.bounded(weight)).astype(np.float64)

    def confine(self, weight, low, high):
        """Has optimizers keep a weight in [low, high], too, from the next trace on.

        Args:
            weight: Weight from `add_bounded_weight`.
            low, high: Arrays of its shape.
        """
        bounds = self._bounds[weight.name]
        weight.constraint = Interval(
            low if bounds.min_value is None else np.maximum(low, bounds.min_value),
            high if bounds.max_value is None else np.minimum(high, bounds.max_value),
        )


def nan_if_not_finite(values, inputs):
    """The values, but NaN in each channel whose inputs hold NaN or Inf.

    For stages whose maxima or medians would drop NaN, and give features that look
    right.

    Args:
        values: (batch, frames, channels).
        inputs: (batch, any, channels or 1), summed over time.
    """
    totals = ops.sum(inputs, axis=1, keepdims=True)
    # False for NaN. `isfinite` is no builtin operator of TFLite.
    return ops.where(ops.abs(totals) < math.inf, values, math.nan)


def require_positive_int(**arguments):
    """Raises a ValueError naming the first argument that is no integer >= 1."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(
                f"`{name}` must be an integer of at least 1. Received: {value!r}"
            )


def require_band(min_freq, max_freq, sample_rate):
    """Raises a ValueError unless 0 <= min_freq < max_freq <= sample_rate / 2."""
    nyquist = sample_rate / 2
    if min_freq < 0:
        raise ValueError(f"`min_freq` must be at least 0 Hz. Received: {min_freq}")
    if max_freq > nyquist:
        raise ValueError(
            f"`max_freq` must be at most sample_rate / 2 = {nyquist} Hz. "
            f"Received: {max_freq}"
        )
    if max_freq <= min_freq:
        raise ValueError(
            f"`max_freq` must be greater than min_freq = {min_freq} Hz. "
            f"Received: {max_freq}"
        )
