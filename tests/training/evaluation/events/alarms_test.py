import math

import numpy as np
import pytest
from scipy import stats

from training.decisions.intervals import rate_interval
from training.evaluation.events.alarms import (
    Alarms,
    error_tradeoff,
    find_alarms,
    missed_at,
)
from training.evaluation.events.matching import Event


@pytest.mark.parametrize("n", [0, 1, 7, 300])
def test_the_interval_of_a_rate_is_that_of_chi_square(n):
    low, high = rate_interval(n, hours=2.0)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * n + 2) / 2 / 2.0)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * n) / 2 / 2.0 if n else 0.0)


def test_the_interval_holds_the_true_rate_as_often_as_it_says():
    rate, hours = 3.0, 1.5
    counts = np.arange(60)
    chances = stats.poisson.pmf(counts, rate * hours)
    bounds = [rate_interval(n, hours) for n in counts]
    held = sum(p for p, (low, high) in zip(chances, bounds) if low <= rate <= high)
    assert 0.95 <= held <= 0.99


def test_several_detections_of_an_event_are_no_false_alarms():
    reference = [Event(10.0, 20.0, "rain")]
    detected = [Event(10 + n, 10.5 + n, "rain", 0.5 + n / 10) for n in range(3)]
    alarms = find_alarms([(reference, detected)])
    assert alarms.found.tolist() == [0.7]
    assert not len(alarms.false)


def test_a_detection_of_another_label_is_a_false_alarm():
    alarms = find_alarms([([Event(0, 1, "dog")], [Event(0, 1, "cat", 0.6)])])
    assert (alarms.missed_share, alarms.false.tolist()) == (1.0, [0.6])


def test_the_collar_widens_events():
    reference, detected = [Event(1.0, 2.0, "dog")], [Event(2.3, 2.6, "dog")]
    assert find_alarms([(reference, detected)], 0.2).missed_share == 1.0
    assert find_alarms([(reference, detected)], 0.4).missed_share == 0.0


def test_the_tradeoff_is_that_of_detections_above_each_threshold():
    random = np.random.default_rng(0)
    reference = [Event(10.0 * n, 10.0 * n + 1, "dog") for n in range(30)]
    detected = [
        Event(start, start + 0.5, "dog", round(random.uniform(), 2))
        for start in random.uniform(0, 300, 200)
    ]
    alarms = find_alarms([(reference, detected)])
    thresholds, per_hour, missed = error_tradeoff(alarms, hours=0.5)
    assert (np.diff(thresholds) < 0).all()
    for threshold, rate, share in zip(thresholds, per_hour, missed):
        kept = [event for event in detected if event.score >= threshold]
        of_kept = find_alarms([(reference, kept)])
        assert len(of_kept.false) / 0.5 == rate
        assert of_kept.missed_share == share


def test_too_many_false_alarms_of_the_highest_score_have_no_threshold():
    alarms = Alarms(found=np.array([math.inf]), false=np.array([math.inf]))
    assert missed_at(alarms, hours=1.0, most_per_hour=0.5) is None
    assert missed_at(alarms, hours=1.0, most_per_hour=1.0) == (math.inf, 1.0, 0.0)
