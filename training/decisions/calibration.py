"""Calibration of a head's probabilities by one number, the temperature.

Guo et al., "On Calibration of Modern Neural Networks" (1706.04599), section 4.2.
"""

import dataclasses
import math

import numpy as np
from scipy import optimize

from leaf_files.command_line import counted

LEAST_CLIPS = 20  # fewer tell nothing about how sure to be
N_BINS = 15
_LOWEST, _HIGHEST = 0.05, 20.0


@dataclasses.dataclass(frozen=True)
class Temperature:
    """The number by which a head's logits are divided, and how it was found.

    Attributes:
        value: The temperature; above 1 makes less sure.
        n_clips: Number of validation clips.
        note: Why it is 1 without being fitted; "" if it was fitted.

    >>> Temperature(1.3, 200).chosen_by
    {'clips': 200, 'split': 'validation'}
    """

    value: float
    n_clips: int
    note: str = ""

    @property
    def chosen_by(self):
        """How it was found, as `decisions.json` holds it."""
        note = {"note": self.note} if self.note else {}
        return {"clips": self.n_clips, "split": "validation", **note}


def fit_temperature(predictions):
    """The temperature at which the validation clips are most probable.

    The mean cross-entropy of the clips' logits, divided by it, is least. A clip's
    logits are the means over its windows, whose probabilities `predict` gives.

    Args:
        predictions: `ClipPredictions` or `MultiLabelPredictions` of clips that the
            model wasn't trained on.

    Returns:
        A `Temperature`: 1 of fewer than 20 clips, and where no clip is wrong, as then
        the surest is the best.

    >>> from training.evaluation.clips import ClipPredictions
    >>> logits = np.tile([4.0, 0.0], (100, 1))
    >>> classes = np.repeat([0, 1], [80, 20])  # sure of 98 %, right in 80 %
    >>> round(fit_temperature(ClipPredictions(logits, classes)).value, 2)
    2.89
    """
    n_clips = len(predictions.classes)
    if n_clips < LEAST_CLIPS:
        note = f"{counted(n_clips, 'validation clip')}, and {LEAST_CLIPS} are needed"
        return Temperature(1.0, n_clips, note)
    if np.array_equal(predictions.truth, predictions.chosen):
        note = f"none of the {n_clips} validation clips is wrong"
        return Temperature(1.0, n_clips, note)

    def loss(log_temperature):
        return scaled(predictions, math.exp(log_temperature)).loss

    found = optimize.minimize_scalar(
        loss,
        bounds=(math.log(_LOWEST), math.log(_HIGHEST)),
        method="bounded",
        options={"xatol": 1e-7},
    )
    return Temperature(float(math.exp(found.x)), n_clips)


def scaled(predictions, temperature):
    """The predictions at logits divided by a temperature.

    >>> from training.evaluation.clips import ClipPredictions
    >>> predictions = ClipPredictions(np.array([[4.0, 0.0]]), np.array([0]))
    >>> scaled(predictions, 2.0).logits
    array([[2., 0.]])
    """
    return dataclasses.replace(predictions, logits=predictions.logits / temperature)


@dataclasses.dataclass(frozen=True)
class Bins:
    """Probabilities beside how often they came true, in bins of equal width.

    Attributes:
        n: (bins,), number of answers in each.
        said: (bins,), mean probability of these; NaN without any.
        true: (bins,), share of these that are right; NaN without any.

    >>> bins = Bins.of(np.array([0.91, 0.93, 0.12]), np.array([True, False, False]))
    >>> bins.n[[1, 13]], round(bins.error, 3)
    (array([1, 2]), 0.32)
    """

    n: np.ndarray
    said: np.ndarray
    true: np.ndarray

    @classmethod
    def of(cls, probabilities, is_true, n_bins=N_BINS):
        """The bins of some answers.

        Args:
            probabilities: (n,), in [0, 1].
            is_true: (n,), whether each came true.
            n_bins: Number of bins.
        """
        places = np.ceil(np.asarray(probabilities) * n_bins).astype(int) - 1
        places = np.clip(places, 0, n_bins - 1)
        n = np.bincount(places, minlength=n_bins)
        with np.errstate(invalid="ignore"):
            said = np.bincount(places, probabilities, n_bins) / n
            true = np.bincount(places, is_true, n_bins) / n
        return cls(n, said, true)

    @classmethod
    def of_predictions(cls, predictions):
        """Those of each clip's most probable label; of several labels all of each.

        Args:
            predictions: `ClipPredictions` or `MultiLabelPredictions`.
        """
        probabilities, truth = predictions.probabilities, predictions.truth
        if predictions.judged_by == "accuracy":
            places = predictions.predicted[:, None]
            probabilities = np.take_along_axis(probabilities, places, axis=1)
            truth = np.take_along_axis(truth, places, axis=1)
        return cls.of(probabilities.ravel(), truth.ravel())

    @property
    def error(self):
        """Expected calibration error: mean distance of said and true, by answers."""
        filled = self.n > 0
        distances = np.abs(self.said[filled] - self.true[filled])
        return float(np.sum(self.n[filled] * distances) / np.sum(self.n))


def calibration_entry(predictions, temperature):
    """The entry "calibration" of a task in `metrics.json`.

    Args:
        predictions: Those of the clips that are tested, not calibrated.
        temperature: A float.

    Returns:
        {"temperature", "ece", "ece_uncalibrated", "loss"}: the expected calibration
        errors, at 15 bins of equal width, and the cross-entropy after calibration.

    >>> from training.evaluation.clips import ClipPredictions
    >>> logits = np.tile([4.0, 0.0], (10, 1))
    >>> predictions = ClipPredictions(logits, np.repeat([0, 1], [8, 2]))
    >>> entry = calibration_entry(predictions, 2.885)
    >>> round(entry["ece_uncalibrated"], 3), round(entry["ece"], 3)
    (0.182, 0.0)
    """
    calibrated = scaled(predictions, temperature)
    return {
        "temperature": temperature,
        "ece": Bins.of_predictions(calibrated).error,
        "ece_uncalibrated": Bins.of_predictions(predictions).error,
        "loss": calibrated.loss,
    }


def calibration_in_words(entry):
    """An entry of `calibration_entry` for people.

    >>> entry = {"temperature": 1.5, "ece": 0.021, "ece_uncalibrated": 0.08}
    >>> calibration_in_words(entry)
    'expected calibration error 2.1 % (8.0 % before the temperature of 1.50)'
    """
    words = f"expected calibration error {100 * entry['ece']:.1f} %"
    if entry["temperature"] == 1.0:
        return f"{words}, not calibrated"
    before = f"{100 * entry['ece_uncalibrated']:.1f} %"
    return f"{words} ({before} before the temperature of {entry['temperature']:.2f})"
