from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import timing
from benchmarks.timing import Times, interleave

_CALL = 1 / 64  # seconds that a call takes; sums of it are exact


@pytest.fixture
def call(monkeypatch):
    """What takes its time by the only clock there is; tells how often it was called."""
    clock = SimpleNamespace(now=0.0, n_calls=0)

    def call():
        clock.now += _CALL
        clock.n_calls += 1

    monkeypatch.setattr(timing, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    call.clock = clock
    return call


def test_contestants_take_turns_and_warm_up_twice(monkeypatch):
    monkeypatch.setattr(timing, "_TURN_SECONDS", 0.0)
    order = []
    calls = {name: lambda name=name: order.append(name) for name in "abc"}
    times = interleave(calls, seconds_each=0.0, min_rounds=3)
    warm, rounds = order[:6], np.reshape(order[6:], (3, 3)).tolist()
    assert "".join(warm) == "aabbcc"
    assert [sorted(names) for names in rounds] == [list("abc")] * 3
    assert [len(times[name].seconds) for name in "abc"] == [3, 3, 3]


def test_a_turn_repeats_a_short_call_and_counts_its_mean(call, monkeypatch):
    monkeypatch.setattr(timing, "_TURN_SECONDS", 5 * _CALL)
    times = interleave({"a": call}, seconds_each=0.0, min_rounds=2)
    assert call.clock.n_calls == 2 + 2 * 5
    assert times["a"].median == _CALL


def test_rounds_end_by_time_or_number(call):
    assert len(interleave({"a": call}, 8.5 * _CALL)["a"].seconds) == 9
    assert len(interleave({"a": call}, 0.0)["a"].seconds) == 5
    assert len(interleave({"a": call}, 1e3, max_rounds=7)["a"].seconds) == 7


def test_one_slow_call_changes_no_median():
    times = Times(np.array([1.0, 2.0, 3.0, 4.0, 500.0]))
    assert times.median == 3.0
    assert times.quartiles == [2.0, 4.0]
