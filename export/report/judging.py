"""Whether a smaller file loses more of its score than chance explains."""

import dataclasses
import math

import numpy as np

from export.report.scores import clip_answers, right_clips, score_of

LEVEL = 0.05  # a loss is none of chance if that gives as great a one less often
ROUNDING = 1e-6  # points that are none

_SHUFFLES = 199


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What the labelled clips of a head tell of a file beside Keras.

    Attributes:
        points: Points of the score that it loses, below 0 if it gains.
        n_clips: How many clips there are.
        lost, gained: Clips of which Keras alone has the right label, and the file
            alone; None of a head of several labels a clip.
        interval: (least, most) points that it loses, at 95 %; None likewise.
        p_value: How often chance alone gives such a loss or a greater one.
    """

    points: float
    n_clips: int
    lost: int | None
    gained: int | None
    interval: tuple | None
    p_value: float

    def loses_more_than(self, allowed):
        """Whether it loses more points than allowed, and more than by chance."""
        return self._is_above(allowed) and self.p_value < LEVEL

    def doubt(self, allowed):
        """A sentence on a loss above `allowed` that may be chance; "" of any other."""
        if not self._is_above(allowed) or self.p_value < LEVEL:
            return ""
        clips = "clip" if self.n_clips == 1 else "clips"
        if self.lost is None:
            return f"{self.n_clips} {clips} can't tell {self.points:.1f} points from 0"
        least, most = self.interval
        return (
            f"{self.n_clips} {clips} can't tell: {self.lost} of them lost, "
            f"{self.gained} gained ({least:.1f} to {most:.1f} points, 95 %)"
        )

    def _is_above(self, allowed):
        return self.points > allowed + ROUNDING

    @property
    def content(self):
        """What `report.json` holds of it."""
        return {
            "clips": self.n_clips,
            "clips_lost": self.lost,
            "clips_gained": self.gained,
            "points_lost": self.points,
            "points_lost_interval": self.interval and list(self.interval),
            "p_value": self.p_value,
        }


def judge(head, answers, keras, clips, allowed):
    """Compares the answers of a file to labelled clips with Keras's.

    Args:
        head: `export.contract.heads.Head`.
        answers, keras: (n_windows, classes), probabilities of `clips.windows`.
        clips: `export.source.clips.Clips`.
        allowed: Points that may be lost; up to there chance isn't asked.

    Returns:
        `Judgement`; None of clips without labels.
    """
    if clips.targets is None:
        return None
    ours, theirs = (clip_answers(head, p, clips) for p in (answers, keras))
    score = {
        name: score_of(head, own, clips.targets)
        for name, own in (("ours", ours), ("theirs", theirs))
    }
    if score["theirs"] is None:
        return None
    points = 100.0 * (score["theirs"] - score["ours"])
    if head.multi_label:
        above = points > allowed + ROUNDING
        p_value = _by_shuffling(head, ours, theirs, clips.targets) if above else 1.0
        return Judgement(points, clips.n_clips, None, None, None, p_value)
    right, was_right = (right_clips(own, clips.targets) for own in (ours, theirs))
    lost, gained = int(np.sum(was_right & ~right)), int(np.sum(right & ~was_right))
    return Judgement(
        points,
        clips.n_clips,
        lost,
        gained,
        loss_interval(lost, gained, clips.n_clips),
        mid_p(lost, gained),
    )


def mid_p(lost, gained):
    """How often a fair coin loses so many clips or more, of those that changed.

    McNemar's test, one-sided, mid-p (half of what equals counts; Fagerland, Lydersen
    and Laake, 2013, doi:10.1186/1471-2288-13-91).
    """
    changed = lost + gained
    ways = [math.comb(changed, k) for k in range(lost, changed + 1)]
    return (sum(ways) - ways[0] / 2) / 2**changed


def loss_interval(lost, gained, n_clips):
    """Points that are lost, at 95 % or more: of both shares their exact intervals.

    Clopper and Pearson's at 97.5 % each, so that both hold at 95 %.
    """
    least_lost, most_lost = _share_interval(lost, n_clips)
    least_gained, most_gained = _share_interval(gained, n_clips)
    return (
        round(100.0 * (least_lost - most_gained), 2),
        round(100.0 * (most_lost - least_gained), 2),
    )


def _share_interval(count, n, outside=0.0125):
    # Imported here: quantizing needs SciPy, and brings it.
    from scipy.stats import beta

    least = beta.ppf(outside, count, n - count + 1) if count else 0.0
    most = beta.ppf(1 - outside, count + 1, n - count) if count < n else 1.0
    return float(least), float(most)


def _by_shuffling(head, ours, theirs, targets):
    """Mid-p of the loss, where each clip's two answers are swapped by coin.

    The same ones each time.
    """
    rng = np.random.default_rng(0)
    seen = _lost(head, ours, theirs, targets)
    shuffled = []
    for _ in range(_SHUFFLES):
        swap = rng.integers(0, 2, (len(ours), 1)).astype(bool)
        pair = np.where(swap, theirs, ours), np.where(swap, ours, theirs)
        shuffled.append(_lost(head, *pair, targets))
    more = np.sum(np.array(shuffled) > seen + 1e-12)
    equal = np.sum(np.abs(np.array(shuffled) - seen) <= 1e-12)
    return float((more + 0.5 * (equal + 1)) / (_SHUFFLES + 1))


def _lost(head, ours, theirs, targets):
    return score_of(head, theirs, targets) - score_of(head, ours, targets)
