"""Which example comes when: orders that can be entered at any place.

Each is a function of a seed and a position alone, in TensorFlow: what comes at
position n is found without going through what came before, so that a run that was
cut off goes on where it stopped.
"""

import numpy as np
import tensorflow as tf

# Slots that unequal weights share in a round of turns.
_SLOTS = 1000
# Each order draws from a stream of its own; classes from those that follow.
_CLIPS, _CLASSES, _TURNS, _MEMBERS = range(4)


def every_clip(n_clips, seed):
    """Every clip once an epoch, each epoch in another order.

    Args:
        n_clips: At least 1.
        seed: An int.

    Returns:
        From a position, int64 (), to the index of a clip, int64 ().
    """
    return lambda position: _shuffled(position, n_clips, seed, _CLIPS)


def every_class(members, seed):
    """All classes alike: each round has every class once, in another order.

    A class's clips take turns, each pass in another order.

    Args:
        members: For each class the indices of its clips; classes without any are
            left out.
        seed: An int.

    Returns:
        From a position, int64 (), to the index of a clip, int64 ().
    """
    members = [np.asarray(m, np.int64) for m in members if len(m)]
    sizes = tf.constant([len(m) for m in members], tf.int64)
    starts = tf.cumsum(sizes, exclusive=True)
    clips = tf.constant(np.concatenate(members))
    n_classes = len(members)

    def index(position):
        chosen = _shuffled(position, n_classes, seed, _CLASSES)
        turn = _shuffled(position // n_classes, sizes[chosen], seed, _MEMBERS + chosen)
        return clips[starts[chosen] + turn]

    return index


class Turns:
    """Whose turn it is: tasks take turns, each as often as its weight says.

    Turns come in rounds, in which each task has a fixed number of them, in an order
    drawn anew for each round: one each if all weights are alike, else of 1000.

    Args:
        weights: Numbers above 0, one a task.
        seed: An int.
    """

    def __init__(self, weights, seed):
        counts = _slots(np.asarray(weights, float))
        self._seed = seed
        self._n_slots = int(counts.sum())
        # Of each slot: whose it is, how many of the same come before it in the
        # table, and how many it is of in a round.
        self._owners = tf.constant(np.repeat(np.arange(len(counts)), counts))
        self._ranks = tf.constant(np.concatenate([np.arange(n) for n in counts]))
        self._counts = tf.constant(np.repeat(counts, counts))

    def at(self, position):
        """Whose turn it is, and which of its turns.

        Args:
            position: int64 ().

        Returns:
            (task, turn), int64 (); each task's turns are 0, 1, ..., in some order.
        """
        slot = _shuffled(position, self._n_slots, self._seed, _TURNS)
        nth_round = position // self._n_slots
        turn = nth_round * self._counts[slot] + self._ranks[slot]
        return self._owners[slot], turn


def _slots(weights):
    """How many slots of a round each task has, at least one."""
    if np.all(weights == weights[0]):
        return np.ones(len(weights), np.int64)
    wanted = weights / weights.sum() * _SLOTS
    counts = np.maximum(1, np.floor(wanted)).astype(np.int64)
    missing = max(0, _SLOTS - counts.sum())
    counts[np.argsort(counts - wanted)[:missing]] += 1
    return counts


def _shuffled(position, size, seed, stream):
    """Position n of rounds of `size` numbers, each round in an order of its own.

    Args:
        position, size: Integers, or int64 ().
        seed: An int.
        stream: An int or int64 (); orders of different streams have nothing in
            common.
    """
    size = tf.cast(size, tf.int64)
    place, turn = position % size, position // size
    # Keys that differ in a bit make orders that are much alike: so they are drawn.
    keys = tf.random.stateless_uniform(
        [2],
        tf.random.experimental.stateless_fold_in([seed, turn], stream),
        minval=None,
        maxval=None,
        dtype=tf.int32,
    )
    return tf.random.experimental.index_shuffle(place, keys, size - 1)
