"""Paired differences with intervals, and the number of tests that they amount to."""

import dataclasses
import functools

import numpy as np

from training.comparison.intervals import CONFIDENCE, Estimate, estimate
from training.evaluation.intervals import (
    LEAST_UNITS,
    expanded_percentiles,
    resampled_weights,
)

_REPLICATES = 4000
_NOTHING = 1e-9  # what rounding leaves of a difference of 0


@dataclasses.dataclass(frozen=True)
class Difference:
    """The mean paired difference of two frontends, and its intervals.

    Attributes:
        by_seeds: `Estimate` over the seeds, by Student's t: what other seeds would
            give.
        by_groups: (low, high) by the bootstrap over the groups of the test clips: what
            other groups would give; None for fewer than 3.
        n_groups: Number of groups.

    >>> Difference(Estimate(10, 0.05, 0.02, 0.08), (0.01, 0.1), 5).interval
    (0.01, 0.1)
    """

    by_seeds: Estimate
    by_groups: tuple[float, float] | None
    n_groups: int

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return self.by_seeds.mean

    @property
    def intervals(self) -> list[tuple[float, float]]:
        """The intervals that there are."""
        seeds = self.by_seeds
        found = [self.by_groups] if self.by_groups else []
        if seeds.low is not None and seeds.high is not None:
            found.append((seeds.low, seeds.high))
        return found

    @property
    def interval(self) -> tuple[float, float] | None:
        """The wider one of the two; None without any."""
        return max(self.intervals, key=lambda ends: ends[1] - ends[0], default=None)

    @property
    def margin(self) -> float | None:
        """Half the width of the interval."""
        return self.interval and (self.interval[1] - self.interval[0]) / 2

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 is outside all intervals; False where that is undecided.

        It is undecided without any, and if all values are the same: scores are counts
        of clips, so a few may well be equal by chance.
        """
        if self.margin is None or self.margin < _NOTHING:
            return False
        ends = self.intervals
        return all(low > 0 for low, _ in ends) or all(high < 0 for _, high in ends)


def paired_difference(pairs, confidence=CONFIDENCE):
    """The mean difference of the accuracy of two frontends, seed by seed.

        d = mean over s of d_s,  d_s = sum over g of (a_gs - b_gs) / n_s,

    a_gs and b_gs the numbers of right clips of group g, n_s that of all test clips of
    seed s. Over groups it is the ratio estimator of the same number,

        d = sum over g of c_g / sum over g of e_g,
        c_g = sum over s of (a_gs - b_gs) / n_s,  e_g = sum over s of n_gs / n_s,

    so that a group which several seeds test counts as one group, however often it was
    tested.

    Args:
        pairs: A list of a pair each seed: counts {group: (right, n)} of the frontend,
            and of the one that it is compared with.
        confidence: Share of the intervals that contain the true difference.

    Returns:
        A `Difference`.

    >>> pairs = [({"ann": (9, 10)}, {"ann": (7, 10)}), ({"bo": (8, 8)}, {"bo": (5, 8)})]
    >>> f"{paired_difference(pairs).mean:.4f}"
    '0.2875'
    """
    differences = []
    gained: dict[str, float] = {}
    share: dict[str, float] = {}
    for counts, others in pairs:
        n_clips = sum(n for _, n in counts.values())
        total = 0
        for group, (right, n) in counts.items():
            gain = right - others[group][0]
            gained[group] = gained.get(group, 0.0) + gain / n_clips
            share[group] = share.get(group, 0.0) + n / n_clips
            total += gain
        differences.append(total / n_clips)
    gains, shares = np.array([*gained.values()]), np.array([*share.values()])
    by_groups = _over_groups(gains, shares, confidence)
    return Difference(estimate(differences, confidence), by_groups, len(gains))


def _over_groups(gains, shares, confidence):
    n_groups = len(gains)
    if n_groups < LEAST_UNITS:
        return None
    weights = _weights(n_groups)
    replicates = gains @ weights / (shares @ weights)
    return expanded_percentiles(replicates, n_groups, confidence)


@functools.lru_cache(maxsize=8)
def _weights(n_groups):
    """(n_groups, replicates)."""
    return np.concatenate([*resampled_weights(n_groups, _REPLICATES)], axis=1)


def effective_number(values):
    """The number of independent tests that correlated tests amount to (Nyholt 2004).

        M_eff = 1 + (M - 1) (1 - Var(lambda) / M),

    lambda the M eigenvalues of the correlation matrix of the tests. It is M where
    nothing is correlated, and 1 where all is the same; between the two it is rather too
    large than too small.

    Args:
        values: (tests, observations), such as differences by seed. A test whose values
            are all the same is correlated with none.

    Returns:
        A float, from 1 to the number of tests; 0 without any.

    >>> effective_number([[1, 2, 4], [2, 4, 8]])
    1.0
    >>> effective_number([[1, 1, -1, -1], [1, -1, 1, -1]])
    2.0
    """
    values = np.asarray(values, float)
    n_tests = len(values)
    if n_tests < 2:
        return float(n_tests)
    values = values - values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    varies = lengths > _NOTHING
    values = np.divide(values, lengths, out=np.zeros_like(values), where=varies)
    correlations = values @ values.T
    np.fill_diagonal(correlations, 1.0)
    eigenvalues = np.linalg.eigvalsh(correlations)
    number = 1 + (n_tests - 1) * (1 - eigenvalues.var(ddof=1) / n_tests)
    return float(round(number, 9))
