"""Exact intervals of counts: of a share of trials, of events in a time."""

from scipy import special

CONFIDENCE = 0.95


def share_interval(share, n, confidence=CONFIDENCE):
    """The exact interval of a share of n trials, of Clopper and Pearson.

    Args:
        share: In [0, 1].
        n: Number of trials.
        confidence: Share of such intervals that contain the true share.

    Returns:
        (low, high).

    >>> low, high = share_interval(0.75, 4)  # 3 trials of 4
    >>> f"{low:.3f} to {high:.3f}"
    '0.194 to 0.994'
    """
    tail, hits = (1 - confidence) / 2, share * n
    misses = n - hits
    low = special.betaincinv(hits, misses + 1, tail) if hits > 0 else 0.0
    high = special.betaincinv(hits + 1, misses, 1 - tail) if misses > 0 else 1.0
    return float(low), float(high)


def rate_interval(n, hours, confidence=CONFIDENCE):
    """The exact interval of a rate of events that come at random (Poisson).

    Args:
        n: Number of events.
        hours: Time in which they came, above 0.
        confidence: Share of such intervals that contain the true rate.

    Returns:
        (low, high), events an hour.

    Source: F. Garwood, Fiducial Limits for the Poisson Distribution, Biometrika 28,
        1936.

    >>> low, high = rate_interval(0, 6.0)  # none in six hours
    >>> f"{low:.3f} to {high:.3f}"
    '0.000 to 0.615'
    """
    tail = (1 - confidence) / 2
    low = special.gammaincinv(n, tail) if n else 0.0
    high = special.gammainccinv(n + 1, tail)
    return float(low / hours), float(high / hours)
