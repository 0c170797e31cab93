"""Detected events matched with those of a reference, one to one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

COLLAR = 0.2  # seconds
SHARE = 0.2  # of the length of an event of the reference, for its end
_ROUNDING = 1e-9  # seconds: 0.9 - 0.7 is more than 0.2 to a computer


class Event(NamedTuple):
    """An event of a recording.

    Attributes:
        start, end: Seconds from the start of the recording.
        label: Its label.
        score: Score of a detection, higher for one that is surer; NaN where none is
            known, as of a reference.

    >>> Event(0.5, 1.5, "dog").label
    'dog'
    """

    start: float
    end: float
    label: str
    score: float = float("nan")


def matched(
    reference: Sequence[Event],
    detected: Sequence[Event],
    collar: float = COLLAR,
    share: float = SHARE,
    ends: bool = True,
    labels: bool = True,
) -> list[tuple[int, int]]:
    """The pairs of events of a recording that are the same, as many as there can be.

    A detection is an event of the reference if their labels are equal, their starts
    differ by the collar at most, and their ends by the collar or by a share of the
    length of the event of the reference, whichever is more. Each is in one pair at
    most. Of all ways to make the most pairs, it is one whose starts differ least.

    Args:
        reference, detected: `Event`s of one recording, in any order.
        collar: Most seconds.
        share: Share of the length.
        ends: Whether ends are compared.
        labels: Whether labels are compared.

    Returns:
        Pairs (number in `reference`, number in `detected`), sorted.

    Source: A. Mesaros, T. Heittola, T. Virtanen, Metrics for Polyphonic Sound Event
        Detection, Applied Sciences 6(6):162, 2016, Sec. 3.2; `sed_eval` matches so.

    >>> reference = [Event(1.0, 2.0, "dog"), Event(1.3, 2.3, "dog")]
    >>> matched(reference, [Event(1.15, 2.1, "dog"), Event(0.9, 1.9, "dog")])
    [(0, 1), (1, 0)]
    """
    # Imported here: commands that judge nothing need not wait for it.
    from scipy.optimize import linear_sum_assignment

    edges = _edges(reference, detected, collar, share, ends, labels)
    pairs = []
    for rows, columns, costs in _components(edges, len(reference), len(detected)):
        (of_row, row), (of_column, column) = (
            np.unique(side, return_inverse=True) for side in (rows, columns)
        )
        # More than all starts of a component together: first the most pairs.
        most = 1.0 + costs.sum()
        gains = np.zeros((len(of_row), len(of_column)))
        gains[row, column] = most - costs
        chosen = zip(*linear_sum_assignment(gains, maximize=True))
        pairs += [
            (int(of_row[i]), int(of_column[j])) for i, j in chosen if gains[i, j] > 0
        ]
    return sorted(pairs)


def _edges(reference, detected, collar, share, ends, labels):
    """(n, 3): number in reference, in detected, and how far their starts differ."""
    order = np.argsort([event.start for event in detected], kind="stable")
    starts = np.array([detected[j].start for j in order])
    edges = []
    for i, event in enumerate(reference):
        reach = collar + _ROUNDING
        first, last = np.searchsorted(
            starts, [event.start - reach, event.start + reach], ("left")
        )
        most = max(collar, share * (event.end - event.start)) + _ROUNDING
        for j in order[first:last]:
            other = detected[j]
            if labels and other.label != event.label:
                continue
            if ends and abs(other.end - event.end) > most:
                continue
            edges.append((i, j, abs(other.start - event.start)))
    return np.array(edges, float).reshape(-1, 3)


def _components(edges, n_reference, n_detected):
    """(rows, columns, costs) of the edges of each connected part of a graph."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(edges):
        return
    rows, columns = edges[:, 0].astype(int), edges[:, 1].astype(int)
    n = n_reference + n_detected
    graph = coo_array((np.ones(len(edges)), (rows, n_reference + columns)), (n, n))
    part = connected_components(graph, directed=False)[1][rows]
    order = np.argsort(part, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        yield rows[places], columns[places], edges[places, 2]
