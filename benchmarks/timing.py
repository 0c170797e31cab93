"""Interleaved timing: contestants take turns, medians are compared."""

import dataclasses
import math
import time

import numpy as np

_TURN_SECONDS = 0.01
_LEAST_SECONDS = 1e-5  # clocks of browsers may see none pass


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds a call of one contestant.

    Attributes:
        seconds: (turns,).
    """

    seconds: np.ndarray

    @property
    def median(self):
        return float(np.median(self.seconds))

    @property
    def quartiles(self):
        """The middle half of the calls lies between these."""
        return [float(q) for q in np.quantile(self.seconds, (0.25, 0.75))]


def interleave(calls, seconds_each, min_rounds=5, max_rounds=200, report=None):
    """Times functions in turn, in a new order every round.

    A turn repeats the call for some milliseconds, as long as it is short: users'
    loops run hot, and what another contestant left in the caches is not its fault.

    Args:
        calls: {name: function of no argument that returns when its work is done}. One
            that is far away has `turn`, a function of a number of calls that returns
            the seconds a call took by a clock that is there.
        seconds_each: Time to spend on each, warm-up aside.
        min_rounds, max_rounds: Limits of the number of turns of each.
        report: Function of (name, call number), for progress.

    Returns:
        {name: Times}, of a turn's mean.
    """
    repeats = {}
    for name, call in calls.items():
        for number in (1, 2):
            if report:
                report(name, number)
            seconds = _time(call)
        repeats[name] = max(1, math.ceil(_TURN_SECONDS / max(seconds, _LEAST_SECONDS)))
    turns: dict[str, list[float]] = {name: [] for name in calls}
    random = np.random.default_rng(0)
    deadline = time.perf_counter() + seconds_each * len(calls)
    for number in range(max_rounds):
        if number >= min_rounds and time.perf_counter() > deadline:
            break
        for name in random.permutation(list(calls)).tolist():
            turns[name].append(_time(calls[name], repeats[name]))
    return {name: Times(np.array(values)) for name, values in turns.items()}


def _time(call, repeats=1):
    """Mean seconds a call."""
    if hasattr(call, "turn"):
        return call.turn(repeats)
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats
