"""The predictions of a run for its test clips, as a table."""

import numpy as np

from leaf_files.atomic import write_rows
from leaf_files.run_folder import LABEL_SEPARATOR

_COLUMNS = ("file", "group", "label", "predicted", "right")
_MOST_CLASSES = 100  # with a column each
_TOP = 5  # of more classes, the most probable ones


def write_predictions(path, head, predictions):
    """Writes a row for each clip: its labels, and the predicted ones.

    Args:
        path: The CSV file.
        head: `Head` of the task.
        predictions: The predictions of the clips, with their names.

    >>> from leaf_files.run_folder import Head
    >>> from training.evaluation.clips import ClipPredictions
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> logits, classes = np.array([[2.0, 0.0]]), np.array([1])
    >>> predictions = ClipPredictions(logits, classes, ["a.wav"], ["kit 1"])
    >>> write_predictions(Path("predictions.csv"), head, predictions)
    >>> print(Path("predictions.csv").read_text())
    file,group,label,predicted,right,probability kick,probability snare
    a.wav,kit 1,snare,kick,0,0.8808,0.1192
    """
    chances = predictions.probabilities
    n_clips, n_classes = chances.shape
    groups = predictions.groups or [""] * n_clips
    if n_classes <= _MOST_CLASSES:
        titles = [f"probability {label}" for label in head.labels]
    else:
        ranks = range(1, _TOP + 1)
        titles = [f"{what} {n}" for n in ranks for what in ("label", "probability")]
    clips = zip(
        predictions.names, groups, chances, predictions.truth, predictions.chosen
    )
    rows = (
        (
            *(name, group, labels(head, truth), labels(head, chosen)),
            int(np.array_equal(truth, chosen)),
            *_probabilities(head, of_clip),
        )
        for name, group, of_clip, truth, chosen in clips
    )
    write_rows(path, (*_COLUMNS, *titles), rows)


def labels(head, which):
    """The labels of a clip as text, "a|b"; `which` is bool, (n_classes,).

    >>> from leaf_files.run_folder import Head
    >>> head = Head("drums", "drums", ("kick", "snare", "tom"), "sigmoid")
    >>> labels(head, np.array([True, False, True]))
    'kick|tom'
    """
    return LABEL_SEPARATOR.join(head.labels[n] for n in np.flatnonzero(which))


def _probabilities(head, chances):
    if len(chances) <= _MOST_CLASSES:
        return [f"{chance:.4f}" for chance in chances]
    top = np.argsort(-chances)[:_TOP]
    return [cell for n in top for cell in (head.labels[n], f"{chances[n]:.4f}")]
