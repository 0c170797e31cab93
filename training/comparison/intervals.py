"""Means of a few runs with their confidence intervals, by Student's t."""

import dataclasses
import math
import statistics

CONFIDENCE = 0.95
_NOTHING = 1e-9  # what rounding leaves of a deviation of 0


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A mean of values and its confidence interval.

    Attributes:
        n: Number of values.
        mean: Mean of the values.
        low, high: Ends of the interval; None for a single value, which says nothing
            about chance.
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
        """Whether 0 is outside the interval; None where that can't be judged.

        It can't without an interval, nor if all values are the same: scores are counts
        of clips, so a few may well be equal by chance.
        """
        if self.low is None or self.high is None:
            return None
        if (self.high - self.low) / 2 < _NOTHING < abs(self.mean):
            return None
        return not self.low <= 0 <= self.high


def estimate(values, confidence=CONFIDENCE):
    """The mean of independent values of a normal distribution, and its interval.

        mean +- t sqrt(sum (x - mean)^2 / (n - 1)) / sqrt(n),

    t the quantile of Student's distribution with n - 1 degrees of freedom.

    Args:
        values: Finite numbers, at least one.
        confidence: Share of such intervals that contain the true mean, in (0, 1).

    Returns:
        An `Estimate`.
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
    """
    from scipy.special import stdtrit

    return float(stdtrit(degrees, (1 + confidence) / 2))
