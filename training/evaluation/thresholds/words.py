"""Chosen thresholds as text, for people."""

from leaf_files.command_line import a_few
from training.decisions.alarms import hours_needed
from training.decisions.intervals import rate_interval
from training.evaluation.thresholds.choosing import (
    ALARMS,
    KEEP,
    PRECISION,
    RECALL,
    TEST,
    VALIDATION,
    counted_alarms,
)

_MOST_NAMED = 20  # labels in a line


def in_words(found):
    """Lines on the thresholds of a head.

    Args:
        found: `HeadChoices`.

    Yields:
        A line without its end.

    >>> from leaf_files.decisions import Decisions
    >>> from leaf_files.run_folder import Head
    >>> from training.evaluation.clips import ClipPredictions
    >>> from training.evaluation.thresholds.choosing import Target, choose
    >>> logits = np.log(np.tile([[0.9, 0.1], [0.6, 0.4]], (10, 1)))
    >>> clips = ClipPredictions(logits, np.tile([0, 1], 10))
    >>> head, splits = Head("drums", "drums", ("kick", "snare")), ("validation", "test")
    >>> target = Target(PRECISION, 1.0)
    >>> found = choose(head, Decisions(), target, dict.fromkeys(splits, clips))
    >>> print(*in_words(found), sep="\\n")
    drums: thresholds for a precision of 100 %, chosen on 20 validation clips
             threshold  precision                missed  ...
      kick      0.7500  100.0 % (69.2 to 100.0)  0.0 % (0.0 to 30.8)  ...
      snare       none  undefined                100.0 % (69.2 to 100.0)  ...
      snare keeps none of its own: no threshold has it: 0.0 % is the most
      all test clips: 10 of 20 decided on, 100.0 % (69.2 to 100.0) right; before 20, ...
    """
    n_clips = next(iter(found.scores[VALIDATION].values()), None)
    n_clips = 0 if n_clips is None else len(n_clips.scores)
    what = "one threshold" if found.target.together else "thresholds"
    if found.target.name == KEEP:
        what = "none of these below a threshold,"
    clips = f"{n_clips} validation clips"
    if found.negatives is not None:
        clips = f"{found.negatives.hours:.3g} h without any label"
    yield f"{found.head.name}: {what} for {found.target}, chosen on {clips}"
    yield from (f"  {line}" for line in columns(list(_table(found))))
    yield from (f"  {line}" for line in _kept(found))
    if found.negatives is not None:
        yield from (f"  {line}" for line in too_short(found))
    for_others = found.after.none_below
    if for_others and any(choice.threshold is None for choice in found.choices):
        yield (
            f"  labels without a threshold of their own go by `none_below`, "
            f"{number_in_words(for_others)}"
        )
    yield f"  {_overall(found)}"


def columns(rows):
    """Rows of cells as lines: the second column flush right, the others flush left.

    >>> print(*columns([["", "n"], ["a", "12"]]), sep="\\n")
        n
    a  12
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [
            cell.rjust(width) if place == 1 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths))
        ]
        yield "  ".join(cells).rstrip()


def share_in_words(point, name):
    """A share of a `Point` in percent, with its exact interval.

    >>> from training.decisions.points import Point
    >>> share_in_words(Point(0.8, 10, 9, 12, 50), "precision")
    '90.0 % (55.5 to 99.7)'
    """
    value = getattr(point, name)
    if value is None:
        return "undefined"
    low, high = point.interval(name)
    return f"{100 * value:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def level_in_words(choice):
    """The threshold of a `Choice`.

    >>> from training.evaluation.thresholds.choosing import Choice
    >>> level_in_words(Choice("dog", None, "", {}))
    'none needed'
    """
    if choice.threshold is None:
        return "none needed" if choice.is_new else "none"
    return number_in_words(choice.threshold)


def number_in_words(threshold):
    """A probability, to as many digits as tell it from 1.

    >>> number_in_words(0.75), number_in_words(0.999963)
    ('0.7500', '0.999963')
    """
    return f"{threshold:.4f}" if threshold < 0.999 else f"{threshold:.6f}"


def alarms_in_words(alarms):
    """False alarms an hour, with the exact interval; "-" for None.

    >>> from training.decisions.alarms import Alarms
    >>> alarms_in_words(Alarms(2, 4.0))
    '0.5 (0.0606 to 1.81)'
    """
    if alarms is None:
        return "-"
    low, high = alarms.interval
    return f"{alarms.per_hour:.3g} ({low:.3g} to {high:.3g})"


def too_short(found):
    """Lines on negatives that are too short to show what is wanted; [] if not.

    Args:
        found: `HeadChoices` with `negatives`.

    >>> from types import SimpleNamespace as Some
    >>> found = Some(target=Some(value=0.5), negatives=Some(hours=2.0))
    >>> print(*too_short(found))
    2 h are too short to show 0.5 false alarms an hour: none at all in them could still
    be up to 1.84 an hour (95 %); 7.38 h are needed at least
    """
    hours, per_hour = found.negatives.hours, found.target.value
    needed = hours_needed(per_hour)
    if hours >= needed:
        return []
    _, most = rate_interval(0, hours)
    return [
        f"{hours:.3g} h are too short to show {counted_alarms(per_hour)}: none at all "
        f"in them could still be up to {most:.3g} an hour (95 %); {needed:.3g} h are "
        "needed at least"
    ]


def _table(found):
    """Yields rows: the titles, and the thresholds."""
    shares = _SHARES[found.target.name]
    of_test = [f"{title}, test" for title, _ in shares]
    of_alarms = ["false alarms an hour"] if found.target.name == ALARMS else []
    yield ["", "threshold", *of_alarms, *(title for title, _ in shares), *of_test]
    for choice in found.choices:
        cells = [
            share_in_words(choice.points[split], name)
            for split in (VALIDATION, TEST)
            for _, name in shares
        ]
        if of_alarms:
            cells.insert(0, alarms_in_words(choice.alarms))
        yield [choice.label, level_in_words(choice), *cells]


_SHARES = {
    PRECISION: (("precision", "precision"), ("missed", "missed")),
    RECALL: (("recall", "recall"), ("precision", "precision")),
    KEEP: (("kept", "recall"),),
    ALARMS: (("missed", "missed"),),
}


def _kept(found):
    """Yields a line for each reason for which labels are as they were."""
    labels_of: dict[tuple[str, str], list[str]] = {}
    for choice in found.choices:
        if not choice.is_new:
            own = "none of its own"
            if choice.threshold is not None:
                own = f"its {number_in_words(choice.threshold)}"
            labels_of.setdefault((own, choice.note), []).append(choice.label)
    for (own, note), labels in labels_of.items():
        whose = "keep" if len(labels) > 1 else "keeps"
        if len(labels) > 1:
            own = own.replace("its ", "their ")
        yield f"{a_few(labels, _MOST_NAMED)} {whose} {own}: {note}"


def _overall(found):
    """A line on all test clips, with these thresholds and without."""
    after, before = found.overall(TEST), found.overall(TEST, found.before)
    n_clips = after.n // max(1, len(found.scores[TEST]))
    of = f"{after.n_decided} of {n_clips} decided on"
    if found.head.multi_label:
        of = f"{after.n_decided} labels decided on"
    return (
        f"all test clips: {of}, {share_in_words(after, 'precision')} right; before "
        f"{before.n_decided}, {share_in_words(before, 'precision')}"
    )
