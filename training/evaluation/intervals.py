"""Intervals of scores by the bootstrap: whole groups of clips are drawn anew."""

import numpy as np
from scipy import special

from training.decisions.intervals import CONFIDENCE, share_interval

LEAST_UNITS = 3  # fewer say nothing about others like them
_REPLICATES = 1000
_LEAST_REPLICATES = 200
_WORK = 2e9  # clips times classes times replicates, some seconds
_AT_ONCE = 2.5e5  # weights; more leave the processor's cache
_NOTHING = 1e-9  # what rounding leaves of a difference of 0
_DEFINED = 0.5  # share of replicates that have to have a score


def n_replicates(n_clips, n_classes):
    """Number of replicates: 1000, fewer where scores of so many would take minutes.

    >>> n_replicates(n_clips=500, n_classes=10), n_replicates(10**6, 10)
    (1000, 200)
    """
    affordable = int(_WORK / max(1, n_clips * n_classes))
    return min(_REPLICATES, max(_LEAST_REPLICATES, affordable))


def resampled_weights(n_units, replicates, seed=0):
    """How often each unit is drawn, when as many as there are are drawn with return.

    Args:
        n_units: Number of groups, or of clips.
        replicates: Number of times that this is done.
        seed: An int.

    Yields:
        (n_units, some), float64; as many columns in all as replicates.

    >>> [weights] = resampled_weights(4, 3)
    >>> weights.sum(axis=0)
    array([4., 4., 4.])
    """
    random = np.random.default_rng(seed)
    at_once = max(16, int(_AT_ONCE / n_units))
    for first in range(0, replicates, at_once):
        n = min(at_once, replicates - first)
        drawn = random.integers(n_units, size=(n, n_units))
        places = drawn + n_units * np.arange(n)[:, None]
        counts = np.bincount(places.ravel(), minlength=n * n_units)
        yield np.ascontiguousarray(counts.reshape(n, n_units).T, dtype=float)


def interval(replicates, n_units, confidence=CONFIDENCE):
    """The interval of a score in [0, 1], from its bootstrap replicates.

    It is that of `expanded_percentiles`. Replicates that are all the same, such as
    those of a score of 1, are no measure of chance: then it is the exact interval of
    Clopper and Pearson, a unit counted as one trial.

    Args:
        replicates: (n,), NaN where the score is undefined.
        n_units: Number of units that were resampled and matter to the score.
        confidence: Share of such intervals that contain the true score.

    Returns:
        (low, high), or None where nothing can be said: fewer than 3 units, or a score
        that most replicates don't have.

    >>> interval(np.ones(1000), 4)  # 4 units that all are right
    (0.3976353643835254, 1.0)
    """
    replicates = np.asarray(replicates, float)
    defined = replicates[np.isfinite(replicates)]
    if n_units < LEAST_UNITS or len(defined) < max(1, _DEFINED * len(replicates)):
        return None
    if np.ptp(defined) < _NOTHING:
        return share_interval(float(defined[0]), n_units, confidence)
    return expanded_percentiles(defined, n_units, confidence)


def expanded_percentiles(replicates, n_units, confidence=CONFIDENCE):
    """The interval of any statistic, from its bootstrap replicates.

    The percentiles are those that widen the interval to Student's for a mean of few
    units (Hesterberg 2015, "expanded percentile"), with n units and t their quantile
    at n - 1 degrees of freedom:

        Phi(-sqrt(n / (n - 1)) t)  and  1 - that.

    Args:
        replicates: (n,), finite.
        n_units: Number of units that were resampled, at least 2.
        confidence: Share of such intervals that contain the true value.

    Returns:
        (low, high).

    >>> low, high = expanded_percentiles(np.linspace(-1, 1, 2001), 10)
    >>> f"{low:.2f} to {high:.2f}"
    '-0.98 to 0.98'
    """
    t = special.stdtrit(n_units - 1, (1 + confidence) / 2)
    tail = special.ndtr(-np.sqrt(n_units / (n_units - 1)) * t)
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return float(low), float(high)
