"""Events, with a beginning and an end, from the scores of overlapping windows."""

import collections
import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from leaf_files.windowing import Grid


@dataclasses.dataclass(frozen=True)
class Event:
    """A stretch of a recording in which a label was found.

    Attributes:
        start, end: Samples at the model's rate, the last one excluded.
        label: Index of the label.
        score: The highest of its smoothed scores.

    Example:

    >>> Event(start=2000, end=6000, label=1, score=0.9).end
    6000
    """

    start: int
    end: int
    label: int
    score: float


@dataclasses.dataclass(frozen=True)
class Rules:
    """How scores become events.

    Attributes:
        levels: (labels,), the score from which each label is an event; infinite for
            labels that never are.
        releases: (labels,), at most `levels`: an event reaches, to both sides, as far
            as its score is at least that.
        smoothing: Number of windows, odd, over which scores are averaged; 1 for none.
        merge_samples: Events of a label that are so near each other are one.
        least_samples: Events that are shorter are none.
        lead_samples: An event begins so much after the middle of the window that first
            gives its label: a window gives it as soon as its end holds enough of it.
        tail_samples: An event ends so much before the middle of the window that last
            gives its label.
        one_label: Whether an event's label must be the likeliest of all somewhere in
            it, as where exactly one label is right; of equally likely ones each is.

    Example:

    >>> Rules(levels=np.array([0.5]), releases=np.array([0.3])).smoothing
    1
    """

    levels: np.ndarray
    releases: np.ndarray
    smoothing: int = 1
    merge_samples: int = 0
    least_samples: int = 0
    lead_samples: int = 0
    tail_samples: int = 0
    one_label: bool = False


class EventFinder:
    """Finds events in the scores of windows, window by window.

    An event is a stretch of windows whose scores are all at least the release of a
    label, and at least its level somewhere. Its edges lie where a line through the
    scores at the middles of the windows crosses the release, later by the lead and
    sooner by the tail; where the first or the last window of a recording is in it, at
    the start or the end of the recording.

    Memory doesn't grow with the recording. Times are whole samples, counted.

    Args:
        grid: Places of the windows.
        rules: `Rules`.

    Example:

    >>> rules = Rules(levels=np.array([0.6]), releases=np.array([0.4]))
    >>> finder = EventFinder(Grid(window_samples=100, hop_samples=50), rules)
    >>> [event for score in (0, 0.8, 0.8, 0) for event in finder.hear([score])]
    [Event(start=75, end=175, label=0, score=0.8)]
    >>> finder.end(n_samples=250)
    []
    """

    def __init__(self, grid: Grid, rules: Rules):
        self._grid, self._rules = grid, rules
        self._smoother = Smoother(rules.smoothing)
        self._n_windows = 0
        self._previous: np.ndarray = np.zeros(rules.levels.size)
        self._growing: dict[int, _Stretch] = {}
        # Events that a later one may still be merged with.
        self._waiting: dict[int, Event] = {}

    def hear(self, scores: Sequence[float] | np.ndarray) -> list[Event]:
        """The events that are complete after the next window.

        Args:
            scores: (labels,); what is not a number counts as 0.
        """
        scores = np.nan_to_num(np.asarray(scores, np.float64), nan=0.0)
        return [e for row in self._smoother.hear(scores) for e in self._take(row)]

    def end(self, n_samples: int) -> list[Event]:
        """The events that the end of the recording completes; the last call.

        Args:
            n_samples: Length of the recording.
        """
        found = [e for row in self._smoother.end() for e in self._take(row)]
        for label, stretch in self._growing.items():
            found += self._joined(label, stretch, n_samples)
        for event in self._waiting.values():
            end = min(event.end, n_samples)
            found += self._long_enough(dataclasses.replace(event, end=end))
        return found

    def _take(self, scores):
        """The events that are complete after the next window of smoothed scores."""
        index, rules = self._n_windows, self._rules
        self._n_windows += 1
        reached = scores >= rules.releases
        found = []
        if self._growing or self._waiting or reached.any():
            self._grow(index, scores, np.flatnonzero(reached).tolist())
            for label in [label for label in self._growing if not reached[label]]:
                end = self._crossing(label, index, scores) - rules.tail_samples
                found += self._joined(label, self._growing.pop(label), end)
            found += self._settled(index)
        self._previous = scores
        return found

    def _grow(self, index, scores, labels):
        """Adds a window to the stretches of the labels whose release it reaches."""
        rules, top = self._rules, scores.max()
        for label in labels:
            if label not in self._growing:
                start = 0
                if index:
                    start = self._crossing(label, index, scores) + rules.lead_samples
                self._growing[label] = _Stretch(start)
            stretch, score = self._growing[label], float(scores[label])
            stretch.score = max(stretch.score, score)
            stretch.is_event |= bool(
                score >= rules.levels[label] and (not rules.one_label or score == top)
            )

    def _crossing(self, label, index, scores):
        """The sample at which the release is crossed before a window's middle."""
        before, after = self._previous[label], scores[label]
        share = (self._rules.releases[label] - before) / (after - before)
        grid = self._grid
        return grid.center(index - 1) + round(share * grid.hop_samples)

    def _joined(self, label, stretch, end):
        """The event before a stretch that ends, unless the two are one."""
        if not stretch.is_event:
            return []
        start = stretch.start
        if end < start:  # shorter than lead and tail
            start = end = (start + end) // 2
        event, before = Event(start, end, label, stretch.score), []
        earlier = self._waiting.get(label)
        if earlier and start - earlier.end <= self._rules.merge_samples:
            score = max(earlier.score, event.score)
            event = Event(earlier.start, end, label, score)
        elif earlier:
            before = self._long_enough(earlier)
        self._waiting[label] = event
        return before

    def _settled(self, index):
        """The events that nothing that comes can be merged with."""
        found = []
        for label, event in list(self._waiting.items()):
            stretch = self._growing.get(label)
            next_start = stretch.start if stretch else self._grid.center(index)
            if next_start - event.end > self._rules.merge_samples:
                found += self._long_enough(self._waiting.pop(label))
        return found

    def _long_enough(self, event):
        is_long = event.end - event.start >= self._rules.least_samples
        return [event] if is_long else []


@dataclasses.dataclass
class _Stretch:
    """Windows, one after the other, that reach the release of a label."""

    start: int
    score: float = 0.0
    is_event: bool = False


class Smoother:
    """Averages the scores of each window and its neighbours, half of them to come.

    Args:
        n_windows: Number of windows to average over, odd; at the start and the end of
            a recording those there are.

    Example:

    >>> smoother = Smoother(3)
    >>> [row.tolist() for x in (1.0, 0.0, 2.0) for row in smoother.hear(np.array([x]))]
    [[0.5], [1.0]]
    >>> [row.tolist() for row in smoother.end()]
    [[1.0]]
    """

    def __init__(self, n_windows: int):
        self._half = n_windows // 2
        self._recent: collections.deque[np.ndarray] = collections.deque(
            maxlen=n_windows
        )
        self._n_heard = 0

    def hear(self, scores: np.ndarray) -> list[np.ndarray]:
        """The averages that the next window completes: none or one.

        Args:
            scores: (labels,).
        """
        self._recent.append(scores)
        self._n_heard += 1
        return [self._mean()] if self._n_heard > self._half else []

    def end(self) -> Iterable[np.ndarray]:
        """The averages that are left, of the last windows."""
        for left in range(min(self._half, self._n_heard), 0, -1):
            # Around this one there are fewer windows, first after it, then before.
            before = self._n_heard - left - self._half
            while self._n_heard - len(self._recent) < before:
                self._recent.popleft()
            yield self._mean()

    def _mean(self):
        # Added up anew: no rounding adds up over days.
        return np.mean(self._recent, axis=0) if self._half else self._recent[-1]
