"""Keeps the plans of the frontends in a model right while they learn."""

import weakref
from typing import Any

import keras

from leaf_tf.frontends.base import frontends_of

# The generations of the plans that a model's functions have at least, one for each
# of its frontends.
_traced_since: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def replan(model: Any) -> bool:
    """Plans the frontends of a model anew for their weights as they are.

    Wanted after weights were set by hand in a compiled model, as `model.set_weights`
    does: its compiled functions were planned for other weights. They are right
    nevertheless, as are those of other models and your own `tf.function`s that hold the
    layer: they compare the weights with their plan and compute by the exact method
    where it doesn't reach, some ten times slower. Those that XLA compiles
    (`jit_compile=True`, all of JAX) give NaN there. Afterwards `fit`, `evaluate` and
    `predict` of this model, and of models within it, are traced again where need be;
    other holders stay as they are, until they are given here or traced anew.

    Before you train on with weights that were set: what was compiled to train, without
    this, draws them back into the range of its plan.

    Args:
        model: A Keras model.

    Returns:
        Whether functions are traced again, because a plan changed, now or since they
        were traced.

    Example:
        >>> model = keras.Sequential([keras.Input((1600,)), leaf_tf.Leaf(n_filters=4)])
        >>> _ = model.predict(np.zeros((1, 1600)), verbose=0)
        >>> leaf_tf.replan(model)  # nothing has moved
        False
        >>> sigmas = model.layers[0].filtering.sigmas
        >>> _ = sigmas.assign(sigmas / 2)
        >>> leaf_tf.replan(model)
        True
    """
    frontends = frontends_of(model)
    changed = [frontend.replan() for frontend in frontends]
    is_stale = any(changed) or _has_stale_functions(model, frontends)
    if is_stale:
        _trace_again(model)
    _traced_since[model] = [frontend.plan_generation for frontend in frontends]
    return is_stale


class Replan(keras.callbacks.Callback):
    """Makes new plans between epochs, where filters moved too far.

    A plan is kept while its predicted errors are within twice the tolerance and no
    filter has come to the end of the plan's range; a new one costs a retrace. Weights
    that were set between epochs, or before `fit`, are planned for as well.

    Attributes:
        n_replans: number of times that new plans were made.

    Example:
        >>> replan = leaf_tf.Replan()
        >>> model.fit(waveforms, labels, callbacks=[replan])  # doctest: +SKIP
        >>> replan.n_replans
        0
    """

    def __init__(self):
        super().__init__()
        self.n_replans = 0

    def on_epoch_begin(self, epoch, logs=None):
        frontends = frontends_of(self.model)
        # Makes new plans where weights were set out of reach.
        _ = [frontend.plan for frontend in frontends]
        if _has_stale_functions(self.model, frontends):
            self._replan()

    def on_epoch_end(self, epoch, logs=None):
        frontends = frontends_of(self.model)
        holds = all(frontend.plan_holds() for frontend in frontends)
        if not holds or _has_stale_functions(self.model, frontends):
            self._replan()

    def _replan(self):
        if replan(self.model):
            self.n_replans += 1


def _has_stale_functions(model, frontends):
    """Whether a plan changed since a function of the model may have been traced."""
    generations = _traced_since.get(model, [0] * len(frontends))
    return any(
        frontend.is_traced_otherwise(since)
        for frontend, since in zip(frontends, generations)
    )


def _trace_again(model):
    """Has the compiled functions of a model, and of those within, made anew."""
    layers = model._flatten_layers() if hasattr(model, "_flatten_layers") else [model]
    for held in layers:
        if not isinstance(held, keras.Model):
            continue
        if getattr(held, "train_function", None) is not None:
            held.make_train_function(force=True)
        # These are made when they are next called for.
        held.test_function = None
        held.predict_function = None
