"""A Leaf's multirate plan, kept right while its weights move."""

from typing import Any

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp.multirate_planner import plan_multirate

# How far filters may go from those that a plan was made for: sigmas and pooling
# widths by these factors. Predicted errors stay within some ten tolerances there (see
# tests); pooling widths matter less, as interpolation is fitted to the energies, not to
# how they are pooled.
SIGMA_REACH = 1.2
WIDTH_REACH = 2.0
# Center frequencies go anywhere, but a filter behind a decimator has to stay in its
# band: so far below the edge, in 1 / sigma, of so much of it. Half 1 / sigma is
# always allowed.
BAND = 0.78
BELOW_BAND = 5.0
CENTER_REACH = 0.5


class LivePlan:
    """The plan by which a Leaf computes, and the range of weights it is good for.

    A plan is made from weights; weights move. Three things keep it right:
    optimizers hold the weights within the plan's reach (`Stage.confine`); every
    call that is eager or traced anew looks at the weights and makes a new plan if
    someone put them elsewhere; `leaf_tf.Replan` makes a new plan at the
    end of an epoch, and so moves the range along.

    Args:
        leaf: The `Leaf`, built.
        initial: center_freqs, sigmas and widths at the start, NumPy arrays.
    """

    def __init__(self, leaf, initial):
        self._leaf = leaf
        self._initial = initial
        self._plan: Any = None

    def current(self):
        """The plan to compute by now; a new one if the weights were moved away."""
        values = self._values()
        if self._plan is None:
            self._make(self._initial if values is None else values)
        elif values is not None and not self._reaches(values):
            self._make(values)
        return self._plan

    def adopt(self, plan):
        """Takes a plan that was made earlier, such as a saved one."""
        self._plan = plan
        self._confine()

    def replan(self):
        """Makes a new plan for the weights as they are.

        Returns:
            Whether it differs, so that compiled functions must be traced again.
        """
        before = self._plan
        self._make(self._values())
        return self._plan != before

    def holds(self):
        """Whether the plan is within twice its tolerance for the weights now.

        And whether they still have room to move: a filter in the outer third of the
        plan's range wants a new one.
        """
        plan, values = self.current(), self._values()
        return self._reaches(values, part=2 / 3) and plan.holds(*values)

    def predicted_errors(self):
        """Relative RMS errors of the pooled energies now: (4, n_filters).

        See `multirate.Plan.predicted_errors`.
        """
        return self.current().predicted_errors(*self._values())

    def _make(self, values):
        center_freqs, sigmas, pooling_widths = values
        self._plan = plan_multirate(
            center_freqs,
            sigmas,
            pooling_widths,
            kernel_size=self._leaf.filtering.kernel_size,
            pool_size=self._leaf.pooling.kernel_size,
            strides=self._leaf.pooling.strides,
            tolerance=self._leaf.tolerance,
        )
        self._confine()

    def _range(self, part=1.0):
        """[(low, high)] of center_freqs, sigmas, widths that the plan is good for.

        Args:
            part: Of the way from the plan's own filters to the ends of its range.
        """
        plan = self._plan
        centers, sigmas, widths = map(
            np.array, (plan.center_freqs, plan.sigmas, plan.pooling_widths)
        )
        rates = np.ones(len(sigmas))
        for group in plan.groups:
            rates[list(group.filters)] = group.rate
        highest = np.where(rates == 1, 1.0, BAND) * np.pi / rates
        highest -= np.where(rates == 1, 0.0, BELOW_BAND / sigmas)
        highest = np.maximum(highest, centers + CENTER_REACH / sigmas)
        return [
            (centers - part * centers, centers + part * (highest - centers)),
            (sigmas / SIGMA_REACH**part, sigmas * SIGMA_REACH**part),
            (widths / WIDTH_REACH**part, widths * WIDTH_REACH**part),
        ]

    def _reaches(self, values, part=1.0):
        # The last bit aside: the optimizer's range is float32.
        return all(
            np.all(value >= low - 1e-5 * abs(low))
            and np.all(value <= high + 1e-5 * abs(high))
            for value, (low, high) in zip(values, self._range(part))
        )

    def _confine(self):
        filtering, pooling = self._leaf.filtering, self._leaf.pooling
        center_freqs, sigmas, widths = self._range()
        filtering.confine(filtering.center_freqs, *center_freqs)
        filtering.confine(filtering.sigmas, *sigmas)
        pooling.confine(pooling.widths, *widths)

    def _values(self):
        """The bounded weights, NumPy; None while a backend traces them."""
        try:
            if keras.backend.backend() != "tensorflow":
                return [ops.convert_to_numpy(v) for v in self._leaf.bounded_weights()]
            import tensorflow as tf

            with tf.init_scope():
                values = [value.numpy() for value in self._leaf.bounded_weights()]
        except Exception:  # each backend has its own: there is no value to see
            return None
        # A variable that is created inside a tf.function is empty until it is run.
        return values if all(len(value) for value in values) else None
