"""False alarms of each label at many thresholds, in recordings without any label."""

import dataclasses
import functools

import numpy as np
from scipy import special

from leaf_files.event_settings import EventSettings
from leaf_files.events import EventFinder
from leaf_files.run_folder import SIGMOID
from training.decisions.intervals import CONFIDENCE, rate_interval
from training.decisions.targets import CannotTell

# Even in log odds, from 0.18 to 0.999999: below, whatever is likeliest would do.
LEVELS = np.round(special.expit(np.arange(-1.5, 13.9, 0.125)), 6)


@dataclasses.dataclass(frozen=True)
class Alarms:
    """The number of false alarms in so many hours.

    Attributes:
        n: Number of events.
        hours: Length of the recordings.

    >>> alarms = Alarms(2, 4.0)
    >>> alarms.per_hour, tuple(round(end, 2) for end in alarms.interval)
    (0.5, (0.06, 1.81))
    """

    n: int
    hours: float

    @property
    def per_hour(self):
        """False alarms an hour."""
        return self.n / self.hours

    @property
    def interval(self):
        """The exact interval of false alarms an hour, of Poisson counts."""
        return rate_interval(self.n, self.hours)


@dataclasses.dataclass(frozen=True)
class AlarmCounts:
    """False alarms by label and by threshold.

    Attributes:
        counts: {label: (levels,), number of events at each of `LEVELS`}.
        hours: Length of the recordings.

    >>> counts = AlarmCounts({"dog": np.where(LEVELS < 0.9, 12, 0)}, hours=6.0)
    >>> level, alarms = counts.at_most("dog", 1.0)
    >>> level, alarms.n
    (0.904651, 0)
    """

    counts: dict[str, np.ndarray]
    hours: float

    def together(self, name):
        """The sums over all labels, as if they were one.

        Args:
            name: Its label.
        """
        total = np.sum([*self.counts.values()], axis=0)
        return AlarmCounts({name: total}, self.hours)

    def at_most(self, label, per_hour):
        """The lowest threshold from which on there are no more than so many an hour.

        Args:
            label: The label.
            per_hour: Most false alarms an hour, above 0.

        Returns:
            (threshold, `Alarms` at it).

        Raises:
            CannotTell: At the highest one there are still more.
        """
        counts = self.counts[label]
        too_many = np.flatnonzero(counts > per_hour * self.hours)
        at = too_many[-1] + 1 if len(too_many) else 0
        if at == len(LEVELS):
            most = Alarms(int(counts[-1]), self.hours)
            raise CannotTell(
                f"no threshold has it: at {LEVELS[-1]:g} there are still "
                f"{most.per_hour:.3g} an hour"
            )
        return float(LEVELS[at]), Alarms(int(counts[at]), self.hours)


def hours_needed(per_hour, confidence=CONFIDENCE):
    """Hours of recordings that are needed to show so few false alarms an hour.

    In fewer, not even a count of 0 does: the upper end of its interval is higher.

    Args:
        per_hour: False alarms an hour, above 0.
        confidence: See `rate_interval`.

    >>> round(hours_needed(0.5), 2)  # 3.69 / 0.5
    7.38
    """
    return float(special.gammainccinv(1, (1 - confidence) / 2) / per_hour)


class AlarmCounter:
    """Counts the events of the labels of a head at all of `LEVELS`, window by window.

    They are the events that `export detect` finds at each threshold: the release and
    so the cuts between events go with the threshold.

    Args:
        head: `Head`.
        decisions: Its `Decisions`, for the temperature and the background.
        window_samples: Length of a window.
        sample_rate: The model's, Hz.
        settings: `EventSettings`.

    >>> from leaf_files.decisions import Decisions
    >>> from leaf_files.run_folder import Head
    >>> head = Head("drums", "drums", ("kick", "noise"))
    >>> decisions = Decisions(background=("noise",))
    >>> counter = AlarmCounter(head, decisions, 100, 100, EventSettings(overlap=0.5))
    >>> for kick in (0.1, 0.8, 0.1, 0.6, 0.1):
    ...     counter.hear(np.array([[kick, 1 - kick]]))
    >>> counter.end(n_samples=300)
    >>> counts = counter.counts(hours=3 / 3600).counts["kick"]
    >>> [int(counts[np.searchsorted(LEVELS, level)]) for level in (0.55, 0.7, 0.9)]
    [2, 1, 0]
    """

    def __init__(self, head, decisions, window_samples, sample_rate, settings=None):
        settings = settings or EventSettings()
        self._head, self._decisions = head, decisions
        self.grid = settings.grid(window_samples)
        able = [label not in decisions.background for label in head.labels]
        self._labels = [label for label, is_able in zip(head.labels, able) if is_able]
        # Each label at each level is one to the finder; those of the background are
        # there to be the likeliest, and are never events.
        places = np.flatnonzero(able)
        others = np.flatnonzero(np.logical_not(able))
        self._places = np.concatenate([np.repeat(places, len(LEVELS)), others])
        levels = np.concatenate(
            [np.tile(LEVELS, len(places)), np.full(len(others), np.inf)]
        )
        rules = settings.rules_at(
            levels, self.grid, sample_rate, head.activation != SIGMOID
        )
        self._make = functools.partial(EventFinder, self.grid, rules)
        self._finder = self._make()
        self._counts = np.zeros(len(levels), int)

    def hear(self, probabilities):
        """Takes the next windows of a recording.

        Args:
            probabilities: (windows, classes), those of the model, not calibrated.
        """
        scores = self._decisions.calibrated(probabilities, self._head.activation)
        for row in scores[:, self._places]:
            self._count(self._finder.hear(row))

    def end(self, n_samples):
        """Ends a recording; the next window is of another one.

        Args:
            n_samples: Its length, at the model's rate.
        """
        self._count(self._finder.end(n_samples))
        self._finder = self._make()

    def counts(self, hours):
        """The `AlarmCounts` of all recordings.

        Args:
            hours: Their length.
        """
        n_able = len(self._labels) * len(LEVELS)
        counts = self._counts[:n_able].reshape(len(self._labels), len(LEVELS))
        return AlarmCounts(dict(zip(self._labels, counts.copy())), hours)

    def _count(self, events):
        for event in events:
            self._counts[event.label] += 1
