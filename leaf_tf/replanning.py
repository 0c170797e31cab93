"""Keeps the fast method of Leafs inside a model right while they learn."""

import keras

from leaf_tf.frontends import Leaf


def leafs(model):
    """All `Leaf` layers of a model, nested ones included."""
    found = model._flatten_layers() if hasattr(model, "_flatten_layers") else [model]
    return [layer for layer in found if isinstance(layer, Leaf)]


def replan(model):
    """Plans all Leafs of a model anew for their weights as they are.

    Wanted after weights were set by hand in a compiled model, as
    `model.set_weights` does. What was compiled is traced again where need be.

    Args:
        model: A Keras model.

    Returns:
        Whether a plan changed.
    """
    changed = [leaf.replan() for leaf in leafs(model)]
    if any(changed):
        _trace_again(model)
    return any(changed)


class Replan(keras.callbacks.Callback):
    """Makes new plans at the end of an epoch, where filters moved too far.

    A plan is kept while its predicted errors are within twice the tolerance and no
    filter has come to the end of the plan's range; a new one costs a retrace.

    Attributes:
        n_replans: How often new plans were made.
    """

    def __init__(self):
        super().__init__()
        self.n_replans = 0

    def on_epoch_end(self, epoch, logs=None):
        if all(leaf.plan_holds() for leaf in leafs(self.model)):
            return
        if replan(self.model):
            self.n_replans += 1


def _trace_again(model):
    if getattr(model, "train_function", None) is not None:
        model.make_train_function(force=True)
    # These are made when they are next called for.
    model.test_function = None
    model.predict_function = None
