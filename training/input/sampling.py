"""Orders of examples that can be entered at any position.

Each is a function of a seed and a position alone, in TensorFlow: position n doesn't
depend on those before it, so that an interrupted run continues where it stopped.
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
        n_clips: Number of clips, at least 1.
        seed: Seed of the order, an int.

    Returns:
        Function of a position, int64 (): the index of a clip, int64 ().

    >>> clip_at = every_clip(3, seed=0)
    >>> sorted(int(clip_at(position)) for position in range(3, 6))
    [0, 1, 2]
    """
    return lambda position: _shuffled(position, n_clips, seed, _CLIPS)


def every_class(members, seed):
    """All classes equally often: each round has every class once, in another order.

    A class's clips take turns, each pass in another order.

    Args:
        members: Indices of the clips of each class; classes without any are left out.
        seed: Seed of the order, an int.

    Returns:
        Function of a position, int64 (): the index of a clip, int64 ().

    >>> clip_at = every_class([[0, 1, 2], [3]], seed=0)
    >>> sorted(int(clip_at(position)) for position in range(6))
    [0, 1, 2, 3, 3, 3]
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
    """Turns of tasks, in proportion to their weights.

    Turns come in rounds, in which each task has a fixed number of them, in an order
    drawn anew for each round: one each if all weights are equal, else 1000 in all.

    Args:
        weights: Numbers above 0, one a task.
        seed: Seed of the order, an int.

    >>> turns = Turns([1.0, 1.0], seed=0)
    >>> sorted(int(turns.at(position)[0]) for position in range(4))
    [0, 0, 1, 1]
    """

    def __init__(self, weights, seed):
        counts = _slots(np.asarray(weights, float))
        self._seed = seed
        self._n_slots = int(counts.sum())
        # For each slot: its task, the number of the task's slots before it, and the
        # number of them in a round.
        self._owners = tf.constant(np.repeat(np.arange(len(counts)), counts))
        self._ranks = tf.constant(np.concatenate([np.arange(n) for n in counts]))
        self._counts = tf.constant(np.repeat(counts, counts))

    def at(self, position):
        """The task at a position, and the number of its turn.

        Args:
            position: Position in the order, int64 ().

        Returns:
            (task, turn), int64 (); each task's turns are 0, 1, ..., in some order.
        """
        slot = _shuffled(position, self._n_slots, self._seed, _TURNS)
        nth_round = position // self._n_slots
        turn = nth_round * self._counts[slot] + self._ranks[slot]
        return self._owners[slot], turn


def _slots(weights):
    """Number of slots of each task in a round, at least one."""
    if np.all(weights == weights[0]):
        return np.ones(len(weights), np.int64)
    exact_counts = weights / weights.sum() * _SLOTS
    counts = np.maximum(1, np.floor(exact_counts)).astype(np.int64)
    n_missing = max(0, _SLOTS - counts.sum())
    counts[np.argsort(counts - exact_counts)[:n_missing]] += 1
    return counts


def _shuffled(position, size, seed, stream):
    """The number at a position of rounds of 0 ... size - 1, each in its own order.

    Args:
        position, size: Integers, or int64 ().
        seed: Seed of the orders, an int.
        stream: Number of a stream, an int or int64 (); orders of different streams
            are independent.
    """
    size = tf.cast(size, tf.int64)
    place, turn = position % size, position // size
    # Keys that differ in one bit give similar orders: so keys are drawn at random.
    keys = tf.random.stateless_uniform(
        [2],
        tf.random.experimental.stateless_fold_in([seed, turn], stream),
        minval=None,
        maxval=None,
        dtype=tf.int32,
    )
    return tf.random.experimental.index_shuffle(place, keys, size - 1)
