"""Thresholds of scores whose best threshold is known on paper."""

import numpy as np
import pytest

from leaf_files.decisions import Decisions
from leaf_files.run_folder import Head
from training.decisions.points import LabelScores, label_scores
from training.decisions.targets import (
    CannotTell,
    by_precision,
    by_recall,
    kept_scores,
)
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions

# From the highest score down: nine right, one wrong, one right, nine wrong.
TRUTH = np.array([True] * 9 + [False, True] + [False] * 9)
SCORES = LabelScores(np.linspace(0.95, 0.0, 20), TRUTH)


@pytest.mark.parametrize(
    "target, threshold, n_decided, n_right",
    [
        (1.0, 0.525, 9, 9),  # halfway between 0.55 and 0.50
        (10 / 11, 0.425, 11, 10),
        (0.9, 0.425, 11, 10),  # at the tenth, 9 of 10 are right, too: it is higher
        (0.8, 0.375, 12, 10),
        (0.5, 0.0, 20, 10),  # as all of them are: none is needed
    ],
)
def test_the_lowest_threshold_of_a_precision(target, threshold, n_decided, n_right):
    point = by_precision(SCORES, target)
    assert point.threshold == pytest.approx(threshold)
    assert (point.n_decided, point.n_right) == (n_decided, n_right)
    assert point.precision >= target
    if threshold:
        assert SCORES.at(point.threshold) == point


@pytest.mark.parametrize(
    "target, threshold", [(1.0, 0.425), (0.91, 0.425), (0.9, 0.525), (0.5, 0.725)]
)
def test_the_highest_threshold_of_a_recall(target, threshold):
    point = by_recall(SCORES, target)
    assert point.threshold == pytest.approx(threshold)
    assert point.recall >= target
    assert SCORES.at(point.threshold) == point


def test_noise_of_runtimes_changes_no_decision():
    point = by_precision(SCORES, 0.9)
    for noise in (-1e-3, 1e-3):
        noisy = LabelScores(SCORES.scores + noise, TRUTH)
        assert noisy.at(point.threshold) == SCORES.at(point.threshold)


def test_equal_scores_are_decided_on_together():
    truth = np.array([True] * 10 + [False])
    scores = LabelScores(np.full(11, 0.7), truth)
    with pytest.raises(CannotTell, match="no threshold has it: 90.9 % is the most"):
        by_precision(scores, 0.95)


def test_few_clips_cannot_tell():
    scores = LabelScores(np.linspace(0.9, 0.5, 9), np.ones(9, bool))
    with pytest.raises(CannotTell, match="9 validation clips with it, and 10 are"):
        by_precision(scores, 0.5)


def test_a_label_that_is_never_the_most_probable_is_not_found():
    scores = LabelScores(np.full(12, -np.inf), np.ones(12, bool))
    with pytest.raises(CannotTell, match="no threshold has it: 0.0 % is the most"):
        by_recall(scores, 0.1)


def test_scores_are_those_by_which_decisions_are_made():
    """`Decisions.decided`, which artifacts go by, gives the same labels."""
    random = np.random.default_rng(0)
    logits = 2 * random.standard_normal((200, 3))
    head = Head("t", "t", ("a", "b", "noise"))
    decisions = Decisions(
        1.7, thresholds={"a": 0.55}, none_below=0.45, background=("noise",)
    )
    clips = ClipPredictions(logits, random.integers(0, 3, 200))
    of_labels = label_scores(clips, head, decisions)
    assert list(of_labels) == ["a", "b"]
    for n, probabilities in enumerate(clips.probabilities):
        expected = decisions.decided(probabilities, head.labels, head.activation)
        levels = dict(zip(head.labels, decisions.levels(head.labels)))
        found = [
            label for label, s in of_labels.items() if s.scores[n] >= levels[label]
        ]
        assert tuple(found) == expected


def test_scores_of_several_labels_a_clip():
    logits = np.array([[2.0, 3.0], [-1.0, 0.5]])
    clips = MultiLabelPredictions(logits, np.array([[1, 1], [0, 1]]))
    head = Head("t", "t", ("a", "b"), "sigmoid")
    of_labels = label_scores(clips, head, Decisions(2.0))
    expected = 1 / (1 + np.exp(-logits / 2))
    found = np.stack([of_labels["a"].scores, of_labels["b"].scores], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_what_is_kept_counts_thresholds_of_labels():
    """Of 4 clips one is answered by its label's threshold, and stays so."""
    a = LabelScores(np.array([0.9, 0.6, -np.inf, -np.inf]), np.array([1, 1, 0, 0]) > 0)
    b = LabelScores(np.array([-np.inf, -np.inf, 0.7, 0.5]), np.array([0, 0, 1, 0]) > 0)
    kept = kept_scores({"a": a, "b": b}, Decisions(thresholds={"a": 0.8}))
    assert kept.scores.tolist() == [np.inf, -np.inf, 0.7]  # the fourth is of no label
    assert kept.truth.all()
    [point] = kept.points()
    assert (point.n_decided, point.recall) == (2, pytest.approx(2 / 3))
