import numpy as np
import pytest

from export.contract.heads import Head
from export.tflite_format.score_units import ScoreUnits, parameters_text, score_units
from leaf_files.decisions import Decisions

LABELS = ("north", "south", "east", "west")


def units_of(activation, **decisions):
    return score_units(Head("", LABELS, activation, decisions=Decisions(**decisions)))


def as_mediapipe(units, scores):
    """The scores that MediaPipe returns, (n, labels); NaN where it leaves a label out.

    Its calculators of score calibration and of classifications, in NumPy.
    """
    scores = np.asarray(scores, np.float32)
    if units.calibrates:
        rows = [line.split(",") for line in parameters_text(units).split("\n")]
        scale, slope, offset, least = np.array(rows, np.float32).T
        odds = np.log(np.maximum(scores, 1e-16)) - np.log(np.maximum(1 - scores, 1e-16))
        calibrated = scale / (1 + np.exp(-(slope * odds + offset)))
        scores = np.where(scores < least, 0.0, calibrated)
    return np.where(scores < units.threshold, np.nan, scores)


SIGMOIDS = {
    "temperature": {"temperature": 2.5, "thresholds": {"east": 0.7}},
    "each its own": {"thresholds": {"east": 0.9, "south": 0.2, "north": 0.5}},
    "common": {"none_below": 0.3},
    "background": {"none_below": 0.3, "background": ("west",)},
    "all": {
        "temperature": 0.6,
        "thresholds": {"east": 0.9, "south": 0.0},
        "none_below": 0.4,
        "background": ("west",),
    },
}
SOFTMAXES = {
    "common": {"none_below": 0.45},
    "each from a half on": {
        "thresholds": {"east": 0.9, "south": 0.6},
        "none_below": 0.5,
    },
    "background": {"none_below": 0.5, "background": ("west",)},
}


@pytest.mark.parametrize("decisions", SIGMOIDS.values(), ids=SIGMOIDS)
def test_of_a_sigmoid_the_labels_that_are_left_are_the_decided_ones(decisions, rng):
    scores = np.float32(1 / (1 + np.exp(-rng.normal(0, 2, (500, 4)))))
    decisions = Decisions(**decisions)
    found = as_mediapipe(
        score_units(Head("", LABELS, "sigmoid", decisions=decisions)), scores
    )
    for row, answer in zip(found, scores, strict=True):
        left = {label for label, score in zip(LABELS, row) if score == score}
        assert left == set(decisions.decided(answer, LABELS, "sigmoid"))
    kept = np.isfinite(found)
    expected = decisions.calibrated(scores, "sigmoid")
    np.testing.assert_allclose(found[kept], expected[kept], atol=1e-5)


@pytest.mark.parametrize("decisions", SOFTMAXES.values(), ids=SOFTMAXES)
def test_of_a_softmax_the_best_label_that_is_left_is_the_decided_one(decisions, rng):
    odds = np.exp(rng.normal(0, 2, (500, 4)))
    scores = np.float32(odds / odds.sum(axis=-1, keepdims=True))
    decisions = Decisions(**decisions)
    found = as_mediapipe(
        score_units(Head("", LABELS, "softmax", decisions=decisions)), scores
    )
    n_none = 0
    for row, answer in zip(found, scores, strict=True):
        is_left = np.isfinite(row).any()
        best = (LABELS[np.nanargmax(row)],) if is_left else ()
        assert best == decisions.decided(answer, LABELS, "softmax")
        n_none += not best
    assert 10 < n_none < 490


def test_a_temperature_alone_leaves_no_label_out():
    assert units_of("sigmoid", temperature=2.0) == ScoreUnits(
        0.0, (0.5,) * 4, (0.0,) * 4
    )
    found = as_mediapipe(units_of("sigmoid", temperature=2.0), [0.9, 0.5, 0.1, 0.0])
    np.testing.assert_allclose(found, [0.75, 0.5, 0.25, 0.0], atol=1e-6)


@pytest.mark.parametrize(
    "decisions",
    [
        {},
        {"temperature": 2.0},
        {"temperature": 2.0, "none_below": 0.6},
        {"thresholds": {"east": 0.4}},
        {"none_below": 0.3, "background": ("west",)},
    ],
)
def test_what_a_softmax_can_not_say_exactly_is_not_written(decisions):
    """Below a half, a label that isn't the most probable may reach its threshold."""
    assert units_of("softmax", **decisions) is None


def test_of_one_threshold_no_parameters_are_written():
    assert units_of("softmax", none_below=0.75) == ScoreUnits(threshold=0.75)


def test_parameters_end_without_a_line():
    """MediaPipe takes what follows the last one's end for another label."""
    text = parameters_text(units_of("sigmoid", temperature=2.0))
    assert text == "\n".join(["1,0.5,0,0"] * 4)
