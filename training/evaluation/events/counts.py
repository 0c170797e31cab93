"""Events of recordings counted: right, missed, invented, by event and by segment."""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from training.evaluation.events.matching import COLLAR, SHARE, Event, matched

SEGMENT = 1.0  # seconds
_ROUNDING = 1e-6  # of a segment: an end at 2.0000000001 s is one at 2 s


@dataclasses.dataclass
class Counts:
    """Counts of events, or of segments in which a label is active.

    Attributes:
        n_right: Those of both.
        n_reference, n_detected: Those of the reference, and those that are detected.

    >>> counts = Counts(n_right=3, n_reference=4, n_detected=6)
    >>> counts.precision, counts.recall, counts.f1
    (0.5, 0.75, 0.6)
    """

    n_right: int = 0
    n_reference: int = 0
    n_detected: int = 0

    @property
    def precision(self) -> float | None:
        """Share of what is detected that is right; None of nothing."""
        return self.n_right / self.n_detected if self.n_detected else None

    @property
    def recall(self) -> float | None:
        """Share of the reference that is detected; None of nothing."""
        return self.n_right / self.n_reference if self.n_reference else None

    @property
    def f1(self) -> float | None:
        """2 n_right / (n_reference + n_detected); None where both are 0."""
        n = self.n_reference + self.n_detected
        return 2 * self.n_right / n if n else None

    def add(self, n_right: int, n_reference: int, n_detected: int) -> None:
        """Adds counts of more events."""
        self.n_right += n_right
        self.n_reference += n_reference
        self.n_detected += n_detected


@dataclasses.dataclass
class Tally:
    """Counts of all labels, and errors of all together.

    Attributes:
        labels: {label: `Counts`}.
        n_substituted: Events, or active segments, of a wrong label.
        n_deleted: Those that were detected under no label.
        n_inserted: Those that were detected where there was none.
        start_errors: How far starts of right events differ from the reference's,
            seconds, each.

    >>> tally = Tally()
    >>> tally.labels["dog"].add(3, 4, 6)
    >>> tally.labels["cat"].add(1, 1, 1)
    >>> tally.total.f1, tally.macro_f1
    (0.6666666666666666, 0.8)
    """

    labels: dict[str, Counts] = dataclasses.field(
        default_factory=lambda: defaultdict(Counts)
    )
    n_substituted: int = 0
    n_deleted: int = 0
    n_inserted: int = 0
    start_errors: list[float] = dataclasses.field(default_factory=list)

    @property
    def total(self) -> Counts:
        """`Counts` of all labels together; its F1 is the micro-average."""
        return Counts(
            *(
                sum(getattr(counts, field.name) for counts in self.labels.values())
                for field in dataclasses.fields(Counts)
            )
        )

    @property
    def macro_f1(self) -> float | None:
        """Mean F1 of the labels that the reference has; None if it has none."""
        scores = [c.f1 or 0.0 for c in self.labels.values() if c.n_reference]
        return sum(scores) / len(scores) if scores else None

    @property
    def error_rate(self) -> float | None:
        """(substituted + deleted + inserted) / reference; None of an empty one."""
        n = self.total.n_reference
        errors = self.n_substituted + self.n_deleted + self.n_inserted
        return errors / n if n else None


def count_events(
    recordings: Sequence[tuple[Sequence[Event], Sequence[Event]]],
    collar: float = COLLAR,
    share: float = SHARE,
    ends: bool = True,
) -> Tally:
    """The `Tally` of events, matched by `matched`.

    A substitution is a pair of events that are left over and differ in their label
    alone; as many are counted as there can be, where `sed_eval` takes the first ones.

    Args:
        recordings: (reference, detected) of each recording, `Event`s.
        collar, share, ends: See `matched`.

    >>> reference = [Event(0.0, 1.0, "dog"), Event(2.0, 3.0, "dog")]
    >>> detected = [Event(0.1, 1.0, "dog"), Event(2.1, 3.0, "cat")]
    >>> tally = count_events([(reference, detected)])
    >>> tally.total, tally.n_substituted
    (Counts(n_right=1, n_reference=2, n_detected=2), 1)
    """
    tally = Tally()
    for reference, detected in recordings:
        pairs = matched(reference, detected, collar, share, ends)
        for event in reference:
            tally.labels[event.label].n_reference += 1
        for event in detected:
            tally.labels[event.label].n_detected += 1
        for i, j in pairs:
            tally.labels[reference[i].label].n_right += 1
            tally.start_errors.append(abs(reference[i].start - detected[j].start))
        missed = _without(reference, {i for i, _ in pairs})
        invented = _without(detected, {j for _, j in pairs})
        n = len(matched(missed, invented, collar, share, ends, labels=False))
        tally.n_substituted += n
        tally.n_deleted += len(missed) - n
        tally.n_inserted += len(invented) - n
    return tally


def count_segments(
    recordings: Sequence[tuple[Sequence[Event], Sequence[Event]]],
    segment: float = SEGMENT,
) -> Tally:
    """The `Tally` of segments in which labels are active.

    A recording is cut into segments from its start on; a label is active in all that
    one of its events touches. In each segment min(missed, invented) labels are
    substituted, and the others deleted or inserted.

    Args:
        recordings: (reference, detected) of each recording, `Event`s.
        segment: Length of the segments, seconds.

    Source: As of `matched`, Sec. 3.1.

    >>> reference, detected = [Event(0.5, 2.5, "dog")], [Event(1.5, 3.5, "dog")]
    >>> tally = count_segments([(reference, detected)])
    >>> tally.total, tally.n_deleted, tally.n_inserted
    (Counts(n_right=2, n_reference=3, n_detected=3), 1, 1)
    """
    tally = Tally()
    for reference, detected in recordings:
        rolls = [_active(events, segment) for events in (reference, detected)]
        n_segments = 1 + max(
            (n for roll in rolls for of in roll.values() for n in of), default=-1
        )
        missed, invented = np.zeros((2, n_segments), int)
        for label in dict.fromkeys([*rolls[0], *rolls[1]]):
            of_reference, of_detected = (roll.get(label, set()) for roll in rolls)
            tally.labels[label].add(
                len(of_reference & of_detected), len(of_reference), len(of_detected)
            )
            missed[list(of_reference - of_detected)] += 1
            invented[list(of_detected - of_reference)] += 1
        substituted = np.minimum(missed, invented)
        tally.n_substituted += int(substituted.sum())
        tally.n_deleted += int((missed - substituted).sum())
        tally.n_inserted += int((invented - substituted).sum())
    return tally


def _without(events, numbers):
    return [event for n, event in enumerate(events) if n not in numbers]


def _active(events, segment) -> Mapping[str, set]:
    """{label: numbers of the segments in which it is active}."""
    active: dict[str, set] = defaultdict(set)
    for event in events:
        first = int(np.floor(event.start / segment + _ROUNDING))
        last = int(np.ceil(event.end / segment - _ROUNDING))
        active[event.label].update(range(max(0, first), last))
    return active
