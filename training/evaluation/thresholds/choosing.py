"""Thresholds of a head from its predictions for validation clips, checked on others."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from leaf_files.decisions import NONE_OF_THESE, Decisions
from leaf_files.run_folder import Head
from training.decisions.alarms import AlarmCounts, Alarms
from training.decisions.points import LabelScores, Point, label_scores, level_of
from training.decisions.targets import (
    CannotTell,
    by_precision,
    by_recall,
    kept_scores,
)

PRECISION, RECALL, KEEP = "precision", "recall", "keep"
ALARMS = "false_alarms_per_hour"
TARGETS = (PRECISION, RECALL, KEEP, ALARMS)
VALIDATION, TEST = "validation", "test"


@dataclasses.dataclass(frozen=True)
class Target:
    """What thresholds are to reach.

    Attributes:
        name: `PRECISION`, `RECALL`, `KEEP` or `ALARMS`.
        value: The least of it, in (0, 1]; of `ALARMS` the most, above 0.
        together: Whether all labels have one threshold, `Decisions.none_below`.

    >>> print(Target(PRECISION, 0.95))
    a precision of 95 %
    """

    name: str
    value: float
    together: bool = False

    def __str__(self):
        if self.name == ALARMS:
            return f"at most {counted_alarms(self.value)}"
        share = f"{100 * self.value:g} %"
        if self.name == KEEP:
            return f"an answer to {share} of the clips"
        return f"a {self.name} of {share}"


def counted_alarms(per_hour):
    """A rate of false alarms.

    >>> counted_alarms(1.0), counted_alarms(0.5)
    ('1 false alarm an hour', '0.5 false alarms an hour')
    """
    return f"{per_hour:.3g} false alarm{'' if per_hour == 1 else 's'} an hour"


@dataclasses.dataclass(frozen=True)
class Choice:
    """The threshold of a label.

    Attributes:
        label: The label; `NONE_OF_THESE` for `Decisions.none_below`.
        threshold: The threshold from now on; None for a label that has none of its own,
            as it needs none, or as none could be chosen.
        note: Why none was chosen, and it is as it was; "" if the target is reached.
        points: {split: `Point` at what counts from now on}.
        alarms: Its `Alarms` in recordings without it; None if it was chosen otherwise.

    >>> Choice("dog", 0.8, "", {}).is_new
    True
    """

    label: str
    threshold: float | None
    note: str
    points: Mapping[str, Point]
    alarms: Alarms | None = None

    @property
    def is_new(self):
        """Whether the threshold was chosen."""
        return not self.note


@dataclasses.dataclass(frozen=True)
class HeadChoices:
    """The thresholds of a head.

    Attributes:
        head: Its `Head`.
        target: `Target`.
        before, after: `Decisions`.
        choices: A tuple of `Choice`.
        scores: {split: {label: `LabelScores`}}.
        negatives: `AlarmCounts` of the head, or None.

    >>> head = Head("drums", "drums", ("kick", "snare"))
    >>> kick = LabelScores(np.array([0.9, 0.4]), np.array([True, False]))
    >>> found = HeadChoices(
    ...     *(head, Target(PRECISION, 1.0), Decisions()),
    ...     *(Decisions(thresholds={"kick": 0.5}), (), {"test": {"kick": kick}}),
    ... )
    >>> found.overall("test").n_decided, found.overall("test", found.before).n_decided
    (1, 2)
    """

    head: Head
    target: Target
    before: Decisions
    after: Decisions
    choices: tuple[Choice, ...]
    scores: Mapping[str, Mapping[str, LabelScores]]
    negatives: AlarmCounts | None = None

    def overall(self, split, decisions=None):
        """The sum of the `Point`s of all labels; its threshold is no number.

        Args:
            split: `VALIDATION` or `TEST`.
            decisions: Those to go by; None for `after`.
        """
        decisions = decisions or self.after
        of_labels = self.scores[split]
        points = [
            each.at(level_of(label, self.head, decisions))
            for label, each in of_labels.items()
        ]
        return Point(
            np.nan,
            sum(point.n_decided for point in points),
            sum(point.n_right for point in points),
            sum(point.n_with for point in points),
            sum(point.n for point in points),
        )


def curves(found):
    """What the thresholds of a head were chosen from, label by label or together.

    Args:
        found: `HeadChoices`.

    Yields:
        (label, `LabelScores` of the validation clips, counts of false alarms by level
        or None).

    >>> kick = LabelScores(np.array([0.9]), np.array([True]))
    >>> head = Head("drums", "drums", ("kick", "snare"))
    >>> scores = {VALIDATION: {"kick": kick, "snare": kick}}
    >>> target = Target(PRECISION, 0.9, together=True)
    >>> found = HeadChoices(head, target, Decisions(), Decisions(), (), scores)
    >>> [(label, scores.scores.size, counts) for label, scores, counts in curves(found)]
    [('(none of these)', 2, None)]
    """
    scores, negatives = found.scores[VALIDATION], found.negatives
    if found.target.together:
        scores = {NONE_OF_THESE: LabelScores.together([*scores.values()])}
        negatives = negatives and negatives.together(NONE_OF_THESE)
    for label, of_label in scores.items():
        yield label, of_label, negatives and negatives.counts[label]


def choose(head, decisions, target, predictions, negatives=None):
    """The thresholds of a head that reach a target on its validation clips.

    Args:
        head: `Head`.
        decisions: Its `Decisions` so far: temperature and background stay, and so does
            the threshold of a label for which none can be chosen.
        target: `Target`.
        predictions: {split: predictions}, of `VALIDATION` and `TEST`.
        negatives: `AlarmCounts` of the head, for `ALARMS`.

    Returns:
        `HeadChoices`.

    >>> from training.evaluation.clips import ClipPredictions
    >>> head = Head("drums", "drums", ("kick", "snare"))
    >>> logits = np.log(np.tile([[0.9, 0.1], [0.6, 0.4]], (10, 1)))
    >>> clips = ClipPredictions(logits, np.tile([0, 1], 10))
    >>> found = choose(
    ...     *(head, Decisions(), Target(PRECISION, 1.0)),
    ...     {"validation": clips, "test": clips},
    ... )
    >>> dict(found.after.thresholds), found.choices[1].note
    ({'kick': 0.75}, 'no threshold has it: 0.0 % is the most')
    """
    scores = {
        split: label_scores(of_split, head, decisions)
        for split, of_split in predictions.items()
    }
    if target.name == KEEP:
        choices, after = _keeping(head, decisions, target, scores)
    elif target.together:
        choices, after = _together(head, decisions, target, scores, negatives)
    else:
        choices, after = _each(head, decisions, target, scores, negatives)
    return HeadChoices(
        head, target, decisions, after, tuple(choices), scores, negatives
    )


def _each(head, before, target, scores, negatives):
    """A threshold for each label, in place of one that was chosen for all of them."""
    thresholds = dict(before.thresholds)
    chosen_by = dict(_entry(before, "thresholds"))
    notes, alarms = {}, {}
    for label, of_label in scores[VALIDATION].items():
        try:
            point, alarms[label] = _reaching(label, of_label, target, negatives)
        except CannotTell as error:
            notes[label] = str(error)
            continue
        thresholds[label] = point.threshold
        if not point.threshold:  # it needs none
            del thresholds[label]
        chosen_by[label] = _chosen_by(target, point, alarms[label])
    after = before
    if alarms:
        after = _without_one_for_all(before)
        after = dataclasses.replace(
            after,
            thresholds=thresholds,
            chosen_by=_with(after.chosen_by, thresholds=chosen_by),
        )
    choices = []
    for label in scores[VALIDATION]:
        level = level_of(label, head, after)
        choices.append(
            Choice(
                label,
                after.thresholds.get(label),
                notes.get(label, ""),
                {split: of_all[label].at(level) for split, of_all in scores.items()},
                alarms.get(label),
            )
        )
    return choices, after


def _without_one_for_all(decisions):
    """The same without `none_below`, unless that is for the unknown."""
    target = _entry(decisions, "none_below").get("target")
    if target in (None, KEEP):
        return decisions
    chosen_by = _with(decisions.chosen_by, none_below=None)
    return dataclasses.replace(decisions, none_below=0.0, chosen_by=chosen_by)


def _together(head, decisions, target, scores, negatives):
    """One threshold for all labels, which then have none of their own."""
    all_labels = {
        split: LabelScores.together([*of_labels.values()])
        for split, of_labels in scores.items()
    }
    after = dataclasses.replace(
        decisions,
        thresholds={},
        chosen_by=_with(decisions.chosen_by, thresholds=None),
    )
    if negatives is not None:
        negatives = negatives.together(NONE_OF_THESE)
    return _none_below(head, decisions, after, target, all_labels, negatives)


def _keeping(head, decisions, target, scores):
    """The same, so that enough clips get an answer; labels keep their thresholds."""
    kept = {split: kept_scores(of, decisions) for split, of in scores.items()}
    return _none_below(head, decisions, decisions, target, kept)


def _none_below(head, before, after, target, scores, negatives=None):
    """The `Choice` of `none_below`, in a list, and the decisions with it."""
    note, level, alarms = "", None, None
    try:
        point, alarms = _reaching(NONE_OF_THESE, scores[VALIDATION], target, negatives)
        level = point.threshold
        chosen_by = _chosen_by(target, point, alarms)
        after = dataclasses.replace(
            after,
            none_below=level,
            chosen_by=_with(after.chosen_by, none_below=chosen_by),
        )
    except CannotTell as error:
        note, after = str(error), before
    counts = level_of(NONE_OF_THESE, head, after) if level is None else level
    points = {split: of_split.at(counts) for split, of_split in scores.items()}
    return [Choice(NONE_OF_THESE, level, note, points, alarms)], after


def _reaching(label, scores, target, negatives):
    """(`Point` that reaches a target, its `Alarms` or None).

    Raises:
        CannotTell: Too few clips, or there is none.
    """
    if target.name == ALARMS:
        threshold, alarms = negatives.at_most(label, target.value)
        return scores.at(threshold), alarms
    find = by_precision if target.name == PRECISION else by_recall
    return find(scores, target.value), None


def _chosen_by(target, point, alarms):
    """How a threshold was chosen, as `decisions.json` holds it."""
    entry = {"target": target.name, "value": target.value}
    if alarms is not None:
        rate, interval = alarms.per_hour, alarms.interval
        return {
            **entry,
            "reached": rate,
            "interval": list(interval),
            "hours": alarms.hours,
        }
    name = PRECISION if target.name == PRECISION else RECALL
    return {
        **entry,
        "reached": getattr(point, name),
        "interval": list(point.interval(name)),
        "clips": point.n_with,
        "split": VALIDATION,
    }


def _entry(decisions, name):
    """What `chosen_by` says of something; {} where that was edited to be no object."""
    entry = decisions.chosen_by.get(name)
    return entry if isinstance(entry, Mapping) else {}


def _with(chosen_by, **entries):
    """The content of `chosen_by` with other entries; without those that are empty."""
    changed = {**chosen_by, **entries}
    return {name: entry for name, entry in changed.items() if entry}
