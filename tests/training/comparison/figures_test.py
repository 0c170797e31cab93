import numpy as np
import pytest

from training.comparison.figures import _figure
from training.comparison.intervals import estimate
from training.comparison.results import Score


def drawn(values, differences):
    """Axes of the scores and of the differences of one frontend each."""
    scores = [
        Score("t", "clean", "accuracy", f"f{n}", dict(enumerate(row)), estimate(other))
        for n, (row, other) in enumerate(zip(values, differences))
    ]
    return _figure("t", {"clean": scores}, "mel").axes


def ends(axes, row):
    """{place: marker} of the ends of the interval in a row."""
    return {
        line.get_xdata()[0]: line.get_marker()
        for line in axes.lines
        if line.get_marker() in ("|", "<", ">") and line.get_ydata()[0] == row
    }


def test_two_seeds_stay_where_scores_and_differences_can_be():
    """t is 12.7062: the interval is 12.7062 / 2 times the distance of the two."""
    left, right = drawn(
        [(0.42, 0.55), (0.97, 0.99), (0.5, 0.51)],
        [(0.1, 0.4), (-0.5, 0.2), (0.01, 0.02)],
    )
    for axes, possible in ((left, (0, 100)), (right, (-100, 100))):
        low, high = axes.get_xlim()
        assert possible[0] <= low < high <= possible[1]
    assert ends(left, 0) == {0.0: "<", 100.0: ">"}
    (place, end), cut = sorted(ends(left, 1).items())
    assert (end, cut) == ("|", (100.0, ">"))
    assert place == pytest.approx(98 - 12.7062, abs=1e-3)
    margin = 12.7062 / 2
    for axes, row, mean in ((left, 2, 50.5), (right, 2, 1.5)):
        places = sorted(ends(axes, row))
        np.testing.assert_allclose(places, [mean - margin, mean + margin], atol=1e-4)
        assert set(ends(axes, row).values()) == {"|"}
    assert ends(right, 1) == {-100.0: "<", 100.0: ">"}
    for axes in (left, right):
        assert axes.get_xlabel().endswith("\narrows: the interval goes on")


def test_what_is_not_cut_off_has_no_arrows():
    left, right = drawn([(0.81, 0.82, 0.83)], [(0.01, 0.02, 0.03)])
    assert set(ends(left, 0).values()) == set(ends(right, 0).values()) == {"|"}
    assert "arrows" not in left.get_xlabel() + right.get_xlabel()
    assert left.get_xlim()[0] > 70 and left.get_xlim()[1] < 95


def test_a_single_seed_has_no_interval():
    left, right = drawn([(0.81,)], [(0.01,)])
    assert ends(left, 0) == ends(right, 0) == {}
