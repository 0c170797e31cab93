"""Accuracy and mean average precision of a head on labelled clips."""

import numpy as np

from export.contract.averaging import clip_probabilities
from export.contract.heads import Head
from export.source.clips import Clips
from leaf_files.ranking import average_precision

ACCURACY, MEAN_AVERAGE_PRECISION = "accuracy", "mean_average_precision"


def score(head: Head, probabilities: np.ndarray, clips: Clips) -> dict:
    """The score of a head on whole clips, their windows' logits averaged.

    Args:
        head: The head.
        probabilities: (n_windows, classes), its answers to `clips.windows`.
        clips: The clips.

    Returns:
        {"accuracy": share of clips whose top label is right}, or, for a head of several
        labels a clip, {"mean_average_precision": mean over the labels that some clip
        has}. None in place of the number for clips of unknown labels.

    Example:

    >>> head = Head("", ("no", "yes"), "softmax")
    >>> targets = np.array([[True, False], [False, True]])
    >>> clips = Clips("clips", np.zeros((2, 800)), np.array([0, 1]), targets)
    >>> score(head, np.array([[0.9, 0.1], [0.8, 0.2]]), clips)
    {'accuracy': 0.5}
    """
    name = MEAN_AVERAGE_PRECISION if head.multi_label else ACCURACY
    if clips.targets is None:
        return {name: None}
    answers = clip_answers(head, probabilities, clips)
    return {name: score_of(head, answers, clips.targets)}


def clip_answers(head: Head, probabilities: np.ndarray, clips: Clips) -> np.ndarray:
    """(n_clips, classes), the probabilities of whole clips.

    Args:
        head, probabilities, clips: Arguments of `score`.

    Example:

    >>> head = Head("", ("no", "yes"), "softmax")
    >>> clips = Clips("clips", np.zeros((2, 800)), np.array([0, 0]), None)
    >>> clip_answers(head, np.array([[0.9, 0.1], [0.5, 0.5]]), clips).round(2).tolist()
    [[0.75, 0.25]]
    """
    return np.stack(
        [
            clip_probabilities(
                probabilities[clips.clip_of_window == clip], head.activation
            )
            for clip in range(clips.n_clips)
        ]
    )


def score_of(head: Head, answers: np.ndarray, targets: np.ndarray) -> float | None:
    """The score of `clip_answers`, a float; None if no clip has any label.

    Example:

    >>> head = Head("", ("no", "yes"), "softmax")
    >>> score_of(head, np.array([[0.9, 0.1]]), np.array([[True, False]]))
    1.0
    """
    if head.multi_label:
        return mean_average_precision(answers, targets)
    return float(np.mean(right_clips(answers, targets)))


def right_clips(answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(n_clips,), bool: whether the top label of each clip is one of its own.

    Example:

    >>> answers = np.array([[0.9, 0.1], [0.9, 0.1]])
    >>> right_clips(answers, np.array([[True, False], [False, True]]))
    array([ True, False])
    """
    return targets[np.arange(len(targets)), np.argmax(answers, axis=-1)]


def mean_average_precision(
    probabilities: np.ndarray, targets: np.ndarray
) -> float | None:
    """The mean over labels of the area under the steps of precision and recall.

    Clips of equal probability have no order: they count as one step.

    Args:
        probabilities: (clips, classes).
        targets: (clips, classes), bool.

    Returns:
        Mean over the labels that some clip has; None if no clip has any.

    Example:

    >>> targets = np.array([[True], [False], [True]])
    >>> mean_average_precision(np.array([[0.9], [0.6], [0.3]]), targets)
    0.8333333333333333
    """
    precisions = [
        average_precision(probabilities[:, label], targets[:, label])
        for label in np.flatnonzero(targets.any(axis=0))
    ]
    return float(np.mean(precisions)) if precisions else None
