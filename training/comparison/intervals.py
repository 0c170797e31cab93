"""Means of a few runs with confidence intervals, by Student's t."""

import dataclasses
import math
import statistics

CONFIDENCE = 0.95
_NOTHING = 1e-9  # a deviation of 0, after rounding


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean of values and its confidence interval.

    Attributes:
        n: Number of values.
        mean: Mean of the values.
        low, high: Ends of the interval; None for a single value.

    >>> change = Estimate(n=3, mean=0.05, low=0.02, high=0.08)
    >>> change.excludes_zero, round(change.margin, 3)
    (True, 0.03)
    """

    n: int
    mean: float
    low: float | None
    high: float | None

    @property
    def margin(self) -> float | None:
        """Half the width of the interval, or None."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2

    @property
    def excludes_zero(self) -> bool | None:
        """Whether 0 is outside the interval; None where that is undecided.

        It is undecided without an interval, and if all values are the same: scores are
        counts of clips, so a few may well be equal by chance.
        """
        if self.low is None or self.high is None:
            return None
        if (self.high - self.low) / 2 < _NOTHING < abs(self.mean):
            return None
        return not self.low <= 0 <= self.high


def estimate(values, confidence=CONFIDENCE):
    """The mean of normally distributed, independent values, and its interval.

        mean +- t sqrt(sum (x - mean)^2 / (n - 1)) / sqrt(n),

    t the quantile of Student's distribution with n - 1 degrees of freedom.

    Args:
        values: Finite numbers, at least one.
        confidence: Share of such intervals that contain the true mean, in (0, 1).

    Returns:
        An `Estimate`.

    >>> mean = estimate([0.04, 0.05, 0.06])
    >>> f"{mean.mean:.3f} +- {mean.margin:.3f}"
    '0.050 +- 0.025'
    """
    n, mean = len(values), statistics.fmean(values)
    if n == 1:
        return Estimate(1, mean, None, None)
    deviation = statistics.stdev(values, mean)
    margin = t_quantile(confidence, n - 1) * deviation / math.sqrt(n)
    return Estimate(n, mean, mean - margin, mean + margin)


def t_quantile(confidence, degrees):
    """The t for which P(|T| <= t) = confidence.

    Args:
        confidence: Probability, in (0, 1).
        degrees: Degrees of freedom of Student's distribution, an int, at least 1.

    >>> f"{t_quantile(0.95, degrees=2):.3f}"
    '4.303'
    """
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + confidence) / 2))
