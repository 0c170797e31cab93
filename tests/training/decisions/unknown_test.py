"""The known against the unknown: areas, variances and shares by hand."""

import numpy as np
import pytest
from scipy import special

from leaf_files.decisions import Decisions
from leaf_files.run_folder import Head
from training.decisions.intervals import share_interval
from training.decisions.unknown import auroc, unknown_entry
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions


def test_the_area_and_its_variance_are_those_of_all_pairs():
    """DeLong's variance, from a table of all pairs."""
    random = np.random.default_rng(1)
    known = random.normal(1.0, 1.0, 60).round(1)  # with ties
    unknown = random.normal(0.0, 1.0, 40).round(1)
    above = (known[:, None] > unknown) + 0.5 * (known[:, None] == unknown)
    area, (low, high) = auroc(known, unknown)
    assert area == pytest.approx(above.mean())
    variance = above.mean(axis=1).var(ddof=1) / 60 + above.mean(axis=0).var(ddof=1) / 40
    half = special.ndtri(0.975) * np.sqrt(variance) / (area * (1 - area))
    middle = np.log(area / (1 - area))
    assert special.logit([low, high]) == pytest.approx([middle - half, middle + half])


def test_95_of_100_intervals_hold_the_true_area():
    """Normal scores that are a standard deviation apart: Phi(1 / sqrt(2)) = 0.760."""
    random = np.random.default_rng(0)
    truth = special.ndtr(1 / np.sqrt(2))
    held = 0
    for _ in range(400):
        _, (low, high) = auroc(random.normal(1, 1, 50), random.normal(0, 1, 50))
        held += low <= truth <= high
    assert 0.92 <= held / 400 <= 0.98


def test_scores_that_do_not_overlap_have_the_interval_of_the_rarer_kind():
    area, interval = auroc(np.arange(10, 30), np.arange(8))
    assert area == 1.0
    assert interval == list(share_interval(1.0, 8))


HEAD = Head("t", "t", ("a", "b", "noise"))
DECISIONS = Decisions(2.0, thresholds={"a": 0.9}, none_below=0.6, background=("noise",))


def logits(*probabilities):
    """Logits that are these probabilities at a temperature of 2."""
    return 2 * np.log(np.array(probabilities))


def test_shares_are_those_of_the_decisions():
    known = ClipPredictions(
        logits([0.95, 0.04, 0.01], [0.8, 0.1, 0.1], [0.3, 0.65, 0.05], [0.1, 0.2, 0.7]),
        np.array([0, 0, 1, 2]),  # the last is of the background, and no known clip
    )
    unknown = ClipPredictions(
        logits([0.85, 0.1, 0.05], [0.2, 0.7, 0.1], [0.1, 0.1, 0.8]), np.full(3, -1)
    )
    entry = unknown_entry(known, unknown, HEAD, DECISIONS)
    assert (entry["n_known"], entry["n_examples"]) == (3, 3)
    assert entry["known_lost"] == pytest.approx(1 / 3)  # 0.8 of "a"
    assert entry["called_none"] == pytest.approx(2 / 3)  # all but 0.7 of "b"
    # 0.95, 0.8, 0.65 against 0.85, 0.7, 0.1: 3 + 2 + 1 of 9.
    assert entry["auroc"] == pytest.approx(6 / 9)
    assert entry["intervals"]["called_none"] == list(share_interval(2 / 3, 3))


def test_several_labels_a_clip():
    head = Head("t", "t", ("a", "b"), "sigmoid")
    known = MultiLabelPredictions(
        np.array([[2.0, -1.0], [-1.0, -3.0], [3.0, 3.0]]),
        np.array([[1, 0], [1, 1], [0, 0]]),  # the last has no label
    )
    unknown = MultiLabelPredictions(np.array([[1.0, -2.0]]), np.zeros((1, 2)))
    entry = unknown_entry(known, unknown, head, Decisions())
    assert (entry["n_known"], entry["auroc"]) == (2, 0.5)
    assert (entry["known_lost"], entry["called_none"]) == (0.5, 0.0)


def test_without_known_clips_there_is_no_area():
    known = ClipPredictions(logits([0.1, 0.1, 0.8]), np.array([2]))
    unknown = ClipPredictions(logits([0.1, 0.1, 0.8]), np.array([-1]))
    entry = unknown_entry(known, unknown, HEAD, DECISIONS)
    assert entry["auroc"] is None and entry["known_lost"] is None
    assert entry["called_none"] == 1.0
