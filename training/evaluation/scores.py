"""Scores of predictions: of all clips, of each class, and their intervals."""

import dataclasses

import numpy as np
from scipy import sparse

from leaf_files.command_line import counted
from training.evaluation.intervals import (
    LEAST_UNITS,
    interval,
    n_replicates,
    resampled_weights,
)

GROUPS, CLIPS = "groups", "clips"
# The scores of a class that have intervals, and the clips that they rest on.
_RESTS_ON = {"precision": "chosen", "recall": "true", "average_precision": "true"}


def scored(predictions, labels, seed=0):
    """A task's entry in `metrics.json`: numbers of all clips and of each class.

    Args:
        predictions: `ClipPredictions` or `MultiLabelPredictions`.
        labels: Names of the classes, in the order of the logits.
        seed: Seed of the bootstrap, an int.

    Returns:
        `predictions.metrics`, a dict, and in it "macro_f1", "per_class", "intervals",
        "intervals_over", "n_intervals_over", and where they apply "intervals_note" and
        "n_groups"; see docs/reference/run_folder.md. What is undefined is None.

    >>> from training.evaluation.clips import ClipPredictions
    >>> predictions = ClipPredictions(np.eye(2), np.array([0, 1]))
    >>> entry = scored(predictions, ("kick", "snare"))
    >>> entry["macro_f1"], entry["per_class"]["kick"]["recall"]
    (1.0, 1.0)
    """
    units = _Units.of(predictions)
    tally = _Tally(predictions, units)
    of_all, of_classes = tally.scores(np.ones((units.n, 1)))
    replicates = _replicates(tally, units, len(labels), seed)
    n_units = {name: np.diff(clips.indptr) for name, clips in tally.clips.items()}

    def of_class(number):
        scores = {name: _number(of_classes[name][number, 0]) for name in of_classes}
        clips = {"n_examples": int(tally.clips["true"][number].sum())}
        if units.named:
            clips["n_groups"] = int(n_units["true"][number])
        intervals = {
            name: _ends(replicates[1][name][number], n_units[basis][number])
            for name, basis in _RESTS_ON.items()
        }
        return {**scores, **clips, "intervals": intervals}

    entry = {
        **predictions.metrics,
        "macro_f1": _number(of_all["macro_f1"][0]),
        "per_class": {label: of_class(n) for n, label in enumerate(labels)},
        "intervals": {name: _ends(replicates[0][name], units.n) for name in of_all},
        "intervals_over": units.kind,
        "n_intervals_over": units.n,
    }
    if units.n < LEAST_UNITS:
        entry["intervals_note"] = _too_few(units)
    if units.named:
        entry["n_groups"] = {"test": units.n}
    return entry


def scores_in_words(entry):
    """The main scores of an entry of `scored`, and the units of their intervals.

    Such as "accuracy 0.7143 (0.6214 to 0.8012), loss 0.8123; 95 % intervals over 12
    groups".

    >>> entry = {"accuracy": 0.71434, "loss": 0.81, "intervals_over": "groups"}
    >>> entry |= {"intervals": {"accuracy": [0.6214, 0.8012]}, "n_intervals_over": 12}
    >>> print(scores_in_words(entry))
    accuracy 0.7143 (0.6214 to 0.8012), loss 0.8100; 95 % intervals over 12 groups
    """
    parts = []
    for name in (*entry["intervals"], "loss"):
        ends = entry["intervals"].get(name)
        value = "undefined" if entry[name] is None else f"{entry[name]:.4f}"
        between = f" ({ends[0]:.4f} to {ends[1]:.4f})" if ends else ""
        parts.append(f"{name} {value}{between}")
    over = f"{entry['n_intervals_over']} {entry['intervals_over']}"
    note = entry.get("intervals_note")
    about = f"no intervals, as {note}" if note else f"95 % intervals over {over}"
    return f"{', '.join(parts)}; {about}"


@dataclasses.dataclass(frozen=True)
class _Units:
    """The units of resampling: groups of clips, or clips where there are no groups.

    Attributes:
        of_clips: (n_clips,), number of each clip's unit.
        n: Number of units.
        named: Whether they are groups.
    """

    of_clips: np.ndarray
    n: int
    named: bool

    @classmethod
    def of(cls, predictions):
        n_clips = len(predictions.classes)
        if predictions.groups is None:
            return cls(np.arange(n_clips), n_clips, False)
        names, of_clips = np.unique(
            np.array(list(predictions.groups)), return_inverse=True
        )
        return cls(of_clips.reshape(-1), len(names), True)

    @property
    def kind(self):
        return GROUPS if self.named else CLIPS


def _too_few(units):
    """Why there are no intervals over so few units."""
    if units.named:
        source = f"the test clips come from {counted(units.n, 'group')}"
    else:
        source = f"there {'is' if units.n == 1 else 'are'} {units.n} test clips"
    return f"{source}, and fewer than {LEAST_UNITS} can't tell how others would do"


class _Tally:
    """Counts by unit, from which scores follow for any weights of the units.

    Args:
        predictions: `ClipPredictions` or `MultiLabelPredictions`.
        units: `_Units` of its clips.

    Attributes:
        of_all: Names of the scores of all clips together.
        of_classes: Names of the scores of a class.
        clips: {"true", "chosen", "hit": counts, sparse (n_classes, n_units)}.
    """

    def __init__(self, predictions, units):
        truth, chosen = predictions.truth, predictions.chosen
        n_clips, n_classes = truth.shape
        clips = np.arange(n_clips)
        members = sparse.csr_matrix(
            (np.ones(n_clips), (clips, units.of_clips)), (n_clips, units.n)
        )
        kinds = {"true": truth, "chosen": chosen, "hit": truth & chosen}
        self.clips = {
            name: sparse.csr_matrix(kind.T, dtype=float) @ members
            for name, kind in kinds.items()
        }
        self.of_all = predictions.scores_of_all
        self.of_classes = predictions.scores_of_classes
        self._sizes = np.bincount(units.of_clips, minlength=units.n).astype(float)
        self._rankings = [
            _Ranking(scores, is_positive, units, "auc" in self.of_classes)
            for scores, is_positive in zip(predictions.rankable.T, truth.T)
        ]

    def scores(self, weights):
        """Scores of the clips with these weights; NaN where undefined.

        Args:
            weights: (n_units, n).

        Returns:
            ({name: (n,)} of all clips, {name: (n_classes, n)} of each class).
        """
        true, chosen, hit = (
            self.clips[name] @ weights for name in ("true", "chosen", "hit")
        )
        precisions, areas = map(
            np.stack, zip(*(ranking.scores(weights) for ranking in self._rankings))
        )
        of_classes = {
            "precision": _ratio(hit, chosen),
            "recall": _ratio(hit, true),
            "f1": _ratio(2 * hit, true + chosen),
            "average_precision": precisions,
            "auc": areas,
        }
        of_all = {
            "accuracy": _ratio(hit.sum(axis=0), self._sizes @ weights),
            "mAP": _mean(precisions),
            "auc": _mean(areas),
            "macro_f1": _mean(of_classes["f1"]),
        }
        return (
            {name: of_all[name] for name in self.of_all},
            {name: of_classes[name] for name in self.of_classes},
        )


class _Ranking:
    """A class's clips in the order of their scores, counted by unit.

    Step k holds the clips that score below the k-th highest score of the class's own
    clips but one, and down to that score; the last ones, below all, are left out.

    Args:
        scores: (n_clips,).
        is_positive: (n_clips,), bool, whether they are of the class.
        units: Their `_Units`.
        with_auc: Whether to find the area under the ROC curve as well.
    """

    def __init__(self, scores, is_positive, units, with_auc):
        levels = np.unique(-scores[is_positive])  # the highest score first
        steps = np.searchsorted(levels, -scores)
        reached = steps < len(levels)
        tied = reached.copy()
        tied[reached] = levels[steps[reached]] == -scores[reached]

        def counts(which):
            places = steps[which], units.of_clips[which]
            ones = np.ones(len(places[0]))
            return sparse.csr_matrix((ones, places), (len(levels), units.n))

        self._positive = counts(is_positive)
        self._all = counts(reached)
        self._negative_ties = counts(tied & ~is_positive)
        self._n_negative = np.bincount(
            units.of_clips, weights=~is_positive, minlength=units.n
        )
        self._with_auc = with_auc

    def scores(self, weights):
        """(average precision, AUC), (n,) each, for weights (n_units, n)."""
        hits = self._positive @ weights
        n_positive = hits.sum(axis=0)
        hits_so_far = np.cumsum(hits, axis=0)
        so_far = np.cumsum(self._all @ weights, axis=0)
        area = np.full_like(n_positive, np.nan)
        if self._with_auc:
            n_negative = self._n_negative @ weights
            above = so_far - hits_so_far - (self._negative_ties @ weights) / 2
            beaten = np.sum(hits * (n_negative - above), axis=0)
            area = _ratio(beaten, n_positive * n_negative)
        # Where nothing is found yet, neither of the two counts.
        hits_so_far *= hits
        hits_so_far /= np.maximum(so_far, 1)
        return _ratio(hits_so_far.sum(axis=0), n_positive), area


def _replicates(tally, units, n_classes, seed):
    """`_Tally.scores` of resampled units, side by side."""
    n = n_replicates(len(units.of_clips), n_classes)
    parts = [tally.scores(w) for w in resampled_weights(units.n, n, seed)]
    return tuple(
        {
            name: np.concatenate([part[name] for part in kind], axis=-1)
            for name in kind[0]
        }
        for kind in zip(*parts)
    )


def _ratio(numerator, denominator):
    """The quotient; NaN where the denominator is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


def _mean(of_classes):
    """(n,): the means over the classes that have the score; NaN without any."""
    n_defined = np.count_nonzero(~np.isnan(of_classes), axis=0)
    return _ratio(np.nansum(of_classes, axis=0), n_defined)


def _number(value):
    return None if np.isnan(value) else float(value)


def _ends(replicates, n_units):
    """[low, high] of an interval, or None."""
    ends = interval(replicates, n_units)
    return None if ends is None else list(ends)
