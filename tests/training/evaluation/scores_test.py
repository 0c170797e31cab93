import json

import numpy as np
import pytest

from leaf_files import ranking
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions
from training.evaluation.scores import scored, scores_in_words

# Largest logits: 0, 1, 1, 2, 0, 0; class 3 is neither true nor predicted.
LOGITS = np.array(
    [
        [2.0, 1, 0, -9],
        [0, 3, 1, -9],
        [1, 2, 0, -9],
        [0, 0, 5, -9],
        [4, 0, 0, -9],
        [3, 0, 0, -9],
    ]
)
CLASSES = np.array([0, 1, 0, 2, 2, 0])
LABELS = ("a", "b", "c", "d")


def several(seed=0, n=200, n_classes=3, decimals=1):
    """Predictions of several labels a clip, with ties among the scores."""
    random = np.random.default_rng(seed)
    classes = (random.uniform(size=(n, n_classes)) < 0.3).astype(np.float32)
    logits = np.round(random.normal(size=(n, n_classes)) + classes, decimals)
    return MultiLabelPredictions(logits, classes)


def test_scores_by_hand():
    entry = scored(ClipPredictions(LOGITS, CLASSES), LABELS)
    assert entry["accuracy"] == 4 / 6 and entry["n_examples"] == 6
    found = entry["per_class"]
    assert found["a"]["precision"] == 2 / 3 and found["a"]["recall"] == 2 / 3
    assert found["b"]["precision"] == 1 / 2 and found["b"]["recall"] == 1.0
    assert found["b"]["f1"] == pytest.approx(2 / 3)
    assert found["c"]["precision"] == 1.0 and found["c"]["recall"] == 1 / 2
    assert found["d"] == {
        "precision": None,
        "recall": None,
        "f1": None,
        "average_precision": None,
        "n_examples": 0,
        "intervals": {"precision": None, "recall": None, "average_precision": None},
    }
    assert [found[label]["n_examples"] for label in LABELS] == [3, 1, 2, 0]
    assert entry["macro_f1"] == pytest.approx((2 / 3 + 2 / 3 + 2 / 3) / 3)
    json.dumps(entry, allow_nan=False)


def test_a_class_that_is_never_predicted_has_an_f1_of_0():
    entry = scored(ClipPredictions(np.eye(2)[[0, 0]], np.array([0, 1])), ("a", "b"))
    assert entry["per_class"]["b"]["precision"] is None
    assert entry["per_class"]["b"]["f1"] == 0.0
    assert entry["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_rankings_are_those_of_the_slow_definitions(decimals):
    predictions = several(decimals=decimals)
    entry = scored(predictions, "abc")
    for scores, truth, label in zip(
        predictions.logits.T, predictions.classes.T > 0.5, "abc"
    ):
        found = entry["per_class"][label]
        expected = ranking.average_precision(scores, truth)
        assert found["average_precision"] == pytest.approx(expected, abs=1e-12)
        expected = ranking.auc(scores, truth)
        assert found["auc"] == pytest.approx(expected, abs=1e-12)
    for name in ("mAP", "auc"):
        assert entry[name] == pytest.approx(predictions.metrics[name])


def test_clips_are_ranked_by_probability_not_by_logit():
    """The second clip's logit of class 0 is higher, its probability lower."""
    predictions = ClipPredictions(np.array([[1.0, 0], [2, 9]]), np.array([0, 1]))
    entry = scored(predictions, ("a", "b"))
    assert entry["per_class"]["a"]["average_precision"] == 1.0


def test_weights_count_clips_as_often_as_they_say(rng):
    """Clips that are there twice, against a weight of 2."""
    from training.evaluation import scores

    predictions, counts = several(n=40), rng.integers(0, 4, 40)
    repeated = np.repeat(np.arange(40), counts)
    longer = MultiLabelPredictions(
        predictions.logits[repeated], predictions.classes[repeated]
    )
    entry = scored(longer, "abc")
    tally = scores._Tally(predictions, scores._Units.of(predictions))
    of_all, of_classes = tally.scores(counts[:, None].astype(float))
    for name, value in of_all.items():
        assert value[0] == pytest.approx(entry[name]), name
    for name, values in of_classes.items():
        expected = [entry["per_class"][label][name] for label in "abc"]
        np.testing.assert_allclose(values[:, 0], expected)


def test_groups_are_resampled_whole():
    """All clips of a group are right or wrong: as wide as for so many clips."""
    right = np.array([1, 1, 1, 0, 1, 1, 0, 1])
    logits = np.eye(2)[1 - right]
    alone = ClipPredictions(logits, np.zeros(8, int))
    many = ClipPredictions(
        np.repeat(logits, 100, axis=0),
        np.zeros(800, int),
        groups=[f"g{n}" for n in np.repeat(range(8), 100)],
    )
    clips, groups = scored(alone, ("a", "b")), scored(many, ("a", "b"))
    assert groups["intervals"]["accuracy"] == clips["intervals"]["accuracy"]
    assert (groups["intervals_over"], groups["n_intervals_over"]) == ("groups", 8)
    assert (clips["intervals_over"], clips["n_intervals_over"]) == ("clips", 8)
    assert groups["per_class"]["a"]["n_groups"] == 8
    assert groups["n_groups"] == {"test": 8}
    low, high = groups["intervals"]["accuracy"]
    assert low < 0.45 and high > 0.95


@pytest.mark.parametrize("n_groups", [1, 2])
def test_one_or_two_groups_have_no_interval_and_a_note(n_groups):
    groups = [f"g{n % n_groups}" for n in range(6)]
    entry = scored(ClipPredictions(LOGITS, CLASSES, groups=groups), LABELS)
    assert entry["intervals"] == {"accuracy": None, "macro_f1": None}
    for of_class in entry["per_class"].values():
        assert set(of_class["intervals"].values()) == {None}
    said = f"the test clips come from {n_groups} group"
    assert said in entry["intervals_note"]
    assert said in scores_in_words(entry)


def test_a_class_of_two_groups_has_no_interval_beside_others_that_have():
    groups = ["g0", "g1", "g2", "g3", "g4", "g2"]
    entry = scored(ClipPredictions(LOGITS, CLASSES, groups=groups), LABELS)
    assert entry["intervals"]["accuracy"] is not None
    assert entry["per_class"]["a"]["n_groups"] == 2 and CLASSES.tolist().count(0) == 3
    assert entry["per_class"]["a"]["intervals"]["recall"] is None


def test_the_same_whatever_the_names_of_groups_and_order_of_clips():
    groups = ["x", "y", "z", "x", "w", "z"]
    entry = scored(ClipPredictions(LOGITS, CLASSES, groups=groups), LABELS)
    turned = ClipPredictions(LOGITS[::-1], CLASSES[::-1], groups=groups[::-1])
    assert scored(turned, LABELS)["intervals"] == entry["intervals"]


def test_words():
    entry = scored(ClipPredictions(LOGITS, CLASSES), LABELS)
    low, high = entry["intervals"]["accuracy"]
    said = scores_in_words(entry)
    assert said.startswith(f"accuracy 0.6667 ({low:.4f} to {high:.4f}), macro_f1 0.66")
    assert said.endswith("; 95 % intervals over 6 clips")
