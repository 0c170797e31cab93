import numpy as np
import pytest

from export.contract.heads import Head
from export.report.scores import mean_average_precision, score
from export.source.clips import Clips


def clips(targets):
    """Of two clips, the first of two windows."""
    return Clips("here", np.zeros((3, 4)), np.array([0, 0, 1]), targets)


def test_accuracy_is_that_of_whole_clips():
    # Clip 0: the sure window outvotes the unsure one. Clip 1: one window.
    probabilities = np.array([[0.01, 0.99], [0.6, 0.4], [0.7, 0.3]])
    head = Head("", ("a", "b"), "softmax")

    def accuracy(targets):
        return score(head, probabilities, clips(targets))

    assert accuracy(np.array([[0, 1], [1, 0]], bool)) == {"accuracy": 1.0}
    assert accuracy(np.array([[1, 0], [1, 0]], bool)) == {"accuracy": 0.5}
    assert accuracy(None) == {"accuracy": None}


def test_a_multi_label_head_is_scored_by_its_ranking():
    probabilities = np.array([[0.9, 0.2], [0.9, 0.2], [0.6, 0.1]])
    head = Head("", ("a", "b"), "sigmoid")
    targets = np.array([[0, 1], [1, 0]], bool)
    measured = score(head, probabilities, clips(targets))
    # Label a: the right clip comes second, label b: first.
    assert measured == {"mean_average_precision": pytest.approx((1 / 2 + 1) / 2)}


def test_average_precision_by_hand():
    probabilities = np.array([[0.9], [0.8], [0.7], [0.6]])
    found = np.array([[True], [False], [True], [False]])
    expected = (1 / 1 + 2 / 3) / 2
    assert mean_average_precision(probabilities, found) == pytest.approx(expected)
    # All equal: nothing is known of the order, precision is the share.
    assert mean_average_precision(0 * probabilities, found) == pytest.approx(0.5)


def test_labels_that_no_clip_has_do_not_count():
    probabilities = np.array([[0.9, 0.9], [0.1, 0.1]])
    targets = np.array([[True, False], [False, False]])
    assert mean_average_precision(probabilities, targets) == 1.0
    assert mean_average_precision(probabilities, np.zeros((2, 2), bool)) is None
