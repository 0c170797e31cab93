"""Whether clips can tell a loss from chance."""

import numpy as np
import pytest

from export.contract.heads import Head
from export.report.judging import judge, loss_interval, mid_p
from export.source.clips import Clips

ONE = Head("", ("a", "b"), "softmax")
SEVERAL = Head("", ("a", "b"), "sigmoid")


def clips(targets):
    n = len(targets)
    return Clips("test", np.zeros((n, 1)), np.arange(n), np.array(targets, bool))


def judged(n, lost, gained=0, allowed=1.0):
    """Of n clips of label a: Keras is wrong in the `gained` first alone, and so on."""
    right, wrong = [0.9, 0.1], [0.2, 0.8]
    keras = np.array([wrong] * gained + [right] * (n - gained))
    ours = np.array([right] * (n - lost) + [wrong] * lost)
    return judge(ONE, ours, keras, clips([[True, False]] * n), allowed)


def test_the_chance_of_a_fair_coin():
    assert mid_p(1, 0) == 0.25
    assert mid_p(4, 0) == 1 / 32
    assert mid_p(3, 1) == (4 / 2 + 1) / 16
    assert mid_p(0, 0) == 0.5


def test_the_interval_of_the_loss_by_clopper_and_pearson():
    least, most = loss_interval(1, 0, 20)
    # (1 - p)^20 = .0125 and 1 - (1 - p)^20 = .0125, the latter of 1 clip or more.
    none = 1 - 0.0125 ** (1 / 20)
    assert least == pytest.approx(100 * (1 - 0.9875 ** (1 / 20) - none), abs=0.01)
    assert 0.20 < most / 100 < 0.30
    assert loss_interval(0, 0, 10**6)[1] < 0.001


def test_a_clip_of_twenty_is_chance():
    one = judged(20, 1)
    assert one.points == pytest.approx(5.0)
    assert not one.loses_more_than(1.0)
    assert one.doubt(1.0).startswith("20 clips can't tell: 1 of them lost, 0 gained (")
    assert one.doubt(6.0) == ""


@pytest.mark.parametrize(
    "n, lost, gained, is_lost",
    [
        (20, 2, 0, False),
        (20, 3, 0, False),
        (20, 4, 0, True),
        (20, 6, 3, False),
        (6, 4, 0, True),
        (1000, 20, 2, True),
        (1000, 8, 0, False),  # fewer points than allowed
        (1000, 60, 45, False),
        (2000, 120, 60, True),
    ],
)
def test_a_loss_is_one_if_it_is_more_than_allowed_and_than_chance(
    n, lost, gained, is_lost
):
    found = judged(n, lost, gained)
    assert (found.lost, found.gained) == (lost, gained)
    assert found.loses_more_than(1.0) == is_lost
    assert bool(found.doubt(1.0)) == (not is_lost and found.points > 1)


def test_several_labels_a_clip_are_judged_by_swapping():
    rng = np.random.default_rng(1)
    targets = rng.random((60, 2)) < 0.4
    keras = np.clip(0.8 * targets + 0.1 + 0.05 * rng.random((60, 2)), 0, 1)
    wrong = keras[rng.permutation(60)]
    found = judge(SEVERAL, wrong, keras, clips(targets), 1.0)
    assert found.points > 20 and found.loses_more_than(1.0)
    assert found.lost is None
    one = keras.copy()
    one[np.flatnonzero(targets[:, 0])[0], 0] = 0.0
    found = judge(SEVERAL, one, keras, clips(targets), 0.0)
    assert 0 < found.points < 5 and not found.loses_more_than(0.0)
    assert "60 clips can't tell" in found.doubt(0.0)
    assert found.p_value == judge(SEVERAL, one, keras, clips(targets), 0.0).p_value


def test_clips_without_labels_are_not_judged():
    unknown = Clips("test", np.zeros((2, 1)), np.arange(2), None)
    answers = np.full((2, 2), 0.5)
    assert judge(ONE, answers, answers, unknown, 1.0) is None
    none = clips([[False, False]] * 2)
    assert judge(SEVERAL, answers, answers, none, 1.0) is None
