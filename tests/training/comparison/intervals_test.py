import math

import numpy as np
import pytest

from training.comparison.intervals import estimate, t_quantile

# Two-sided, from the tables of the Handbook of Mathematical Functions, 26.10.
TABLE = {
    (0.95, 1): 12.706,
    (0.95, 2): 4.303,
    (0.95, 3): 3.182,
    (0.95, 4): 2.776,
    (0.95, 9): 2.262,
    (0.95, 30): 2.042,
    (0.95, 120): 1.980,
    (0.99, 4): 4.604,
    (0.99, 10): 3.169,
    (0.5, 5): 0.727,
}


@pytest.mark.parametrize("confidence, degrees", TABLE)
def test_the_printed_table(confidence, degrees):
    expected = TABLE[confidence, degrees]
    assert t_quantile(confidence, degrees) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 8, 25])
@pytest.mark.parametrize("confidence", [0.3, 0.95, 0.999])
def test_the_quantile_holds_that_much_of_the_density(degrees, confidence):
    # By Gauss-Legendre, in the angle whose tangent is t / sqrt(degrees).
    end = math.atan(t_quantile(confidence, degrees) / math.sqrt(degrees))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    angles = end * (nodes + 1) / 2
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    density = scale / math.sqrt(math.pi) * np.cos(angles) ** (degrees - 1)
    inside = 2 * np.sum(weights * density) * end / 2
    assert inside == pytest.approx(confidence, abs=1e-12)


def test_an_interval_computed_by_hand():
    # Mean 3, squares 4 + 1 + 0 + 1 + 4 = 10, deviation sqrt(10 / 4),
    # margin 2.7764 * sqrt(2.5) / sqrt(5) = 2.7764 * 0.70711.
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.n, found.mean) == (5, 3.0)
    assert found.margin == pytest.approx(1.9632, abs=1e-4)
    assert found.low == pytest.approx(3 - 1.9632, abs=1e-4)
    assert found.excludes_zero
    assert not estimate([-1.0, 2.0]).excludes_zero


def test_nothing_varies_and_a_single_value():
    nothing = estimate([0.0, 0.0, 0.0])
    assert (nothing.low, nothing.mean, nothing.high) == (0.0, 0.0, 0.0)
    assert not nothing.excludes_zero
    single = estimate([0.4])
    assert (single.mean, single.low, single.high) == (0.4, None, None)
    assert single.margin is None and single.excludes_zero is None


def test_values_that_are_all_the_same_prove_nothing():
    same = estimate([0.1, 0.1, 0.1])
    assert (same.low, same.high) == pytest.approx((0.1, 0.1))
    assert same.excludes_zero is None
    assert estimate([0.1, 0.1, 0.1001]).excludes_zero


def test_intervals_hold_the_true_mean_as_often_as_they_say(rng):
    draws = rng.normal(2.0, 3.0, (4000, 5))
    held = [e.low <= 2.0 <= e.high for e in map(estimate, draws.tolist())]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)
