"""Whether a smaller file loses more of its score than chance explains."""

import dataclasses
import math
from typing import cast

import numpy as np

from export.contract.heads import Head
from export.report.scores import clip_answers, right_clips, score_of
from export.source.clips import Clips

LEVEL = 0.05  # of significance: chance gives such a loss less often
ROUNDING = 1e-6  # points of a loss that is none

_SHUFFLES = 199
_OUTSIDE = 0.0125  # of each of two intervals that hold at 95 % together


@dataclasses.dataclass(frozen=True)
class Judgement:
    """The loss of a file against Keras on the labelled clips of a head.

    Attributes:
        points: Points of the score that the file loses, below 0 if it gains.
        n_clips: Number of clips.
        lost, gained: Numbers of clips that Keras alone gets right, and that the file
            alone does; None for a head of several labels a clip.
        interval: (least, most) points that it loses, at 95 %; None likewise.
        p_value: Probability that chance alone gives such a loss or a greater one.

    Example:

    >>> judgement = Judgement(2.0, 50, 1, 0, interval=(-7.2, 12.2), p_value=0.5)
    >>> judgement.loses_more_than(1.0)
    False
    >>> judgement.doubt(1.0)
    "50 clips can't tell: 1 of them lost, 0 gained (-7.2 to 12.2 points, 95 %)"
    """

    points: float
    n_clips: int
    lost: int | None
    gained: int | None
    interval: tuple[float, float] | None
    p_value: float

    def loses_more_than(self, allowed: float) -> bool:
        """Whether it loses more points than allowed, and more than by chance."""
        return self._is_above(allowed) and self.p_value < LEVEL

    def doubt(self, allowed: float) -> str:
        """A sentence on a loss above `allowed` that may be chance; "" for any other."""
        if not self._is_above(allowed) or self.p_value < LEVEL:
            return ""
        if self.interval is None:
            return f"{self._clips} can't tell {self.points:.1f} points from 0"
        least, most = self.interval
        return (
            f"{self._clips} can't tell: {self.lost} of them lost, {self.gained} gained "
            f"({least:.1f} to {most:.1f} points, 95 %)"
        )

    @property
    def evidence(self) -> str:
        """The clips a loss is judged on, in words, and its probability by chance."""
        changed = (
            "" if self.lost is None else f", {self.lost} lost, {self.gained} gained"
        )
        return f"{self._clips}{changed} (by chance in {100 * self.p_value:.2g} %)"

    @property
    def _clips(self):
        return f"{self.n_clips} {'clip' if self.n_clips == 1 else 'clips'}"

    def _is_above(self, allowed):
        return self.points > allowed + ROUNDING

    @property
    def content(self) -> dict:
        """The entry in `report.json`."""
        return {
            "clips": self.n_clips,
            "clips_lost": self.lost,
            "clips_gained": self.gained,
            "points_lost": self.points,
            "points_lost_interval": self.interval and list(self.interval),
            "p_value": self.p_value,
        }


def judge(
    head: Head, answers: np.ndarray, keras: np.ndarray, clips: Clips, allowed: float
) -> Judgement | None:
    """Compares the answers of a file to labelled clips with Keras's.

    Args:
        head: The head.
        answers, keras: (n_windows, classes), probabilities of `clips.windows`.
        clips: The clips.
        allowed: Points that may be lost; a smaller loss isn't compared with chance.

    Returns:
        `Judgement`; None for clips without labels.

    Example:

    >>> head = Head("", ("no", "yes"), "softmax")
    >>> targets = np.array([[True, False], [False, True]])
    >>> clips = Clips("clips", np.zeros((2, 800)), np.array([0, 1]), targets)
    >>> keras, answers = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.9, 0.1]] * 2)
    >>> judge(head, answers, keras, clips, allowed=1.0).points
    50.0
    """
    if clips.targets is None:
        return None
    ours, theirs = (clip_answers(head, p, clips) for p in (answers, keras))
    our_score, their_score = (score_of(head, a, clips.targets) for a in (ours, theirs))
    if our_score is None or their_score is None:
        return None
    points = 100.0 * (their_score - our_score)
    if head.multi_label:
        above = points > allowed + ROUNDING
        p_value = _by_shuffling(head, ours, theirs, clips.targets) if above else 1.0
        return Judgement(points, clips.n_clips, None, None, None, p_value)
    right, was_right = (right_clips(a, clips.targets) for a in (ours, theirs))
    lost, gained = int(np.sum(was_right & ~right)), int(np.sum(right & ~was_right))
    return Judgement(
        points,
        clips.n_clips,
        lost,
        gained,
        loss_interval(lost, gained, clips.n_clips),
        mid_p(lost, gained),
    )


def mid_p(lost: int, gained: int) -> float:
    """The probability that a fair coin loses so many of the changed clips, or more.

    McNemar's test, one-sided, mid-p: half the probability of exactly so many counts
    (Fagerland, Lydersen and Laake, 2013, doi:10.1186/1471-2288-13-91).

    Example:

    >>> mid_p(lost=3, gained=0)
    0.0625
    """
    changed = lost + gained
    ways = [math.comb(changed, k) for k in range(lost, changed + 1)]
    return (sum(ways) - ways[0] / 2) / 2**changed


def loss_interval(lost: int, gained: int, n_clips: int) -> tuple[float, float]:
    """The points that are lost, least and most, at 95 % or more.

    From exact intervals of both shares, Clopper and Pearson's at 97.5 % each, so that
    both hold at 95 %.

    Example:

    >>> loss_interval(lost=6, gained=0, n_clips=100)
    (-2.38, 13.64)
    """
    least_lost, most_lost = share_interval(lost, n_clips, _OUTSIDE)
    least_gained, most_gained = share_interval(gained, n_clips, _OUTSIDE)
    return (
        round(100.0 * (least_lost - most_gained), 2),
        round(100.0 * (most_lost - least_gained), 2),
    )


def share_interval(count: int, n: int, outside: float = 0.025) -> tuple[float, float]:
    """The exact interval of a share, Clopper and Pearson's.

    Args:
        count, n: Cases that count, of how many.
        outside: Probability on each side of it; that of a 95 % interval by default.

    Returns:
        (least, most).

    Example:

    >>> [round(share, 3) for share in share_interval(4, 6)]
    [0.223, 0.957]
    """
    # Imported here: quantizing needs SciPy, and brings it.
    from scipy.stats import beta

    least = beta.ppf(outside, count, n - count + 1) if count else 0.0
    most = beta.ppf(1 - outside, count + 1, n - count) if count < n else 1.0
    return float(least), float(most)


def _by_shuffling(head, ours, theirs, targets):
    """Mid-p of the loss, where a coin swaps each clip's two answers.

    The coin's sides are the same ones each time.
    """
    rng = np.random.default_rng(0)
    loss = _lost(head, ours, theirs, targets)
    shuffled = []
    for _ in range(_SHUFFLES):
        swap = rng.integers(0, 2, (len(ours), 1)).astype(bool)
        pair = np.where(swap, theirs, ours), np.where(swap, ours, theirs)
        shuffled.append(_lost(head, *pair, targets))
    more = np.sum(np.array(shuffled) > loss + 1e-12)
    equal = np.sum(np.abs(np.array(shuffled) - loss) <= 1e-12)
    return float((more + 0.5 * (equal + 1)) / (_SHUFFLES + 1))


def _lost(head, ours, theirs, targets):
    # There are labels, as `judge` has checked, so neither is None.
    before, after = (
        cast(float, score_of(head, answers, targets)) for answers in (theirs, ours)
    )
    return before - after
