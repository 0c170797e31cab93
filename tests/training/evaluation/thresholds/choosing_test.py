"""Thresholds of heads, and what stays of what was decided before."""

import csv
import dataclasses

import numpy as np
import pytest

from leaf_files.decisions import NONE_OF_THESE, Decisions
from leaf_files.run_folder import Head
from training.decisions.points import level_of
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions
from training.evaluation.thresholds.choosing import Target, choose
from training.evaluation.thresholds.words import in_words
from training.evaluation.thresholds.writing import write_thresholds
from training.run.folder import RunFolder

HEAD = Head("t", "t", ("a", "b", "noise"))
BEFORE = Decisions(
    1.0,
    thresholds={"b": 0.9},
    background=("noise",),
    chosen_by={"temperature": {"clips": 99}},
)


def clips(*kinds):
    """Clips of ((number, probabilities, class), ...)."""
    probabilities = np.concatenate([np.tile(p, (n, 1)) for n, p, _ in kinds])
    classes = np.repeat([c for *_, c in kinds], [n for n, *_ in kinds])
    return ClipPredictions(np.log(probabilities), classes)


# Of label "a" 12 clips are sure; noise is taken for it less surely. Of "b" there are 3.
VALIDATION = clips(
    (12, [0.8, 0.1, 0.1], 0),
    (6, [0.6, 0.1, 0.3], 2),
    (3, [0.1, 0.8, 0.1], 1),
    (4, [0.1, 0.1, 0.8], 2),
)
TEST = clips((8, [0.75, 0.15, 0.1], 0), (2, [0.6, 0.1, 0.3], 0))


def chosen(*target, head=HEAD, before=BEFORE, validation=VALIDATION, test=TEST):
    splits = {"validation": validation, "test": test}
    return choose(head, before, Target(*target), splits)


def test_each_label_has_its_threshold_or_keeps_its_old_one():
    found = chosen("precision", 0.95)
    assert dict(found.after.thresholds) == {"a": pytest.approx(0.7), "b": 0.9}
    assert found.after.background == ("noise",) and found.after.temperature == 1.0
    a, b = found.choices  # the background has none
    assert a.is_new and a.points["validation"].precision == 1.0
    assert a.points["test"].missed == pytest.approx(0.2)
    assert b.note == "3 validation clips with it, and 10 are needed to tell"
    assert b.points["validation"].missed == 1.0  # at 0.9, as before
    chosen_by = found.after.chosen_by
    assert chosen_by["temperature"] == {"clips": 99}
    assert list(chosen_by["thresholds"]) == ["a"]
    assert chosen_by["thresholds"]["a"]["clips"] == 12


def test_a_label_that_needs_none_has_none():
    before = Decisions(thresholds={"a": 0.99}, background=("noise",))
    found = chosen("precision", 0.6, before=before)
    assert dict(found.after.thresholds) == {}
    assert found.choices[0].is_new and found.choices[0].threshold is None
    assert found.choices[0].points["validation"].n_decided == 18


def test_one_threshold_for_all_labels_together():
    found = chosen("precision", 0.95, True)
    # 12 of "a" and 3 of "b" are right above 0.7.
    assert found.after.none_below == pytest.approx(0.7)
    assert dict(found.after.thresholds) == {}
    [choice] = found.choices
    assert choice.label == NONE_OF_THESE
    assert choice.points["validation"].n_right == 15


def test_thresholds_of_labels_replace_the_one_for_all_but_not_that_for_the_unknown():
    together = chosen("precision", 0.95, True).after
    each = chosen("precision", 0.95, before=together).after
    assert each.none_below == 0.0 and "none_below" not in each.chosen_by
    before = dataclasses.replace(BEFORE, thresholds={})
    keeping = chosen("keep", 0.8, before=before).after
    after = chosen("precision", 0.95, before=keeping).after
    assert after.none_below == keeping.none_below == pytest.approx(0.8, abs=2e-6)
    assert after.chosen_by["none_below"] == keeping.chosen_by["none_below"]


def test_where_no_label_can_tell_all_stays_as_it_was():
    together = chosen("precision", 0.95, True).after
    few = clips((5, [0.8, 0.1, 0.1], 0), (5, [0.1, 0.8, 0.1], 1))
    found = chosen("precision", 0.95, before=together, validation=few)
    assert found.after == together and found.after.chosen_by == together.chosen_by
    assert "a, b keep none of their own: 5 validation clips" in "".join(in_words(found))


def test_none_below_is_of_no_use_where_all_labels_have_thresholds():
    before = dataclasses.replace(BEFORE, thresholds={"a": 0.5, "b": 0.5})
    [choice] = chosen("keep", 0.9, before=before).choices
    assert choice.note.startswith("no clip depends on it: labels have thresholds")


def test_a_share_of_the_clips_is_kept():
    """Of 15 clips of known labels, those of "b" are below its own threshold."""
    found = chosen("keep", 0.8)
    assert dict(found.after.thresholds) == {"b": 0.9}
    assert found.choices[0].points["validation"].recall == pytest.approx(12 / 15)
    assert found.after.none_below == pytest.approx(0.8, abs=2e-6)
    [refused] = chosen("keep", 0.9).choices
    assert refused.note == "no threshold has it: 80.0 % is the most"
    assert chosen("keep", 0.9).after == BEFORE


def test_several_labels_a_clip():
    logits = np.array([[3.0, -3.0]] * 10 + [[1.0, 3.0]] * 12)
    classes = np.array([[1, 0]] * 10 + [[0, 1]] * 12)
    head = Head("t", "t", ("a", "b"), "sigmoid")
    both = MultiLabelPredictions(logits, classes)
    found = chosen(
        "precision", 0.9, head=head, before=Decisions(), validation=both, test=both
    )
    low, high = (1 / (1 + np.exp(-x)) for x in (1.0, 3.0))
    assert found.after.thresholds["a"] == pytest.approx((low + high) / 2, abs=1e-6)
    assert found.after.thresholds["b"] == pytest.approx(0.5, abs=1e-6)
    assert level_of("a", head, Decisions()) == 0.5
    overall = found.overall("test")
    assert (overall.n_decided, overall.n_right) == (22, 22)
    assert found.overall("test", found.before).n_decided == 34


def test_text_names_what_is_kept():
    lines = list(in_words(chosen("precision", 0.95)))
    assert lines[0] == (
        "t: thresholds for a precision of 95 %, chosen on 25 validation clips"
    )
    assert "a     0.7000  100.0 % (73.5 to 100.0)  0.0 % (0.0 to 26.5)" in lines[2]
    assert lines[4].startswith("  b keeps its 0.9000: 3 validation clips with it")
    assert lines[-1].startswith("  all test clips: 8 of 10 decided on, 100.0 % (63.1")


def test_the_table_says_how_often_what_is_kept_is_right(tmp_path):
    """All six clips of noise are taken for "a", less surely than those of "a"."""
    before = dataclasses.replace(BEFORE, thresholds={})
    run = RunFolder(tmp_path)
    write_thresholds(run, (HEAD,), [chosen("keep", 0.8, before=before)])
    [row] = csv.DictReader(run.thresholds.open(newline=""))
    assert float(row["validation_missed"]) == 0.0
    assert float(row["validation_precision"]) == 1.0
    low = clips((12, [0.55, 0.25, 0.2], 0), (6, [0.6, 0.1, 0.3], 2))
    write_thresholds(run, (HEAD,), [chosen("keep", 1.0, before=before, validation=low)])
    [row] = csv.DictReader(run.thresholds.open(newline=""))
    assert float(row["validation_precision"]) == pytest.approx(12 / 18)
    assert run.read_decisions((HEAD,))[0].none_below == pytest.approx(0.55, abs=2e-6)
