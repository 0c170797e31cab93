"""False alarms an hour and missed events, at one threshold and at all of them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.evaluation.events.matching import COLLAR, Event


class Alarms(NamedTuple):
    """What alarms depend on, of all recordings.

    An event of the reference is found if a detection of its label overlaps it, widened
    by the collar on both sides; a detection that overlaps no such event is a false
    alarm. So neither several detections of a long event nor times that are coarse
    are errors here.

    Attributes:
        found: (events of the reference,), the highest score by which each is found,
            -inf where it isn't.
        false: (false alarms,), their scores.

    >>> alarms = Alarms(found=np.array([0.9, -np.inf]), false=np.array([0.4]))
    >>> alarms.missed_share
    0.5
    """

    found: np.ndarray
    false: np.ndarray

    @property
    def missed_share(self) -> float | None:
        """Share of the events that aren't found; None where there are none."""
        return float(np.isneginf(self.found).mean()) if len(self.found) else None


def find_alarms(
    recordings: Sequence[tuple[Sequence[Event], Sequence[Event]]],
    collar: float = COLLAR,
) -> Alarms:
    """The `Alarms` of recordings.

    Args:
        recordings: (reference, detected) of each recording, `Event`s; a detection
            without a score has the highest one.
        collar: Seconds by which events of the reference are widened.

    >>> reference = [Event(1.0, 2.0, "dog"), Event(5.0, 6.0, "dog")]
    >>> detected = [Event(1.5, 2.5, "dog", 0.9), Event(3.0, 4.0, "dog", 0.4)]
    >>> find_alarms([(reference, detected)])
    Alarms(found=array([ 0.9, -inf]), false=array([0.4]))
    """
    found, false = [], []
    for reference, detected in recordings:
        of_label = defaultdict(list)
        for event in reference:
            of_label[event.label].append(event)
        starts = {
            label: np.array([event.start for event in events])
            for label, events in of_label.items()
        }
        ends = {
            label: np.array([event.end for event in events])
            for label, events in of_label.items()
        }
        scores = {label: np.full(len(e), -np.inf) for label, e in of_label.items()}
        for event in detected:
            score = np.inf if np.isnan(event.score) else event.score
            hit = np.zeros(0, bool)
            if event.label in of_label:
                hit = (starts[event.label] - collar <= event.end) & (
                    event.start <= ends[event.label] + collar
                )
                best = scores[event.label]
                best[hit] = np.maximum(best[hit], score)
            if not hit.any():
                false.append(score)
        found += [score for of in scores.values() for score in of]
    return Alarms(np.array(found, float), np.array(false, float))


def error_tradeoff(alarms: Alarms, hours: float):
    """False alarms an hour and the share of missed events at every threshold.

    The thresholds are the scores of the detections: one counts from its score on. A
    detector that is run anew at a higher threshold may cut long events otherwise.

    Args:
        alarms: `Alarms`.
        hours: Length of all recordings, above 0.

    Returns:
        (thresholds, false alarms an hour, missed share), each (n,): thresholds fall,
        from infinity on.

    >>> alarms = Alarms(found=np.array([0.9, 0.3]), false=np.array([0.4]))
    >>> thresholds, per_hour, missed = error_tradeoff(alarms, hours=0.5)
    >>> thresholds.tolist(), per_hour.tolist(), missed.tolist()
    ([inf, 0.9, 0.4, 0.3], [0.0, 0.0, 2.0, 2.0], [1.0, 0.5, 0.5, 0.0])
    """
    scores = np.concatenate([alarms.found, alarms.false])
    finite = np.unique(scores[np.isfinite(scores)])[::-1]
    thresholds = np.concatenate([[np.inf], finite])
    false, found = np.sort(alarms.false), np.sort(alarms.found)
    n_false = len(false) - np.searchsorted(false, thresholds)
    n_missed = np.searchsorted(found, thresholds)
    missed = n_missed / len(found) if len(found) else np.full(len(thresholds), np.nan)
    return thresholds, n_false / hours, missed


def missed_at(alarms: Alarms, hours: float, most_per_hour: float):
    """The fewest missed events at no more than so many false alarms an hour.

    Args:
        alarms, hours: See `error_tradeoff`.
        most_per_hour: Most false alarms an hour.

    Returns:
        (threshold, false alarms an hour, missed share): the lowest threshold with so
        few; None where even detections of the highest score are more.

    >>> alarms = Alarms(found=np.array([0.9, 0.3]), false=np.array([0.4]))
    >>> missed_at(alarms, hours=0.5, most_per_hour=1.0)
    (0.9, 0.0, 0.5)
    """
    thresholds, per_hour, missed = error_tradeoff(alarms, hours)
    [few] = np.nonzero(per_hour <= most_per_hour)
    if not len(few):
        return None
    at = few[-1]
    return float(thresholds[at]), float(per_hour[at]), float(missed[at])
