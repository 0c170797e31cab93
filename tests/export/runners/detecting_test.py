import numpy as np
import pytest

from export.contract.heads import Head
from export.runners.detecting import Detector

LABELS = ("yes", "no", "silence")


def detections(rows, activation="softmax", **options):
    """[(seconds, label, score)] of chunks of a tenth of a second."""
    options = {"smoothing": 0.0, "threshold": 0.6, "refractory": 0.0, **options}
    detector = Detector([Head("", LABELS, activation)], 0.1, **options)
    found = [d for row in rows for d in detector.hear({"": np.float32(row)})]
    return [(round(d.seconds, 6), d.label, pytest.approx(d.score)) for d in found]


YES, NO, NONE = (0.9, 0.1, 0.0), (0.2, 0.8, 0.0), (0.3, 0.3, 0.4)


def test_a_score_that_reaches_the_threshold_is_a_detection():
    assert detections([NONE, YES, NO, NONE]) == [(0.2, "yes", 0.9), (0.3, "no", 0.8)]
    assert detections([YES, NO], threshold=0.85) == [(0.1, "yes", 0.9)]


def test_scores_are_averages_and_were_zero_before():
    # 0.3, 0.6, 0.9: averages of three, the first two with zeros before.
    rows = [YES] * 3
    found = detections(rows, smoothing=0.3, threshold=0.5)
    assert found == [(0.2, "yes", 0.6), (0.3, "yes", 0.9)]
    # One loud chunk is no detection.
    assert detections([NONE, NONE, YES, NONE, NONE], smoothing=0.3) == []


def test_a_label_is_not_detected_again_within_the_refractory_time():
    rows = [YES] * 8 + [NO] * 2
    times = [time for time, label, _ in detections(rows, refractory=0.3)]
    assert times == [0.1, 0.4, 0.7, 0.9]


def test_of_a_softmax_head_only_the_first_label_of_a_sigmoid_all():
    both = (0.7, 0.65, 0.1)
    assert detections([both]) == [(0.1, "yes", 0.7)]
    assert [label for _, label, _ in detections([both], "sigmoid")] == ["yes", "no"]


def test_ignored_labels_are_not_detected():
    assert detections([(0.0, 0.1, 0.9), YES], ignored=["silence"]) == [
        (0.2, "yes", 0.9)
    ]


def heard(rows, heads=None, **options):
    """The `Detector` after chunks of {head: probabilities}."""
    options = {"smoothing": 0.0, "threshold": 0.95, "refractory": 0.0, **options}
    detector = Detector(heads or [Head("", LABELS, "softmax")], 0.1, **options)
    for row in rows:
        detector.hear({name: np.float32(values) for name, values in row.items()})
    return detector


def best(detector, head=""):
    found = detector.best[head]
    return round(found.seconds, 6), found.label, pytest.approx(found.score)


def test_the_best_of_each_head_is_kept_with_its_time():
    heads = [Head("word", LABELS, "softmax"), Head("mood", ("glad", "sad"), "sigmoid")]
    rows = [
        {"word": NO, "mood": (0.2, 0.1)},
        {"word": YES, "mood": (0.96, 0.3)},
        {"word": YES, "mood": (0.4, 0.5)},
    ]
    detector = heard(rows, heads)
    assert best(detector, "word") == (0.2, "yes", 0.9)  # the first of equal ones
    assert best(detector, "mood") == (0.2, "glad", 0.96)
    assert detector.n_detections == {"word": 0, "mood": 1}


def test_the_best_is_one_that_could_be_detected():
    rows = [{"": (0.05, 0.05, 0.9)}, {"": (0.6, 0.3, 0.1)}, {"": (0.4, 0.25, 0.35)}]
    assert best(heard(rows, ignored=["silence"])) == (0.2, "yes", 0.6)
    # Of a softmax head only the highest is; of a sigmoid head each.
    sigmoid = [Head("", LABELS, "sigmoid")]
    assert heard(rows[:1], ignored=["silence"]).best == {}
    assert best(heard(rows[:1], sigmoid, ignored=["silence"]))[1:] == ("yes", 0.05)


def test_scores_that_are_no_numbers_are_never_the_best():
    rows = [{"": (np.nan,) * 3}, {"": NO}, {"": (np.nan,) * 3}]
    assert best(heard(rows)) == (0.2, "no", 0.8)
    assert heard(rows[:1]).best == {}


def test_the_peak_is_the_highest_probability_before_averaging():
    detector = heard([{"": NO}, {"": YES}, {"": NONE}], smoothing=0.5)
    assert best(detector) == (0.3, "yes", (0.2 + 0.9 + 0.3) / 5)
    assert detector.peaks == {"": pytest.approx(0.9)}


def test_time_does_not_drift():
    detector = Detector([Head("", LABELS, "softmax")], 0.1, 0.0, 0.5, 0.0)
    for _ in range(36000):
        detector.hear({"": np.float32(NONE)})
    assert detector.seconds == pytest.approx(3600.0, abs=1e-9)
