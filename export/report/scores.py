"""How often a head is right about labelled clips."""

import numpy as np

from export.contract.averaging import clip_probabilities

ACCURACY, MEAN_AVERAGE_PRECISION = "accuracy", "mean_average_precision"


def score(head, probabilities, clips):
    """The score of a head on whole clips, their windows' logits averaged.

    Args:
        head: `export.contract.heads.Head`.
        probabilities: (n_windows, classes), of `clips.windows`.
        clips: `export.source.clips.Clips`.

    Returns:
        {"accuracy": the share of clips whose top label is right}, or, of a head of
        several labels a clip, {"mean_average_precision": over the labels that some
        clip has}. None in place of the number for clips of unknown labels.
    """
    name = MEAN_AVERAGE_PRECISION if head.multi_label else ACCURACY
    if clips.targets is None:
        return {name: None}
    answers = clip_answers(head, probabilities, clips)
    return {name: score_of(head, answers, clips.targets)}


def clip_answers(head, probabilities, clips):
    """(n_clips, classes), the probabilities of whole clips; arguments as of `score`."""
    return np.stack(
        [
            clip_probabilities(
                probabilities[clips.clip_of_window == clip], head.activation
            )
            for clip in range(clips.n_clips)
        ]
    )


def score_of(head, answers, targets):
    """The score of `clip_answers`, a float; None if no clip has any label."""
    if head.multi_label:
        return mean_average_precision(answers, targets)
    return float(np.mean(right_clips(answers, targets)))


def right_clips(answers, targets):
    """(n_clips,), bool: whether the top label of each clip is one of its own."""
    return targets[np.arange(len(targets)), np.argmax(answers, axis=-1)]


def mean_average_precision(probabilities, targets):
    """The mean over labels of the area under the steps of precision and recall.

    Clips of one probability are told apart by nothing: they count at once.

    Args:
        probabilities: (clips, classes).
        targets: (clips, classes), bool.

    Returns:
        float, over the labels that some clip has; None if no clip has any.
    """
    precisions = [
        _average_precision(probabilities[:, label], targets[:, label])
        for label in np.flatnonzero(targets.any(axis=0))
    ]
    return float(np.mean(precisions)) if precisions else None


def _average_precision(probabilities, targets):
    order = np.argsort(-probabilities, kind="stable")
    last_of_equal = np.append(np.diff(probabilities[order]) != 0, True)
    found = np.cumsum(targets[order])[last_of_equal]
    precision = found / (np.flatnonzero(last_of_equal) + 1)
    return np.sum(np.diff(found, prepend=0) * precision) / found[-1]
