"""A Leaf's multirate plan, kept right while its weights move."""

import contextlib
import contextvars
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from leaf_tf.dsp import multirate
from leaf_tf.frontends.waiting import said_if_slow

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

_weights_stay = contextvars.ContextVar("weights_stay", default=False)


@contextlib.contextmanager
def weights_stay():
    """Lets functions traced within treat the weights as constants.

    For files whose weights are constants: their graphs hold the fast method alone, and
    no branch to the exact one.
    """
    token = _weights_stay.set(True)
    try:
        yield
    finally:
        _weights_stay.reset(token)


class LivePlan:
    """The plan by which a Leaf computes, and the range of weights it is good for.

    A plan is made from weights; weights move. Four things keep it right:
    optimizers hold the weights within the plan's reach (`Stage.confine`); every
    call that is eager or traced anew looks at the weights and makes a new plan if
    someone put them elsewhere; what was traced looks at them whenever it runs, and
    computes by the exact method where its own plan doesn't reach them
    (`is_within_reach`); `leaf_tf.Replan` makes a new plan at the end of an epoch, and
    so moves the range along.

    Args:
        leaf: The `Leaf`, built.
        initial: center_freqs, sigmas and widths at the start, NumPy arrays.
    """

    def __init__(self, leaf, initial):
        self._leaf = leaf
        self._initial = initial
        self._plan: Any = None
        # Plans were taken so often.
        self.generation = 0
        # {generation: plan} of those that functions were traced by.
        self._traced: dict = {}

    def current(self):
        """The plan to compute by now; a new one if the weights were moved away."""
        values = self._values()
        if self._plan is None:
            self._make(self._initial if values is None else values)
        elif values is not None and not self._reaches(values):
            self._make(values)
        return self._plan

    def is_within_reach(self, weights):
        """Whether the plan is good for the weights, for what is traced to ask.

        Args:
            weights: center_freqs, sigmas and widths, tensors.

        Returns:
            A boolean tensor; None where the answer is yes: in an eager call, which
            `current` made the plan for, and within `weights_stay`.
        """
        if not _is_traced(weights[0]):
            return None
        self._traced[self.generation] = self._plan
        if _weights_stay.get():
            return None
        low, high = (np.concatenate(ends) for ends in zip(*self._slack_range()))
        weights = ops.concatenate(weights)
        return ops.all(
            ops.logical_and(
                weights >= ops.cast(low, weights.dtype),
                weights <= ops.cast(high, weights.dtype),
            )
        )

    def has_other_traces(self, since=0):
        """Whether a function was traced by another plan than that of now.

        Args:
            since: Generation; traces of earlier ones don't count.
        """
        return any(
            generation >= since and plan != self._plan
            for generation, plan in self._traced.items()
        )

    def adopt(self, plan):
        """Takes a plan that was made earlier, such as a saved one."""
        self._plan = plan
        self.generation += 1
        self._confine()

    def replan(self):
        """Makes a new plan for the weights as they are.

        Returns:
            Whether it differs, so that compiled functions must be traced again; False
            if it is the first plan, before which none was traced.
        """
        before = self._plan
        self._make(self._values())
        return before is not None and self._plan != before

    def holds(self):
        """Whether the plan is within twice its tolerance for the weights now.

        And whether they still have room to move: a filter in the outer third of the
        plan's range wants a new one.
        """
        plan, values = self.current(), self._values()
        return self._reaches(values, part=2 / 3) and multirate.holds(plan, *values)

    def predicted_errors(self):
        """Relative RMS errors of the pooled energies now: (4, n_filters).

        See `multirate.predicted_errors`.
        """
        return multirate.predicted_errors(self.current(), *self._values())

    def _make(self, values):
        leaf = self._leaf
        is_start = np.allclose(values, self._initial, rtol=1e-5, atol=0.0)
        filters = f"{len(values[0])} filters at {leaf.sample_rate} Hz"
        reason = "once for these settings" if is_start else "which have moved"
        with said_if_slow(f"leaf_tf: planning {filters}, {reason}"):
            center_freqs, sigmas, pooling_widths = values
            plan = multirate.find_plan(
                center_freqs,
                sigmas,
                pooling_widths,
                kernel_size=leaf.filtering.kernel_size,
                pool_size=leaf.pooling.kernel_size,
                strides=leaf.pooling.strides,
                tolerance=leaf.tolerance,
                # What filters become in training is no other training's start.
                folder=_folder() if is_start else None,
            )
        self.adopt(plan)

    def _range(self, part=1.0):
        """[(low, high)] of center_freqs, sigmas, widths that the plan is good for.

        Args:
            part: Part of the way from the plan's own filters to the ends of its range.
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
        return all(
            np.all(value >= low) and np.all(value <= high)
            for value, (low, high) in zip(values, self._slack_range(part))
        )

    def _slack_range(self, part=1.0):
        # The last bits aside: the optimizer's range is float32.
        return [
            (low - 1e-5 * abs(low), high + 1e-5 * abs(high))
            for low, high in self._range(part)
        ]

    def _confine(self):
        filtering, pooling = self._leaf.filtering, self._leaf.pooling
        center_freqs, sigmas, widths = self._range()
        filtering.confine(filtering.center_freqs, *center_freqs)
        filtering.confine(filtering.sigmas, *sigmas)
        pooling.confine(pooling.widths, *widths)

    def _values(self):
        """The bounded weights, NumPy; None while a backend has no values to show."""
        leaf = self._leaf
        try:
            with _outside_of_traces(leaf):
                values = [ops.convert_to_numpy(v) for v in leaf.bounded_weights()]
        except Exception:  # each backend has its own: there is no value to see
            return None
        # A variable that is created inside a tf.function is empty until it is run.
        return values if all(len(value) for value in values) else None


def _folder():
    """Where plans are kept; None: the user has no home folder.

    In the folder of `leaf_files.caches`, which models don't need to load.
    """
    if os.environ.get("LEAF_TF_CACHE"):
        return Path(os.environ["LEAF_TF_CACHE"]).expanduser() / "plans"
    with contextlib.suppress(RuntimeError):
        of_user = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return Path(of_user) / "leaf_tf" / "plans"
    return None


@contextlib.contextmanager
def _outside_of_traces(leaf):
    """Lets the values be seen that the variables hold, while a function is traced."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.init_scope():
            yield
    elif keras.backend.backend() == "jax":
        import jax

        weights = (*leaf.filtering.weights, *leaf.pooling.weights)
        # In a function of the weights they are what it is traced with.
        held = keras.StatelessScope([(weight, weight._value) for weight in weights])
        with jax.ensure_compile_time_eval(), held:
            yield
    else:
        yield


def _is_traced(tensor):
    """Whether a tensor has no value yet, but will have one whenever a function runs."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return not tf.executing_eagerly()
    if keras.backend.backend() == "jax":
        import jax

        return isinstance(tensor, jax.core.Tracer)
    return False


def can_branch():
    """Whether a traced function may hold two ways to compute features.

    Not where XLA compiles it, as JAX's functions are: on CPUs a training step that
    branches takes two to ten times as long there, whichever way it goes.
    """
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext

    return not GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
