"""Targets and weights of each window, for every head of a model."""

import numpy as np
import tensorflow as tf


class Targets:
    """Labels of several tasks as one vector a window, and back.

    The vector of a window holds, head by head, w t and w: the weight w of the window
    for the head, 0 where it is of another task, and its target t, one-hot or multi-hot.
    Mixup mixes such vectors as it mixes windows. Decoded, they are the weight and the
    target whose loss is that of both windows, each by its share: losses are linear in
    t, up to terms that don't depend on t.

    Args:
        heads: Heads of the model, a tuple of `Head`.
        class_weights: Weights of the classes of each head, or None for 1.

    >>> from leaf_files.run_folder import Head
    >>> drums = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> birds = Head("birds", "birds", ("owl", "wren", "tit"), "sigmoid")
    >>> Targets((drums, birds)).encode(0, 1).numpy()
    array([0., 1., 1., 0., 0., 0., 0.], dtype=float32)
    """

    def __init__(self, heads, class_weights=None):
        self._heads = heads
        self._class_weights = class_weights or [None] * len(heads)

    @property
    def width(self):
        """Numbers in a vector."""
        return sum(len(head.labels) + 1 for head in self._heads)

    def encode(self, index, label, weight=None):
        """The vector of a window.

        Args:
            index: Number of its head, an int.
            label: Label of the window, int64 (), or float32 (n_classes,) for a
                multi-label task.
            weight: Weight of the clip in the loss, float32 (), besides that of its
                class; None for 1.

        Returns:
            (width,), float32.
        """
        parts = []
        for place, head in enumerate(self._heads):
            n_classes = len(head.labels)
            if place != index:
                parts.append(tf.zeros([n_classes + 1]))
                continue
            weight = tf.ones([]) if weight is None else weight
            if self._class_weights[index] is not None:
                weight *= tf.constant(self._class_weights[index], tf.float32)[label]
            target = label if head.multi_label else tf.one_hot(label, n_classes)
            parts += [weight * target, weight[None]]
        return tf.ensure_shape(tf.concat(parts, axis=0), [self.width])

    def decode(self, vectors):
        """Targets and weights of a batch.

        Args:
            vectors: (batch, width), float32.

        Returns:
            (targets, weights): float32 (batch, n_classes) and (batch,); of several
            heads, dicts of them by the heads' names.
        """
        targets, weights, start = {}, {}, 0
        for head in self._heads:
            end = start + len(head.labels)
            weights[head.name] = vectors[:, end]
            targets[head.name] = tf.math.divide_no_nan(
                vectors[:, start:end], vectors[:, end : end + 1]
            )
            start = end + 1
        if len(self._heads) == 1:
            return targets[self._heads[0].name], weights[self._heads[0].name]
        return targets, weights


def needs_weights(heads, config, weighted=False):
    """Whether windows need weights and target vectors, not just class indices.

    Args:
        heads, config: A tuple of `Head` and a `FitConfig`.
        weighted: Whether clips of a training set have weights of their own.

    >>> from leaf_files.run_folder import Head
    >>> from training.settings.config import FitConfig
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> needs_weights((head,), FitConfig("drums"))
    False
    >>> needs_weights((head,), FitConfig("drums", mixup=0.3))
    True
    """
    return bool(
        weighted
        or len(heads) > 1
        or heads[0].multi_label
        or config.mixup
        or config.class_weights != "none"
        or config.label_smoothing
        or config.loss != "cross_entropy"
    )


def balanced_weights(classes, n_classes):
    """Weights by which all classes of a training split count equally.

    Args:
        classes: Class indices, (n_clips,).
        n_classes: Number of classes of the task.

    Returns:
        (n_classes,), float32; their mean over the clips is 1. Classes without
        clips get 0.

    >>> balanced_weights(np.array([0, 0, 0, 1]), n_classes=2)
    array([0.6666667, 2.       ], dtype=float32)
    """
    counts = np.bincount(classes, minlength=n_classes)
    n_present = np.count_nonzero(counts)
    return np.divide(
        len(classes) / n_present,
        counts,
        out=np.zeros(n_classes),
        where=counts > 0,
    ).astype(np.float32)
