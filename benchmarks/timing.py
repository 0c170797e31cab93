"""Interleaved timing: contestants take turns, medians are compared."""

import dataclasses
import time

import numpy as np


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds a call of one contestant.

    Attributes:
        seconds: (rounds,).
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

    So each follows the others alike: some of them leave cold caches behind.

    Args:
        calls: {name: function of no argument that returns when its work is done}.
        seconds_each: Time to spend on each, warm-up aside.
        min_rounds, max_rounds: Limits of the number of calls of each.
        report: Function of (name, call number), for progress.

    Returns:
        {name: Times}.
    """
    for name, call in calls.items():
        for number in (1, 2):
            if report:
                report(name, number)
            call()
    seconds = {name: [] for name in calls}
    random = np.random.default_rng(0)
    deadline = time.perf_counter() + seconds_each * len(calls)
    for number in range(max_rounds):
        if number >= min_rounds and time.perf_counter() > deadline:
            break
        for name in random.permutation(list(calls)).tolist():
            started = time.perf_counter()
            calls[name]()
            seconds[name].append(time.perf_counter() - started)
    return {name: Times(np.array(values)) for name, values in seconds.items()}
