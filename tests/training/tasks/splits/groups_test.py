import collections
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.tasks.splits.groups import (
    dealt_groups,
    fold_groups,
    split_fold,
    split_groups,
)

SPLITS = ("train", "validation", "test")


def of_each(values, splits):
    """{split: the values of its clips}."""
    found = {split: set() for split in SPLITS}
    for value, split in zip(values, splits):
        found[split].add(value)
    return found


def clips_of(sizes):
    """(groups, labels) of {group: {label: number of clips}}."""
    rows = [
        (group, (label,))
        for group, counts in sizes.items()
        for label, n in counts.items()
        for _ in range(n)
    ]
    return [group for group, _ in rows], [labels for _, labels in rows]


def shares(sizes, seed=0):
    groups, labels = clips_of(sizes)
    splits = split_groups(groups, labels, seed)
    whole = of_each(groups, splits)
    assert sum(map(len, whole.values())) == len(sizes)  # each in one split
    return {
        label: {
            split: sum(s == split and x == (label,) for s, x in zip(splits, labels))
            for split in SPLITS
        }
        for label in sorted({x for of in labels for x in of})
    }


def test_groups_of_one_size_are_split_80_10_10_in_each_class():
    sizes = {f"{label}{n}": {label: 3} for label in "ab" for n in range(20)}
    wanted = {"train": 48, "validation": 6, "test": 6}
    assert shares(sizes) == {"a": wanted, "b": wanted}
    # Whether or not there are few enough to be swapped.
    many = {f"{label}{n}": {label: 1} for label in "ab" for n in range(20_000)}
    wanted = {"train": 16000, "validation": 2000, "test": 2000}
    assert shares(many) == {"a": wanted, "b": wanted}


def test_small_groups_are_held_out_where_a_large_one_would_be_too_much():
    sizes = {"large": {"a": 80}, "mid": {"a": 10, "b": 3}, "low": {"a": 10, "b": 3}}
    assert shares(sizes | {"b": {"b": 24}})["a"] == {
        "train": 80,
        "validation": 10,
        "test": 10,
    }


def test_each_class_trains_first_then_tests_then_validates():
    sizes = {f"a{n}": {"a": 1} for n in range(10)}
    sizes |= {"b0": {"b": 5}, "b1": {"b": 5}}  # two groups
    sizes |= {"c0": {"c": 1}}  # one
    found = shares(sizes)
    assert found["b"] == {"train": 5, "validation": 0, "test": 5}
    assert found["c"] == {"train": 1, "validation": 0, "test": 0}


def test_a_group_of_many_classes_trains_if_one_is_its_own():
    sizes = {f"kit{n}": {"kick": 2, "snare": 2} for n in range(3)}
    sizes["kit0"]["gong"] = 1
    groups, labels = clips_of(sizes)
    for seed in range(5):
        split_of = dict(zip(groups, split_groups(groups, labels, seed)))
        assert split_of["kit0"] == "train"
        assert sorted(split_of.values()) == sorted(SPLITS)


def test_the_seed_chooses_and_the_order_does_not_matter():
    sizes = {f"{n}": {"ab"[n % 2]: 1 + n % 3} for n in range(40)}
    groups, labels = clips_of(sizes)
    splits = [split_groups(groups, labels, seed) for seed in range(5)]
    assert len(set(map(tuple, splits))) == 5
    again = split_groups(groups[::-1], labels[::-1], 3)[::-1]
    assert again == splits[3]


def test_the_split_is_the_same_in_every_version():
    """A changed rule would leak: a run's test clips could be trained on."""
    groups, labels = clips_of({f"{n}": {"ab"[n % 2]: 1} for n in range(24)})
    split_of = dict(zip(groups, split_groups(groups, labels, 0)))
    assert [g for g, split in split_of.items() if split == "test"] == ["2", "13"]


labelled = st.lists(
    st.tuples(st.integers(0, 12), st.sets(st.sampled_from("abcd"), max_size=3)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(labelled, st.integers(0, 3))
def test_groups_are_whole_and_classes_train_whatever_the_clips(clips, seed):
    groups = [group for group, _ in clips]
    labels = [tuple(sorted(of)) for _, of in clips]
    splits = split_groups(groups, labels, seed)
    held = of_each(groups, splits)
    assert sum(map(len, held.values())) == len(set(groups))
    n_filled = sum(map(bool, held.values()))
    assert n_filled == min(3, len(set(groups)))
    # With a group for each split, and one more for each class, all classes train.
    of_class = {x: {g for g, of in zip(groups, labels) if x in of} for x in "abcd"}
    least = [min(of) for of in of_class.values() if of]
    if len(set(groups) - set(least)) >= 2:
        trained = {x for of, s in zip(labels, splits) if s == "train" for x in of}
        assert trained == {x for of in labels for x in of}
    order = sorted(range(len(clips)), key=lambda n: repr(clips[n]))
    shuffled = split_groups(
        [groups[n] for n in order], [labels[n] for n in order], seed
    )
    assert shuffled == [splits[n] for n in order]


def test_each_fold_tests_once_and_is_the_same_for_any_seed():
    sizes = {f"{n}": {"a": 2, "b": 1 + n % 2} for n in range(10)}
    groups, labels = clips_of(sizes)
    folds = fold_groups(groups, labels, 5)
    assert set(collections.Counter(dict(zip(groups, folds)).values()).values()) == {2}
    tested = []
    for fold in range(5):
        splits = split_fold(folds, groups, labels, fold, seed=fold)
        held = of_each(groups, splits)
        assert [len(held[split]) for split in SPLITS] == [6, 2, 2]
        assert held["validation"] == {
            g for g, number in zip(groups, folds) if number == (fold + 1) % 5
        }
        tested += held["test"]
    assert sorted(tested) == sorted(sizes)


def test_a_group_with_a_class_of_its_own_is_never_held_out():
    sizes = {f"{n}": {"a": 1, "b": 1} for n in range(4)} | {"x": {"a": 9, "c": 1}}
    groups, labels = clips_of(sizes)
    assert dealt_groups(groups, labels) == ["0", "1", "2", "3"]
    folds = fold_groups(groups, labels, 4)
    assert {f for g, f in zip(groups, folds) if g == "x"} == {-1}
    for fold in range(4):
        split_of = dict(zip(groups, split_fold(folds, groups, labels, fold, 0)))
        assert split_of["x"] == "train"


def test_a_class_of_two_groups_trains_even_if_both_would_be_held_out():
    groups = ["0", "1", "2", "3", "1", "2"]
    labels = [("a",)] * 4 + [("b",)] * 2
    splits = split_fold([0, 1, 2, 3, 1, 2], groups, labels, fold=1, seed=0)
    # Fold 2 would validate; its group trains for class b, and others validate.
    assert splits[1] == splits[4] == "test" and splits[2] == splits[5] == "train"
    assert sorted([splits[0], splits[3]]) == ["train", "validation"]


def test_of_two_folds_a_tenth_of_the_other_one_validates():
    groups, labels = clips_of({f"{n}": {"a": 1, "b": 1} for n in range(40)})
    folds = fold_groups(groups, labels, 2)
    splits = split_fold(folds, groups, labels, 1, seed=0)
    held = of_each(groups, splits)
    assert [len(held[split]) for split in SPLITS] == [18, 2, 20]


@pytest.mark.parametrize("n_folds", [2, 3])
def test_folds_are_whole_groups(n_folds):
    groups = list(itertools.islice(itertools.cycle("abcdefg"), 50))
    labels = [("xy"[n % 2],) for n in range(50)]
    folds = fold_groups(groups, labels, n_folds)
    assert len(set(zip(groups, folds))) == 7
    assert set(folds) == set(range(n_folds))


def test_classes_of_few_groups_dont_take_the_clips_from_training():
    # A ring: rare class n is in groups n and n + 1, so that every other group would
    # have to be tested on to test all.
    sizes = {
        f"g{n:02d}": {"a": 20, "b": 20, f"r{n:02d}": 1, f"r{(n + 1) % 20:02d}": 1}
        for n in range(20)
    }
    found = shares(sizes)
    rare = [found[f"r{n:02d}"] for n in range(20)]
    # A group beyond a fifth would cost 2.5 / 20, and test two of 22 classes.
    assert sum(bool(of["test"]) for of in rare) == 8
    assert all(of["train"] for of in rare)
    assert found["a"] == {"train": 240, "validation": 80, "test": 80}


@pytest.mark.parametrize("seed", range(3))
def test_a_large_class_is_tested_rather_than_two_rare_ones(seed):
    # Labels of two columns. There is room in the test for one group: of the two with m
    # or of the two with r1 and r2. Classes of c alone can't be tested.
    rows = [
        *((f"m{n}", ("m", "p")) for n in (1, 2) for _ in range(28)),
        *((f"m{n}", ("a", "p")) for n in (1, 2) for _ in range(2)),
        *((f"r{n}", ("a", "p")) for n in (1, 2) for _ in range(28)),
        *((f"r{n}", ("a", rare)) for n in (1, 2) for rare in ("r1", "r2")),
        *(("c", ("a", "p")) for _ in range(20)),
        *(("c", ("a", f"c{n}")) for n in range(10)),
    ]
    splits = split_groups([g for g, _ in rows], [x for _, x in rows], seed)
    held = {s: {g[0] for (g, _), of in zip(rows, splits) if of == s} for s in SPLITS}
    assert held == {"train": {"m", "r", "c"}, "validation": {"r"}, "test": {"m"}}
