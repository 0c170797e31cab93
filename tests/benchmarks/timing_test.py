import time

import numpy as np

from benchmarks import timing
from benchmarks.timing import Times, interleave


def test_contestants_take_turns_and_warm_up_twice(monkeypatch):
    monkeypatch.setattr(timing, "_TURN_SECONDS", 0.0)
    order = []
    calls = {name: lambda name=name: order.append(name) for name in "abc"}
    times = interleave(calls, seconds_each=0.0, min_rounds=3)
    warm, rounds = order[:6], np.reshape(order[6:], (3, 3)).tolist()
    assert "".join(warm) == "aabbcc"
    assert [sorted(names) for names in rounds] == [list("abc")] * 3
    assert [len(times[name].seconds) for name in "abc"] == [3, 3, 3]


def test_a_turn_repeats_a_short_call_and_counts_its_mean(monkeypatch):
    monkeypatch.setattr(timing, "_TURN_SECONDS", 0.05)
    numbers = []

    def call():
        numbers.append(0)
        time.sleep(0.01)

    times = interleave({"a": call}, seconds_each=0.0, min_rounds=2)
    assert 2 + 2 * 4 <= len(numbers) <= 2 + 2 * 5
    assert 0.01 <= times["a"].median < 0.02


def test_rounds_end_by_time_or_number():
    calls = {"a": lambda: time.sleep(0.01)}
    assert 5 <= len(interleave(calls, 0.1)["a"].seconds) <= 11
    assert len(interleave(calls, 10.0, max_rounds=7)["a"].seconds) == 7


def test_one_slow_call_changes_no_median():
    times = Times(np.array([1.0, 2.0, 3.0, 4.0, 500.0]))
    assert times.median == 3.0
    assert times.quartiles == [2.0, 4.0]
