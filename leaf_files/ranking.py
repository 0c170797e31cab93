"""How well scores rank clips that have a label before those that don't."""

from statistics import NormalDist

import numpy as np

# An AUC counts as this far from 0 and 1 at least, where d' is infinite.
_LEAST_MARGIN = 1e-6


def average_precision(scores: np.ndarray, is_positive: np.ndarray) -> float:
    """Mean of the precisions at which each positive is found.

        sum over thresholds k of (R_k - R_(k-1)) P_k

    with precision P and recall R of the clips that score at least a threshold; clips
    of equal scores count as one step.

    Args:
        scores: (n_clips,).
        is_positive: (n_clips,), bool.

    Returns:
        A float in [0, 1]; NaN without positives.

    >>> average_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]))
    0.8333333333333333
    """
    n_positives = np.count_nonzero(is_positive)
    if not n_positives:
        return np.nan
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)  # of its score
    n_found = np.cumsum(is_positive[order])[is_last]
    precisions = n_found / (1 + np.flatnonzero(is_last))
    return float(np.sum(np.diff(n_found, prepend=0) * precisions) / n_positives)


def auc(scores: np.ndarray, is_positive: np.ndarray) -> float:
    """Chance that a positive scores above a negative; equal scores count half.

    Args:
        scores: (n_clips,).
        is_positive: (n_clips,), bool.

    Returns:
        A float in [0, 1], the area under the ROC curve; NaN without positives or
        without negatives.

    >>> auc(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]))
    0.5
    """
    n_positives = np.count_nonzero(is_positive)
    n_negatives = len(scores) - n_positives
    if not n_positives or not n_negatives:
        return np.nan
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]  # from 1; ties share
    above = ranks[is_positive].sum() - n_positives * (n_positives + 1) / 2
    return float(above / (n_positives * n_negatives))


def d_prime(area: float) -> float:
    """Distance of two Gaussians of deviation 1 whose scores have an AUC.

    sqrt(2) times the normal quantile of the AUC; an AUC of 1 counts as 1 - 1e-6,
    which is 6.72.

    >>> round(d_prime(0.5), 2), round(d_prime(0.9), 2)
    (0.0, 1.81)
    """
    area = min(max(area, _LEAST_MARGIN), 1 - _LEAST_MARGIN)
    return 2**0.5 * NormalDist().inv_cdf(area)
