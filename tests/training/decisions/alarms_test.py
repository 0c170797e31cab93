"""False alarms by level against `EventFinder` itself, and rates on paper."""

import numpy as np
import pytest

from leaf_files.decisions import Decisions
from leaf_files.event_settings import EventSettings
from leaf_files.events import EventFinder
from leaf_files.run_folder import Head
from training.decisions.alarms import LEVELS, AlarmCounter, AlarmCounts, hours_needed
from training.decisions.intervals import rate_interval
from training.decisions.targets import CannotTell

RATE, WINDOW = 1000, 1000
SETTINGS = EventSettings(overlap=0.75, merge=0.5, smoothing=0.6)
HEAD = Head("t", "t", ("a", "b", "noise"))


def probabilities(n_windows, activation, seed):
    """Slow random walks, as scores of overlapping windows are."""
    random = np.random.default_rng(seed)
    steps = random.standard_normal((n_windows + 4, 3))
    walk = 3 * np.mean([steps[n : n + n_windows] for n in range(5)], axis=0) * 2.2
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-walk))
    return np.exp(walk) / np.exp(walk).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_counts_are_those_of_detect_at_each_level(activation):
    head = Head("t", "t", HEAD.labels, activation)
    decisions = Decisions(1.4, background=("noise",))
    counter = AlarmCounter(head, decisions, WINDOW, RATE, SETTINGS)
    grid = SETTINGS.grid(WINDOW)
    recordings = [probabilities(n, activation, n) for n in (150, 90)]
    for windows in recordings:
        for first in range(0, len(windows), 32):
            counter.hear(windows[first : first + 32])
        counter.end(n_samples=len(windows) * grid.hop_samples)
    counts = counter.counts(hours=1.0).counts
    assert list(counts) == ["a", "b"]
    assert counts["a"].max() >= 10
    for place in range(0, len(LEVELS), 5):
        levels = np.array([LEVELS[place], LEVELS[place], np.inf])
        rules = SETTINGS.rules_at(levels, grid, RATE, activation == "softmax")
        found = []
        for windows in recordings:
            finder = EventFinder(grid, rules)
            for row in decisions.calibrated(windows, activation):
                found += finder.hear(row)
            found += finder.end(n_samples=len(windows) * grid.hop_samples)
        labels = [event.label for event in found]
        expected = [labels.count(0), labels.count(1)]
        assert [counts["a"][place], counts["b"][place]] == expected


def test_the_lowest_threshold_from_which_on_alarms_are_few():
    """It isn't where they are few by chance, with more of them above."""
    counts = np.where(LEVELS < 0.9, 30, 2)
    counts[0], counts[LEVELS > 0.99] = 0, 0
    negatives = AlarmCounts({"a": counts}, hours=10.0)
    level, alarms = negatives.at_most("a", 0.2)
    assert level == LEVELS[LEVELS >= 0.9][0] and alarms.n == 2
    level, alarms = negatives.at_most("a", 0.19)
    assert level == LEVELS[LEVELS > 0.99][0] and alarms.n == 0
    level, alarms = negatives.at_most("a", 3.0)
    assert level == LEVELS[0] and alarms.n == 0
    assert alarms.interval == (0.0, pytest.approx(3.6889 / 10, rel=1e-4))


def test_alarms_at_the_highest_threshold_are_said():
    negatives = AlarmCounts({"a": np.full(len(LEVELS), 7)}, hours=2.0)
    with pytest.raises(CannotTell, match="at 0.999999 there are still 3.5 an hour"):
        negatives.at_most("a", 1.0)


def test_labels_together_are_their_sum():
    one, two = np.full(len(LEVELS), 1), np.full(len(LEVELS), 2)
    both = AlarmCounts({"a": one, "b": two}, hours=2.0).together("all")
    assert both.at_most("all", 1.5)[1].n == 3


@pytest.mark.parametrize("per_hour", [0.1, 0.5, 2.0])
def test_none_in_the_hours_needed_is_just_enough(per_hour):
    hours = hours_needed(per_hour)
    assert rate_interval(0, hours)[1] == pytest.approx(per_hour)
    assert hours * per_hour == pytest.approx(-np.log(0.025))  # of a Poisson count of 0
