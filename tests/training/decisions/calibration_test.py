"""The temperature against answers on paper, and the calibration error by hand."""

import numpy as np
import pytest

from training.decisions.calibration import (
    Bins,
    calibration_entry,
    fit_temperature,
    scaled,
)
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions


def two_classes(logit, n_right, n_wrong):
    """Clips of two classes that all are given the first, with one logit."""
    n = n_right + n_wrong
    logits = np.tile([float(logit), 0.0], (n, 1))
    return ClipPredictions(logits, np.repeat([0, 1], [n_right, n_wrong]))


@pytest.mark.parametrize("share", [0.6, 0.8, 0.95])
def test_the_temperature_makes_the_probability_the_share_that_is_right(share):
    right = round(200 * share)
    predictions = two_classes(5.0, right, 200 - right)
    # softmax(5 / T) = share  <=>  T = 5 / log(share / (1 - share))
    expected = 5.0 / np.log(share / (1 - share))
    assert fit_temperature(predictions).value == pytest.approx(expected, rel=1e-4)
    calibrated = scaled(predictions, expected)
    assert Bins.of_predictions(calibrated).error == pytest.approx(0, abs=1e-9)


def test_the_temperature_of_several_labels_is_that_of_the_sigmoid():
    logits = np.full((100, 2), 4.0)
    classes = np.ones((100, 2))
    classes[:25] = 0
    # sigmoid(4 / T) = 3 / 4
    found = fit_temperature(MultiLabelPredictions(logits, classes))
    assert found.value == pytest.approx(4.0 / np.log(3.0), rel=1e-4)


def test_drawn_labels_give_back_the_temperature_that_they_were_drawn_at():
    random = np.random.default_rng(0)
    logits = 3.0 * random.standard_normal((20_000, 5))
    chances = ClipPredictions(logits / 1.7, np.zeros(20_000, int)).probabilities
    classes = (random.random((20_000, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    found = fit_temperature(ClipPredictions(logits, classes))
    assert found.value == pytest.approx(1.7, rel=0.02)
    assert found.chosen_by == {"clips": 20_000, "split": "validation"}


@pytest.mark.parametrize(
    "predictions, reason",
    [
        (two_classes(5.0, 15, 4), "19 validation clips, and 20 are needed"),
        (two_classes(5.0, 30, 0), "none of the 30 validation clips is wrong"),
    ],
)
def test_what_tells_nothing_leaves_the_temperature_at_1(predictions, reason):
    found = fit_temperature(predictions)
    assert (found.value, found.note) == (1.0, reason)


def test_the_calibration_error_by_hand():
    # Two bins: 4 answers at 0.9 of which 2 are right, 6 at 0.7 of which 6 are.
    probabilities = np.repeat([0.9, 0.7], [4, 6])
    is_true = np.repeat([True, False, True], [2, 2, 6])
    bins = Bins.of(probabilities, is_true, n_bins=10)
    assert bins.n.tolist() == [0, 0, 0, 0, 0, 0, 6, 0, 4, 0]
    assert bins.error == pytest.approx(0.4 * 0.4 + 0.6 * 0.3)


def test_probabilities_at_the_ends_are_in_the_first_and_the_last_bin():
    bins = Bins.of(np.array([0.0, 1.0]), np.array([False, True]))
    assert (bins.n[0], bins.n[-1], bins.error) == (1, 1, 0.0)


def test_calibration_changes_no_answer_and_lowers_the_loss():
    predictions = two_classes(5.0, 80, 20)
    temperature = fit_temperature(predictions).value
    entry = calibration_entry(predictions, temperature)
    assert entry["loss"] < predictions.loss
    assert entry["ece"] < entry["ece_uncalibrated"]
    calibrated = scaled(predictions, temperature)
    assert calibrated.predicted.tolist() == predictions.predicted.tolist()
