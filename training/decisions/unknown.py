"""How well clips of what a model knows are told from clips of what it doesn't."""

import math

import numpy as np
from scipy import special

from leaf_files.ranking import auc
from training.decisions.calibration import scaled
from training.decisions.intervals import CONFIDENCE, share_interval
from training.decisions.points import label_scores, level_of


def unknown_entry(known, unknown, head, decisions):
    """An entry "unknown" of a task in what `evaluate` prints as JSON.

    A clip's score is the highest calibrated probability of a label that isn't
    background. "Out-of-distribution detection" by that score is the baseline of
    Hendrycks and Gimpel (1610.02136); on spoken digits, energies, distances to class
    means and to neighbours were no better.

    Args:
        known: `ClipPredictions` or `MultiLabelPredictions` of clips with labels; clips
            of the background, or without a label, are left out.
        unknown: The same of clips without any label that the model knows.
        head: `Head`.
        decisions: Its `Decisions`.

    Returns:
        {"auroc", "n_examples", "called_none", "n_known", "known_lost"}, and intervals:
        the chance that a known clip scores above an unknown one, the share of unknown
        clips that are called none of these, and the share of known ones that are.

    >>> from leaf_files.decisions import Decisions
    >>> from leaf_files.run_folder import Head
    >>> from training.evaluation.clips import ClipPredictions
    >>> known = ClipPredictions(np.array([[3.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    >>> other = ClipPredictions(np.array([[1.5, 0.0], [0.0, 0.2]]), np.array([-1, -1]))
    >>> head = Head("drums", "drums", ("kick", "snare"))
    >>> entry = unknown_entry(known, other, head, Decisions(none_below=0.8))
    >>> entry["auroc"], entry["called_none"], entry["known_lost"]
    (0.75, 0.5, 0.5)
    """
    able = [label not in decisions.background for label in head.labels]
    is_known = known.truth[:, able].any(axis=1)
    of_known = _highest(known, able, decisions)[is_known]
    of_unknown = _highest(unknown, able, decisions)
    refused = ~_answered(known, head, decisions)[is_known]
    refused_unknown = ~_answered(unknown, head, decisions)
    area = ends = None
    if len(of_known) and len(of_unknown):
        area, ends = auroc(of_known, of_unknown)
    called_none, none_ends = _share(refused_unknown)
    known_lost, lost_ends = _share(refused)
    return {
        "auroc": area,
        "n_examples": len(of_unknown),
        "called_none": called_none,
        "n_known": len(of_known),
        "known_lost": known_lost,
        "intervals": {
            "auroc": ends,
            "called_none": none_ends,
            "known_lost": lost_ends,
        },
    }


def auroc(positives, negatives, confidence=CONFIDENCE):
    """The chance that a positive scores above a negative, with its interval.

    The variance is that of DeLong et al. (Biometrics 44, 1988), by the scores of each
    clip among those of the other kind, and the interval is one of the log odds. Where
    all positives are above all negatives, or below, there is no variance: then it is
    the exact interval of as many trials as there are clips of the rarer kind.

    Args:
        positives, negatives: (n,) and (m,), scores, one of each at least.
        confidence: Share of such intervals that contain the true chance.

    Returns:
        (chance, [low, high]).

    >>> area, (low, high) = auroc(np.arange(5, 25), np.arange(20))
    >>> area, f"{low:.3f} to {high:.3f}"
    (0.71875, '0.540 to 0.848')
    """
    positives, negatives = np.asarray(positives), np.asarray(negatives)
    scores = np.concatenate([positives, negatives])
    area = auc(scores, np.arange(len(scores)) < len(positives))
    fewest = min(len(positives), len(negatives))
    variance = _variance_of_mean(_shares_below(positives, negatives))
    variance += _variance_of_mean(_shares_below(negatives, positives))
    if fewest < 2 or not variance or not 0 < area < 1:
        return area, list(share_interval(area, fewest, confidence))
    spread = float(special.ndtri((1 + confidence) / 2)) * math.sqrt(variance)
    middle, half = special.logit(area), spread / (area * (1 - area))
    return area, [float(special.expit(middle + side * half)) for side in (-1, 1)]


def unknown_in_words(folder, entry):
    """An entry of `unknown_entry` for people.

    Args:
        folder: Name of the folder of the unknown clips.
        entry: The entry.

    >>> intervals = {"auroc": [0.9, 0.97], "called_none": [0.5, 0.7]}
    >>> intervals["known_lost"] = [0.02, 0.09]
    >>> entry = {"auroc": 0.94, "n_examples": 90, "called_none": 0.6, "n_known": 99}
    >>> entry |= {"known_lost": 0.04, "intervals": intervals}
    >>> print(unknown_in_words("other", entry))
    unknown clips of other (90): AUROC 0.9400 (0.9000 to 0.9700) against 99 known ones;
    60.0 % (50.0 to 70.0) called none of these, and 4.0 % (2.0 to 9.0) of the known ones
    """
    shares = []
    for name in ("called_none", "known_lost"):
        ends = entry["intervals"][name]
        between = ends and f" ({100 * ends[0]:.1f} to {100 * ends[1]:.1f})"
        shares.append(f"{100 * entry[name]:.1f} %{between}" if ends else "undefined")
    area, ends = "undefined", entry["intervals"]["auroc"]
    if ends:
        area = f"{entry['auroc']:.4f} ({ends[0]:.4f} to {ends[1]:.4f})"
    return (
        f"unknown clips of {folder} ({entry['n_examples']}): AUROC {area} against "
        f"{entry['n_known']} known ones; {shares[0]} called none of these, and "
        f"{shares[1]} of the known ones"
    )


def _highest(predictions, able, decisions):
    """(n_clips,), the highest probability of a label that can be decided on."""
    calibrated = scaled(predictions, decisions.temperature)
    # Log probabilities, or logits: probabilities near 1 are the same number.
    return calibrated.rankable[:, able].max(axis=1)


def _answered(predictions, head, decisions):
    """(n_clips,), bool: whether any label is decided on."""
    of_labels = label_scores(predictions, head, decisions)
    decided = [
        each.scores >= level_of(label, head, decisions)
        for label, each in of_labels.items()
    ]
    return np.any(decided, axis=0)


def _shares_below(scores, others):
    """(n,), the share of the others below each score; equal ones count half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, scores, "left")
    not_above = np.searchsorted(ordered, scores, "right")
    return (below + not_above) / 2 / len(others)


def _share(is_so):
    """(share, the ends of its exact interval); (None, None) without any."""
    if not len(is_so):
        return None, None
    share = float(is_so.mean())
    return share, list(share_interval(share, len(is_so)))


def _variance_of_mean(values):
    return float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else 0.0
