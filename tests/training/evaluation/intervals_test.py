import numpy as np
import pytest
from scipy import stats

from training.evaluation.intervals import (
    interval,
    n_replicates,
    resampled_weights,
    share_interval,
)


def weights(n_units, replicates, seed=0):
    return np.concatenate([*resampled_weights(n_units, replicates, seed)], axis=1)


def test_as_many_units_are_drawn_as_there_are_each_alike():
    found = weights(50, 4000)
    assert found.shape == (50, 4000)
    np.testing.assert_array_equal(found.sum(axis=0), 50)
    # Binomial of 50 draws at 1 / 50: mean 1, variance 0.98.
    np.testing.assert_allclose(found.mean(axis=1), 1, atol=0.06)
    np.testing.assert_allclose(found.var(axis=1), 0.98, atol=0.12)


def test_the_seed_fixes_what_is_drawn_however_much_at_once(monkeypatch):
    whole = weights(30, 100, seed=5)
    monkeypatch.setattr("training.evaluation.intervals._AT_ONCE", 30)
    np.testing.assert_array_equal(weights(30, 100, seed=5), whole)
    assert (weights(30, 100, seed=6) != whole).any()


def test_the_interval_of_a_normal_mean_is_students():
    """Replicates of a mean of n values have n - 1 over n of its variance."""
    n, deviation = 6, 0.02
    quantiles = (np.arange(100_000) + 0.5) / 100_000
    replicates = 0.5 + deviation * np.sqrt((n - 1) / n) * stats.norm.ppf(quantiles)
    margin = stats.t.ppf(0.975, n - 1) * deviation
    assert interval(replicates, n) == pytest.approx(
        (0.5 - margin, 0.5 + margin), abs=1e-4
    )


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Groups whose shares vary around 0.7: most of the spread is between groups."""
    random = np.random.default_rng(0)
    hits, n_groups, n_clips = 0, 12, 20
    for trial in range(300):
        shares = random.beta(7, 3, n_groups)
        right = random.binomial(n_clips, shares)
        drawn = weights(n_groups, 400, seed=trial)
        low, high = interval(right @ drawn / (n_clips * n_groups), n_groups)
        hits += low <= 0.7 <= high
    assert 0.92 <= hits / 300 <= 0.98


def test_what_never_varies_has_the_exact_interval():
    """4 of 4: the share p at which that happens with a chance of 2.5 %."""
    expected = (0.025**0.25, 1.0)
    assert interval(np.ones(100), 4) == pytest.approx(expected)
    low, high = interval(np.zeros(100), 4)
    assert (low, high) == pytest.approx((0.0, 1 - 0.025**0.25))
    exact = stats.binomtest(7, 20).proportion_ci(0.95, "exact")
    assert share_interval(7 / 20, 20) == pytest.approx((exact.low, exact.high))


def test_where_nothing_can_be_said():
    spread = np.linspace(0.2, 0.8, 100)
    assert interval(spread, 2) is None
    assert interval(np.full(100, np.nan), 50) is None
    assert interval(np.where(spread < 0.6, np.nan, spread), 50) is None
    assert interval(np.where(spread < 0.3, np.nan, spread), 50) is not None


def test_fewer_replicates_of_very_many_scores():
    assert n_replicates(10_000, 10) == 1000
    assert n_replicates(20_000, 527) == 200
