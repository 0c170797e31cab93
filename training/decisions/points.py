"""A label's scores on clips, and what a threshold makes of them."""

import dataclasses

import numpy as np

from leaf_files.run_folder import SIGMOID
from training.decisions.calibration import scaled
from training.decisions.intervals import share_interval

# Runtimes differ in the last bits: two scores that are nearer each other are the same.
DECIMALS = 6
STEP = 10.0**-DECIMALS
_SIGMOID_LEVEL = 0.5  # of labels without a threshold, see `Decisions.decided`


@dataclasses.dataclass(frozen=True)
class Point:
    """What is decided at a threshold.

    Attributes:
        threshold: The score from which the label is decided on.
        n_decided: Number of clips on which it is.
        n_right: Those of them that have the label.
        n_with: Number of all clips that have it.
        n: Number of all clips.

    >>> point = Point(threshold=0.8, n_decided=10, n_right=9, n_with=12, n=50)
    >>> point.precision, point.missed, round(point.false_share, 3)
    (0.9, 0.25, 0.026)
    """

    threshold: float
    n_decided: int
    n_right: int
    n_with: int
    n: int

    @property
    def precision(self):
        """Share of the decisions that are right; None without any."""
        return self.n_right / self.n_decided if self.n_decided else None

    @property
    def recall(self):
        """Share of the clips of the label that it is decided on; None without any."""
        return self.n_right / self.n_with if self.n_with else None

    @property
    def missed(self):
        """Share of the clips of the label that are missed; None without any."""
        return None if self.recall is None else 1 - self.recall

    @property
    def false_share(self):
        """Share of the other clips that it is decided on; None without any."""
        n_others = self.n - self.n_with
        return (self.n_decided - self.n_right) / n_others if n_others else None

    def interval(self, name):
        """The exact interval of "precision", "recall" or "missed"; None without any.

        >>> low, high = Point(0.8, 10, 9, 12, 50).interval("precision")
        >>> f"{low:.2f} to {high:.2f}"
        '0.55 to 1.00'
        """
        value = getattr(self, name)
        if value is None:
            return None
        return share_interval(
            value, self.n_decided if name == "precision" else self.n_with
        )


@dataclasses.dataclass(frozen=True)
class LabelScores:
    """The scores of clips for a label, and which of them have it.

    Attributes:
        scores: (n,), calibrated probabilities; -inf where the label can't be decided
            on, as another one is more probable; inf where a decision is made anyway.
        truth: (n,), bool, whether the clip has the label.

    >>> scores = LabelScores(np.array([0.9, 0.6, 0.3]), np.array([True, False, True]))
    >>> scores.at(0.5)
    Point(threshold=0.5, n_decided=2, n_right=1, n_with=2, n=3)
    """

    scores: np.ndarray
    truth: np.ndarray

    @classmethod
    def together(cls, several):
        """The scores of several labels as if they were one label's.

        >>> one = LabelScores(np.array([0.9]), np.array([True]))
        >>> LabelScores.together([one, one]).at(0.5).n_right
        2
        """
        return cls(
            np.concatenate([each.scores for each in several]),
            np.concatenate([each.truth for each in several]),
        )

    def at(self, threshold):
        """The `Point` at a threshold."""
        decided = self.scores >= threshold
        return Point(
            float(threshold),
            int(np.count_nonzero(decided)),
            int(np.count_nonzero(decided & self.truth)),
            int(np.count_nonzero(self.truth)),
            len(self.scores),
        )

    def points(self):
        """The `Point`s at all thresholds that differ, from the highest one down.

        Each threshold is halfway between two scores: a little noise in either changes
        no decision. The lowest is at the lowest score, below which nothing is known.

        >>> scores = LabelScores(np.array([0.9, 0.6]), np.array([True, False]))
        >>> [(point.threshold, point.n_decided) for point in scores.points()]
        [(0.75, 1), (0.599999, 2)]
        """
        able = np.isfinite(self.scores)
        values, places = np.unique(self.scores[able], return_inverse=True)
        if not len(values):
            return []
        anyway = self.at(np.inf)
        n_decided = anyway.n_decided + np.bincount(places)[::-1].cumsum()
        n_right = np.bincount(places, self.truth[able])[::-1].cumsum()
        n_right += anyway.n_right
        values = values[::-1]
        lowest = max(STEP, values[-1] - STEP)
        thresholds = np.append((values[:-1] + values[1:]) / 2, lowest)
        return [
            dataclasses.replace(
                anyway,
                threshold=round(float(t), DECIMALS + 1),
                n_decided=int(d),
                n_right=int(r),
            )
            for t, d, r in zip(thresholds, n_decided, n_right)
        ]


def label_scores(predictions, head, decisions):
    """The `LabelScores` of each label of a head that can be decided on.

    Args:
        predictions: `ClipPredictions` or `MultiLabelPredictions`, not calibrated.
        head: Its `Head`.
        decisions: Its `Decisions`, for the temperature and the background.

    Returns:
        {label: `LabelScores`}, without the background. Where a clip has one label, only
        the most probable one can be decided on.

    >>> from leaf_files.decisions import Decisions
    >>> from leaf_files.run_folder import Head
    >>> from training.evaluation.clips import ClipPredictions
    >>> logits, classes = np.log([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 0])
    >>> head = Head("drums", "drums", ("kick", "snare"))
    >>> of_labels = label_scores(ClipPredictions(logits, classes), head, Decisions())
    >>> of_labels["kick"].scores.tolist(), of_labels["snare"].truth.tolist()
    ([0.9, -inf], [False, False])
    """
    calibrated = scaled(predictions, decisions.temperature)
    scores = np.round(calibrated.probabilities, DECIMALS)
    if head.activation != SIGMOID:
        top = np.asarray(predictions.logits).argmax(axis=1)
        scores[top[:, None] != np.arange(scores.shape[1])] = -np.inf
    return {
        label: LabelScores(scores[:, n], predictions.truth[:, n])
        for n, label in enumerate(head.labels)
        if label not in decisions.background
    }


def level_of(label, head, decisions):
    """The score from which a label is decided on.

    >>> from leaf_files.decisions import Decisions
    >>> from leaf_files.run_folder import Head
    >>> head = Head("birds", "birds", ("wren", "tit"), "sigmoid")
    >>> level_of("wren", head, Decisions(thresholds={"tit": 0.9}))
    0.5
    """
    default = None
    if head.activation == SIGMOID and not decisions.none_below:
        default = _SIGMOID_LEVEL
    return float(decisions.levels([label], default)[0])
