"""Judges detected events: all scores of recordings, as JSON has them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from training.decisions.intervals import rate_interval, share_interval
from training.evaluation.events.alarms import (
    error_tradeoff,
    find_alarms,
    missed_at,
)
from training.evaluation.events.counts import (
    SEGMENT,
    Tally,
    count_events,
    count_segments,
)
from training.evaluation.events.matching import COLLAR, SHARE
from training.evaluation.events.tables import Recording
from training.evaluation.intervals import interval, resampled_weights

FALSE_ALARMS = (0.5, 1.0, 10.0)  # an hour, at which missed events are told
_REPLICATES = 1000
_SECONDS = 3600.0


def judge(
    recordings: Sequence[Recording],
    collar: float = COLLAR,
    share: float = SHARE,
    segment: float = SEGMENT,
    false_alarms: Sequence[float] = FALSE_ALARMS,
) -> dict[str, Any]:
    """All scores of detected events.

    Args:
        recordings: `Recording`s, with what is in them and what was detected.
        collar, share: See `training.evaluation.events.matching.matched`.
        segment: Length of segments, seconds.
        false_alarms: Rates an hour at which the share of missed events is given, by
            the threshold that makes no more.

    Returns:
        What `judge --json` prints; None for what is undefined.

    >>> from training.evaluation.events.matching import Event
    >>> recording = Recording(1800.0, [Event(1, 2, "dog")], [Event(1.1, 2.1, "dog")])
    >>> scores = judge([recording])
    >>> scores["events"]["f1"], scores["alarms"]["false_alarms_per_hour"]
    (1.0, 0.0)
    """
    pairs = [(recording.reference, recording.detected) for recording in recordings]
    tallies = {
        "events": [count_events([pair], collar, share) for pair in pairs],
        "starts": [count_events([pair], collar, share, ends=False) for pair in pairs],
        "segments": [count_segments([pair], segment) for pair in pairs],
    }
    totals = {kind: _together(of_kind) for kind, of_kind in tallies.items()}
    labels = sorted(totals["events"].labels)
    hours = sum(recording.seconds for recording in recordings) / _SECONDS
    n_reference, n_detected = (
        sum(len(pair[side]) for pair in pairs) for side in range(2)
    )
    return {
        "n_recordings": len(recordings),
        "hours": hours,
        "n_reference": n_reference,
        "n_detected": n_detected,
        "collar_seconds": collar,
        "end_share": share,
        "segment_seconds": segment,
        **{kind: _scores(totals[kind], tallies[kind]) for kind in tallies},
        "alarms": _alarms(recordings, collar, hours, false_alarms),
        "labels": {
            label: {
                **{kind: _of_label(totals[kind], label) for kind in tallies},
                "alarms": _rates(find_alarms(_only(pairs, label), collar), hours),
            }
            for label in labels
        },
    }


def tradeoff_rows(recordings: Sequence[Recording], collar: float = COLLAR):
    """Rows of the curve of false alarms and missed events, for a table.

    Args:
        recordings: `Recording`s.
        collar: See `training.evaluation.events.alarms.find_alarms`.

    Returns:
        A list of {"threshold", "false_alarms_per_hour", "missed_share"}, from the
        highest threshold on; that of the first is None, above all scores.

    >>> from training.evaluation.events.matching import Event
    >>> events = [Event(1, 2, "dog")], [Event(1.1, 2.1, "dog", 0.9)]
    >>> tradeoff_rows([Recording(1800.0, *events)])[-1]
    {'threshold': 0.9, 'false_alarms_per_hour': 0.0, 'missed_share': 0.0}
    """
    pairs = [(recording.reference, recording.detected) for recording in recordings]
    hours = sum(recording.seconds for recording in recordings) / _SECONDS
    curve = error_tradeoff(find_alarms(pairs, collar), hours)
    return [
        {
            "threshold": _finite(threshold),
            "false_alarms_per_hour": float(rate),
            "missed_share": _finite(missed),
        }
        for threshold, rate, missed in zip(*curve)
    ]


def _together(tallies):
    """The `Tally` of several."""
    total = Tally()
    for tally in tallies:
        for label, counts in tally.labels.items():
            total.labels[label].add(
                counts.n_right, counts.n_reference, counts.n_detected
            )
        total.n_substituted += tally.n_substituted
        total.n_deleted += tally.n_deleted
        total.n_inserted += tally.n_inserted
        total.start_errors += tally.start_errors
    return total


def _scores(total, tallies):
    errors = total.start_errors
    return {
        **_of_counts(total.total),
        "f1_interval": _f1_interval(tallies),
        "macro_f1": total.macro_f1,
        "error_rate": total.error_rate,
        "n_substituted": total.n_substituted,
        "n_deleted": total.n_deleted,
        "n_inserted": total.n_inserted,
        **({"median_start_error_seconds": float(np.median(errors))} if errors else {}),
    }


def _of_label(total, label):
    return _of_counts(total.labels[label])


def _of_counts(counts):
    return {
        "f1": counts.f1,
        "precision": counts.precision,
        "recall": counts.recall,
        "n_right": counts.n_right,
        "n_reference": counts.n_reference,
        "n_detected": counts.n_detected,
    }


def _f1_interval(tallies):
    """The interval of F1 by the bootstrap over recordings; None of fewer than 3."""
    counts = [tally.total for tally in tallies]
    right = np.array([c.n_right for c in counts], float)
    both = np.array([c.n_reference + c.n_detected for c in counts], float)
    n_units = int(np.count_nonzero(both))
    if n_units < 3:
        return None
    with np.errstate(invalid="ignore"):
        replicates = np.concatenate(
            [
                2 * (right @ weights) / (both @ weights)
                for weights in resampled_weights(len(counts), _REPLICATES)
            ]
        )
    return interval(replicates, n_units)


def _alarms(recordings, collar, hours, false_alarms):
    pairs = [(recording.reference, recording.detected) for recording in recordings]
    alarms = find_alarms(pairs, collar)
    quiet = [recording for recording in recordings if not recording.reference]
    quiet_hours = sum(recording.seconds for recording in quiet) / _SECONDS
    n_quiet = sum(len(recording.detected) for recording in quiet)
    return {
        **_rates(alarms, hours),
        "without_events": {
            "n_recordings": len(quiet),
            "hours": quiet_hours,
            "n_false_alarms": n_quiet,
            "false_alarms_per_hour": n_quiet / quiet_hours if quiet_hours else None,
            "false_alarms_per_hour_interval": (
                rate_interval(n_quiet, quiet_hours) if quiet_hours else None
            ),
        },
        "at": [_at(alarms, hours, most) for most in false_alarms if hours],
    }


def _rates(alarms, hours):
    n, share = len(alarms.found), alarms.missed_share
    n_false = len(alarms.false)
    return {
        "n_false_alarms": n_false,
        "false_alarms_per_hour": n_false / hours if hours else None,
        "false_alarms_per_hour_interval": (
            rate_interval(n_false, hours) if hours else None
        ),
        "n_missed": int(np.isneginf(alarms.found).sum()),
        "missed_share": share,
        "missed_share_interval": share_interval(share, n) if n else None,
    }


def _at(alarms, hours, most):
    found = missed_at(alarms, hours, most)
    threshold, rate, missed = found or (None, None, None)
    return {
        "most_false_alarms_per_hour": most,
        "threshold": _finite(threshold),
        "false_alarms_per_hour": rate,
        "missed_share": _finite(missed),
    }


def _only(pairs, label):
    return [
        tuple([event for event in events if event.label == label] for events in pair)
        for pair in pairs
    ]


def _finite(value):
    return float(value) if value is not None and math.isfinite(value) else None
