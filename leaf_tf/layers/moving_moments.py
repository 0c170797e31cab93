"""Moving averages of mean and variance that are corrected for their start."""

from typing import Any

import keras
from keras import ops

# Above this share the start is gone: float32 rounds what is left of it away.
_ALL = 1.0 - 1e-6
# Beside Keras's own entries, which are numbers, in files of weights.
_ENTRY = "seen"


class MovingMoments(keras.layers.Layer):
    """A mixin for normalisations over batches: its corrected moving averages.

    The usual average, a <- m a + (1 - m) x with the momentum m, still holds m^t of
    what it started at after t steps: of the variance 1 an eighth after 20 steps of
    m = 0.9. This one is the mean of what was seen, weighted by the same powers of m:

        a <- (1 - k) a + k x,  k = (1 - m) / (1 - m^t)

    It equals the batch's own after one step, and is the usual average once m^t is
    gone. 1 - m^t is a variable, `layer.variables` has it, as it has the seeds of
    dropout; `layer.weights`, by which parameters are counted and copied, has not. It
    is saved while it matters; weights without it are those of averages that have
    forgotten their start. So are averages that were set from outside.

    A subclass has `momentum`, `moving_mean`, which starts at 0, and
    `moving_variance`, which starts at 1; calls `add_seen` when it is built, and
    `remember` at each step of training.
    """

    momentum: float
    moving_mean: Any
    moving_variance: Any
    _seen: Any = None

    def add_seen(self):
        """Adds the variable."""
        variable = self.add_weight(
            name="seen",
            shape=(),
            initializer="zeros",
            dtype="float64" if self.variable_dtype == "float64" else "float32",
            trainable=False,
            autocast=False,
        )
        self._untrack_variable(variable)
        self._seen = _Untracked(variable)

    def settle(self):
        """Says that the averages hold nothing of their start."""
        self._seen.variable.assign(1.0)

    def remember(self, mean, variance):
        """Takes a batch's mean and variance into the moving averages."""
        # Keras's averages keep their initial values for ever.
        if self.momentum >= 1.0:
            return
        averages = self.moving_mean, self.moving_variance
        seen = ops.convert_to_tensor(self._seen.variable)
        seen = self.momentum * self._seen_so_far(seen) + (1.0 - self.momentum)
        seen = ops.where(seen > _ALL, ops.ones_like(seen), seen)
        self._seen.variable.assign(seen)
        for average, value in zip(averages, (mean, variance)):
            value = ops.stop_gradient(value)
            share = ops.cast((1.0 - self.momentum) / seen, value.dtype)
            before = ops.cast(average, value.dtype)
            average.assign((1.0 - share) * before + share * value)

    def _seen_so_far(self, seen):
        is_start = ops.logical_and(
            ops.all(ops.equal(self.moving_mean, 0.0)),
            ops.all(ops.equal(self.moving_variance, 1.0)),
        )
        settled = ops.where(seen > 0.0, seen, ops.ones_like(seen))
        return ops.where(is_start, ops.zeros_like(seen), settled)

    @property
    def variables(self):
        seen = [] if self._seen is None else [self._seen.variable]
        return [*super().variables, *seen]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        if self._seen is not None:
            seen = ops.convert_to_numpy(self._seen.variable)
            if seen < 1.0:
                store[_ENTRY] = seen

    def load_own_variables(self, store):
        entries = {name: store[name] for name in store.keys()}
        seen = entries.pop(_ENTRY, 1.0)
        super().load_own_variables(entries)
        if self._seen is not None:
            self._seen.variable.assign(seen)


class _Untracked:
    """Holds a variable that Keras shall not count among a layer's weights."""

    def __init__(self, variable):
        self.variable = variable
