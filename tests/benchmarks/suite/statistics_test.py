import numpy as np
import pytest

from benchmarks.suite.statistics import effective_number, paired_difference
from training.comparison.intervals import estimate


def pairs_of(gains, n=100, groups_a_seed=1):
    """Pairs of counts whose groups differ by `gains` clips of `n`."""
    groups = [{f"{index}": (50 + gain, n)} for index, gain in enumerate(gains)]
    seeds = [
        groups[first : first + groups_a_seed]
        for first in range(0, len(groups), groups_a_seed)
    ]
    return [
        (
            {name: count for group in seed for name, count in group.items()},
            {name: (50, n) for group in seed for name in group},
        )
        for seed in seeds
    ]


def test_a_difference_computed_by_hand():
    pairs = [
        ({"a": (9, 10), "b": (1, 2)}, {"a": (6, 10), "b": (2, 2)}),
        ({"c": (3, 4)}, {"c": (2, 4)}),
    ]
    # (3 - 1) / 12 and 1 / 4.
    found = paired_difference(pairs)
    assert found.mean == pytest.approx((2 / 12 + 1 / 4) / 2)
    assert found.by_seeds == estimate([2 / 12, 1 / 4])
    assert found.n_groups == 3


def test_the_bootstrap_resamples_the_same_mean():
    # All groups gain the same share of their clips: each resample has that mean.
    pairs = [
        ({"a": (15, 20), "b": (3, 4)}, {"a": (10, 20), "b": (2, 4)}),
        ({"c": (6, 8)}, {"c": (4, 8)}),
    ]
    found = paired_difference(pairs)
    assert found.mean == pytest.approx(0.25)
    assert found.by_groups == pytest.approx((0.25, 0.25))


def test_many_groups_give_the_interval_of_the_normal_distribution():
    gains = [10, -10] * 200  # of 100 clips: deviation 0.1
    found = paired_difference(pairs_of(gains))
    expected = 1.96 * 0.1 / np.sqrt(400)
    assert found.mean == 0
    assert found.by_groups == pytest.approx((-expected, expected), rel=0.08)


def test_groups_tested_again_are_no_more_groups():
    pairs = pairs_of([8, -3, 5, 2, 0, 1])
    once, ten_times = paired_difference(pairs), paired_difference(10 * pairs)
    assert ten_times.mean == pytest.approx(once.mean)
    assert ten_times.by_groups == pytest.approx(once.by_groups)
    assert ten_times.by_seeds.margin < 0.5 * once.by_seeds.margin
    assert ten_times.interval == ten_times.by_groups  # the wider one
    assert ten_times.by_seeds.excludes_zero and not ten_times.excludes_zero


def test_seeds_that_vary_make_the_wider_interval():
    # Within a seed all groups gain or lose alike: training varies, not the groups.
    pairs = pairs_of([6] * 8 + [-2] * 8 + [8] * 8, groups_a_seed=8)
    found = paired_difference(pairs)
    assert found.interval == (found.by_seeds.low, found.by_seeds.high)
    assert found.by_groups[0] > 0 > found.by_seeds.low
    assert not found.excludes_zero


def test_intervals_contain_the_truth_as_often_as_they_say():
    random = np.random.default_rng(7)
    n_trials, n_inside = 400, 0
    for _ in range(n_trials):
        gains = np.round(random.normal(5, 10, 8)).astype(int)
        low, high = paired_difference(pairs_of(gains.tolist())).by_groups
        n_inside += low <= 0.05 <= high
    # 95 %, less what 8 groups lack, and 3 standard errors of 400 trials.
    assert 0.90 <= n_inside / n_trials <= 0.985


def test_too_few_to_tell():
    found = paired_difference(
        [({"a": (3, 4), "b": (1, 4)}, {"a": (1, 4), "b": (1, 4)})]
    )
    assert found.mean == pytest.approx(0.25)
    assert found.by_groups is None and found.interval is None
    assert not found.excludes_zero


def test_a_difference_without_variation_is_undecided():
    found = paired_difference(pairs_of([5, 5, 5, 5]))
    assert found.mean == pytest.approx(0.05)
    assert found.margin == pytest.approx(0)
    assert not found.excludes_zero


@pytest.mark.parametrize("correlation", [0.0, 0.3, -0.6, 0.9])
def test_two_tests_of_some_correlation(correlation):
    # Eigenvalues 1 +- r, of variance 2 r^2: M_eff = 1 + (1 - r^2).
    x, y = np.array([1.0, 1, -1, -1]), np.array([1.0, -1, 1, -1])
    other = correlation * x + np.sqrt(1 - correlation**2) * y
    expected = 2 - correlation**2
    assert effective_number([x, other]) == pytest.approx(expected)


def test_blocks_of_tests():
    # 4 blocks of 3 that are the same: variance 4 * 3 * 2 / 11, M_eff = 12 - 3 + 1.
    basis = np.linalg.qr(
        np.column_stack([np.ones(8), np.random.default_rng(0).normal(size=(8, 4))])
    )[0][:, 1:]
    values = np.repeat(basis.T, 3, axis=0)
    assert effective_number(values) == pytest.approx(10)


def test_constant_tests_count_and_none_is_none():
    assert effective_number([[0.0, 0, 0], [1.0, 2, 4]]) == 2
    assert effective_number([[1.0, 2, 3]]) == 1
    assert effective_number([]) == 0
