"""Scores of detected events, as text."""

from collections.abc import Iterator, Mapping
from typing import Any

from leaf_files.command_line import counted
from leaf_files.tables import aligned_table

_MINUTES = 60


def in_words(scores: Mapping[str, Any]) -> Iterator[str]:
    """Lines on the scores of `training.evaluation.events.judging.judge`.

    >>> from training.evaluation.events.judging import judge
    >>> from training.evaluation.events.matching import Event
    >>> from training.evaluation.events.tables import Recording
    >>> dog = Event(1, 2, "dog", 0.9)
    >>> print(*in_words(judge([Recording(1800.0, [dog], [dog])])), sep="\\n")
    1 recording, 30.0 min; 1 event in the reference, 1 detected
    ...
    """
    yield (
        f"{counted(scores['n_recordings'], 'recording')}, {_length(scores['hours'])}; "
        f"{counted(scores['n_reference'], 'event')} in the reference, "
        f"{scores['n_detected']} detected"
    )
    collar, share = scores["collar_seconds"], scores["end_share"]
    yield ""
    titles = ["", "F1", "", "macro F1", "precision", "recall", "error rate"]
    titles += ["other label", "missed", "invented"]
    starts = f"events, starts within {collar:g} s"
    rows = [
        _row(f"{starts}, ends within {collar:g} s or {share:.0%}", scores["events"]),
        _row(starts, scores["starts"]),
        _row(f"segments of {scores['segment_seconds']:g} s", scores["segments"]),
    ]
    yield from aligned_table(titles, rows)
    yield ""
    error = scores["starts"].get("median_start_error_seconds")
    if error is not None:
        yield f"starts of the right events differ by {error:.3f} s, the median"
    yield from _alarms(scores["alarms"], collar)
    yield ""
    yield from _table(scores["labels"])


def _row(what, of):
    return [
        what,
        _score(of["f1"]),
        _interval(of["f1_interval"]).strip(),
        *(_score(of[name]) for name in ("macro_f1", "precision", "recall")),
        _score(of["error_rate"]),
        *(str(of[f"n_{name}"]) for name in ("substituted", "deleted", "inserted")),
    ]


def _alarms(alarms, collar):
    rate = alarms["false_alarms_per_hour"]
    if rate is not None:
        interval = _interval(alarms["false_alarms_per_hour_interval"], "{:.3g}")
        yield (
            f"false alarms, which touch no event of their label: {rate:.3g} an hour"
            f"{interval}, {alarms['n_false_alarms']} in all"
        )
    quiet = alarms["without_events"]
    if quiet["false_alarms_per_hour"] is not None:
        interval = _interval(quiet["false_alarms_per_hour_interval"], "{:.3g}")
        yield (
            f"in the {counted(quiet['n_recordings'], 'recording')} without events, "
            f"{_length(quiet['hours'])}: {quiet['false_alarms_per_hour']:.3g} an hour"
            f"{interval}"
        )
    if alarms["missed_share"] is not None:
        yield (
            f"missed events, which no detection of their label touches within "
            f"{collar:g} s: {alarms['missed_share']:.1%}"
            f"{_interval(alarms['missed_share_interval'], '{:.1%}')}, "
            f"{alarms['n_missed']} in all"
        )
    for at in alarms["at"]:
        if at["threshold"] is not None and at["missed_share"] is not None:
            yield (
                f"at {at['most_false_alarms_per_hour']:g} false alarms an hour at most "
                f"{at['missed_share']:.1%} are missed, from a score of "
                f"{at['threshold']:.4g} on"
            )


def _table(labels):
    titles = ["label", "events", "detected", "F1", "F1 of starts", "F1 of segments"]
    titles += ["false alarms an hour", "missed"]
    rows = [
        [
            label,
            str(of["events"]["n_reference"]),
            str(of["events"]["n_detected"]),
            _score(of["events"]["f1"]),
            _score(of["starts"]["f1"]),
            _score(of["segments"]["f1"]),
            _score(of["alarms"]["false_alarms_per_hour"], "{:.3g}"),
            _score(of["alarms"]["missed_share"], "{:.1%}"),
        ]
        for label, of in labels.items()
    ]
    if rows:
        yield from aligned_table(titles, rows)


def _score(value, form="{:.3f}"):
    return "-" if value is None else form.format(value)


def _interval(interval, form="{:.3f}"):
    if interval is None:
        return ""
    return f" ({' to '.join(map(form.format, interval))})"


def _length(hours):
    return f"{hours:.2f} h" if hours >= 1 else f"{hours * _MINUTES:.1f} min"
