"""The threshold that reaches a target: precision, recall, a share that is kept."""

import dataclasses

import numpy as np

from leaf_files.command_line import counted
from leaf_files.errors import UserError
from training.decisions.points import LabelScores

# Fewer clips of a label say next to nothing: of ten that are all right, 69 to 100 %.
LEAST_CLIPS = 10


class CannotTell(UserError):
    """A target that the clips can't be judged by, or that no threshold reaches.

    >>> issubclass(CannotTell, UserError)
    True
    """


def by_precision(scores, target):
    """The lowest threshold at which enough of the decisions are right.

    The lowest one misses fewest clips. It is 0 where all decisions together are right
    often enough: none is needed.

    Args:
        scores: `LabelScores` of the validation clips.
        target: Least precision, in (0, 1].

    Returns:
        `Point`.

    Raises:
        CannotTell: Too few clips, or no threshold reaches it.

    >>> truth = np.array([True] * 9 + [False, True])
    >>> scores = LabelScores(np.linspace(0.99, 0.89, 11), truth)
    >>> by_precision(scores, 1.0).n_right, by_precision(scores, 0.9).n_right
    (9, 10)
    """
    _require_enough(scores)
    points = scores.points()
    reached = [point for point in points if point.precision >= target]
    if not reached:
        best = max((point.precision for point in points), default=0.0)
        raise CannotTell(f"no threshold has it: {100 * best:.1f} % is the most")
    if reached[-1] is points[-1]:
        return dataclasses.replace(points[-1], threshold=0.0)
    return reached[-1]


def by_recall(scores, target):
    """The highest threshold at which the label is found in enough of its clips.

    The highest one is right most often.

    Args:
        scores: `LabelScores` of the validation clips.
        target: Least recall, in (0, 1].

    Returns:
        `Point`.

    Raises:
        CannotTell: Too few clips, or no threshold reaches it.

    >>> scores = LabelScores(np.linspace(0.99, 0.9, 10), np.ones(10, bool))
    >>> by_recall(scores, 0.9).threshold
    0.905
    """
    _require_enough(scores)
    points = scores.points()
    for point in points:
        if point.recall >= target:
            return point
    if not points and np.isposinf(scores.scores).any():
        raise CannotTell("no clip depends on it: labels have thresholds of their own")
    most = points[-1].recall if points else 0.0
    raise CannotTell(f"no threshold has it: {100 * most:.1f} % is the most")


def kept_scores(of_labels, decisions):
    """What decides whether a clip gets an answer at all, by `none_below`.

    Args:
        of_labels: {label: `LabelScores`} of `label_scores`.
        decisions: `Decisions` whose `thresholds` stay as they are.

    Returns:
        `LabelScores` of one score a clip, of clips of known labels alone: infinite
        where a label with a threshold of its own is decided on; else the highest score
        of a label without one.

    >>> from leaf_files.decisions import Decisions
    >>> kick = LabelScores(np.array([0.9, 0.2]), np.array([True, False]))
    >>> snare = LabelScores(np.array([0.1, 0.8]), np.array([False, True]))
    >>> decisions = Decisions(thresholds={"kick": 0.7})
    >>> kept_scores({"kick": kick, "snare": snare}, decisions).scores.tolist()
    [inf, 0.8]
    """
    known = np.any([each.truth for each in of_labels.values()], axis=0)
    best = np.full(len(known), -np.inf)
    for label, each in of_labels.items():
        scores = each.scores
        if label in decisions.thresholds:
            is_decided = scores >= decisions.thresholds[label]
            scores = np.where(is_decided, np.inf, -np.inf)
        best = np.maximum(best, scores)
    return LabelScores(best[known], np.ones(np.count_nonzero(known), bool))


def _require_enough(scores):
    n_clips = int(np.count_nonzero(scores.truth))
    if n_clips < LEAST_CLIPS:
        raise CannotTell(
            f"{counted(n_clips, 'validation clip')} with it, and {LEAST_CLIPS} are "
            "needed to tell"
        )
