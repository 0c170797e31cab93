"""Evaluation of whole clips: their windows' logits, averaged."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from leaf_files import ranking
from training.input.pipeline import evaluation_windows

_MOMENT = 2.0  # seconds


@dataclasses.dataclass(frozen=True)
class ClipPredictions:
    """The predictions of a model for the clips of a set, of one label each.

    Attributes:
        logits: (n_clips, n_classes), float64, averaged over a clip's windows.
        classes: (n_clips,), the true class indices.
        names: Name of each clip, unique in the task; () where they aren't known.
        groups: Group of each clip; None where groups aren't known.

    >>> logits = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0]])
    >>> predictions = ClipPredictions(logits, np.array([0, 1, 1]))
    >>> predictions.predicted, round(predictions.accuracy, 3)
    (array([0, 1, 0]), 0.667)
    """

    logits: np.ndarray
    classes: np.ndarray
    names: Sequence[str] = ()
    groups: Sequence[str] | None = None

    # The main metric.
    judged_by = "accuracy"
    # Those of `training.evaluation.scores`.
    scores_of_all = ("accuracy", "macro_f1")
    scores_of_classes = ("precision", "recall", "f1", "average_precision")

    @property
    def truth(self):
        """(n_clips, n_classes), bool: the labels of each clip."""
        return _one_hot(self.classes, self.logits.shape[1])

    @property
    def chosen(self):
        """(n_clips, n_classes), bool: the predicted labels of each clip."""
        return _one_hot(self.predicted, self.logits.shape[1])

    @property
    def rankable(self):
        """(n_clips, n_classes): scores that rank clips by class, log probabilities."""
        return self.logits - _log_sums(self.logits)

    @property
    def probabilities(self):
        """(n_clips, n_classes), the softmax of the logits."""
        return np.exp(self.rankable)

    @property
    def predicted(self):
        """(n_clips,), the class indices of the largest logits."""
        return self.logits.argmax(axis=1)

    @property
    def accuracy(self):
        """Fraction of clips whose largest logit is the true class's."""
        return float(np.mean(self.predicted == self.classes))

    @property
    def loss(self):
        """Mean cross-entropy of the averaged logits, nats."""
        true = np.take_along_axis(self.rankable, self.classes[:, None], axis=1)
        return float(-np.mean(true))

    @property
    def metrics(self):
        """One task's entry in `metrics.json`."""
        return {
            "accuracy": self.accuracy,
            "loss": self.loss,
            "n_examples": len(self.classes),
        }

    def confusion(self):
        """(n_classes, n_classes) counts: row true, column predicted."""
        n_classes = self.logits.shape[1]
        counts = np.zeros((n_classes, n_classes), int)
        np.add.at(counts, (self.classes, self.predicted), 1)
        return counts


@dataclasses.dataclass(frozen=True)
class MultiLabelPredictions:
    """The predictions of a model for the clips of a set, of any number of labels each.

    Attributes:
        logits: (n_clips, n_classes), float64, averaged over a clip's windows.
        classes: (n_clips, n_classes), 1 for each label that a clip has, else 0.
        names, groups: See `ClipPredictions`.

    >>> logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    >>> MultiLabelPredictions(logits, np.array([[1, 1], [0, 1]])).metrics["mAP"]
    1.0
    """

    logits: np.ndarray
    classes: np.ndarray
    names: Sequence[str] = ()
    groups: Sequence[str] | None = None

    judged_by = "mAP"
    scores_of_all = ("mAP", "auc", "macro_f1")
    scores_of_classes = ("precision", "recall", "f1", "average_precision", "auc")

    @property
    def truth(self):
        """(n_clips, n_classes), bool: the labels of each clip."""
        return self.classes > 0.5

    @property
    def chosen(self):
        """(n_clips, n_classes), bool: the labels of a probability above 0.5."""
        return self.logits > 0

    @property
    def rankable(self):
        """(n_clips, n_classes): scores that rank clips by class, the logits."""
        return self.logits

    @property
    def probabilities(self):
        """(n_clips, n_classes), the sigmoid of the logits."""
        return np.exp(-np.logaddexp(0.0, -self.logits))

    @property
    def loss(self):
        """Mean sigmoid cross-entropy of the averaged logits, nats a class."""
        losses = np.logaddexp(0.0, self.logits) - self.classes * self.logits
        return float(np.mean(losses))

    @property
    def average_precisions(self):
        """(n_classes,), see `ranking.average_precision`."""
        return np.array(
            [
                ranking.average_precision(scores, is_positive)
                for scores, is_positive in zip(self.logits.T, self.classes.T > 0.5)
            ]
        )

    @property
    def metrics(self):
        """One task's entry in `metrics.json`.

        Each is a mean over the classes for which it is defined; None without any.
        "d_prime" is that of the mean AUC.
        """
        aucs = [
            ranking.auc(scores, is_positive)
            for scores, is_positive in zip(self.logits.T, self.classes.T > 0.5)
        ]
        auc = _mean(aucs)
        return {
            "mAP": _mean(self.average_precisions),
            "auc": auc,
            "d_prime": None if auc is None else ranking.d_prime(auc),
            "loss": self.loss,
            "n_examples": len(self.classes),
        }


def averaged(task_metrics):
    """Means over tasks of each metric, such as the accuracy.

    Args:
        task_metrics: A list of `metrics`, at least one.

    Returns:
        {name: mean}, over the tasks that have the metric, without what is a count, or
        no number at all.

    >>> averaged([{"accuracy": 0.5, "n_examples": 8}, {"accuracy": 1.0, "mAP": 0.3}])
    {'accuracy': 0.75, 'mAP': 0.3}
    """
    names = dict.fromkeys(name for metrics in task_metrics for name in metrics)
    values_of = {name: [m.get(name) for m in task_metrics] for name in names}
    return {
        name: _mean([value for value in values if value is not None])
        for name, values in values_of.items()
        if all(value is None or isinstance(value, float) for value in values)
    }


class ClipEvaluator:
    """Evaluates models on one task's clips, decoded and cut once.

    Args:
        clip_set: `ClipSet` to evaluate on.
        head: `Head` of the task, kept as an attribute.
        config: `FitConfig` of the run.

    >>> import keras
    >>> from leaf_files.run_folder import Head
    >>> from training.settings.config import FitConfig
    >>> from training.tasks.registry import get_task
    >>> clips = get_task("folder:drums").load().splits["test"]
    >>> head = Head("folder:drums", "drums", ("kick", "snare"), "softmax")
    >>> config = FitConfig("folder:drums", sample_rate=8000, window_seconds=0.05)
    >>> model = keras.Sequential([keras.Input([400]), keras.layers.Dense(2)])
    >>> ClipEvaluator(clips, head, config).predict(model).logits.shape
    (2, 2)
    """

    def __init__(self, clip_set, head, config):
        self.head = head
        self._n_clips = clip_set.n_examples
        self._groups = clip_set.groups
        self._batches = evaluation_windows(
            clip_set,
            config.sample_rate,
            config.window_samples,
            config.batch_size,
            config.cache,
        )

    def predict(self, model, doing="evaluating"):
        """The predictions of a model from waveforms to logits.

        Args:
            model: Keras model, (batch, samples) -> (batch, n_classes) or a dict of
                such by the names of heads.
            doing: Label of the progress bar, which a terminal shows when this takes
                more than a moment.

        Returns:
            `ClipPredictions`, or `MultiLabelPredictions` of a multi-label task.
        """
        n_classes = len(self.head.labels)
        sums = np.zeros((self._n_clips, n_classes))
        n_windows = np.zeros(self._n_clips, int)
        names = np.zeros(self._n_clips, object)
        predictions_class: type[ClipPredictions] | type[MultiLabelPredictions]
        if self.head.multi_label:
            predictions_class, classes = (
                MultiLabelPredictions,
                np.zeros((self._n_clips, n_classes)),
            )
        else:
            predictions_class, classes = ClipPredictions, np.zeros(self._n_clips, int)
        with tqdm(
            desc=doing,
            total=self._n_clips,
            unit=" clips",
            delay=_MOMENT,
            leave=False,
            disable=None,  # without a terminal
        ) as progress:
            for waveform, label, clip, name in self._batches.as_numpy_iterator():
                logits = model.predict_on_batch(waveform)
                if isinstance(logits, dict):
                    logits = logits[self.head.name]
                np.add.at(sums, clip, logits)
                np.add.at(n_windows, clip, 1)
                classes[clip] = label
                names[clip] = name
                progress.update(clip[-1] - progress.n)
        return predictions_class(
            sums / n_windows[:, None],
            classes,
            list(map(os.fsdecode, names)),
            self._groups,
        )


def _one_hot(indices, n_classes):
    return np.asarray(indices)[:, None] == np.arange(n_classes)


def _log_sums(logits):
    """(n_clips, 1), the logarithms of the sums of the exponentials."""
    largest = logits.max(axis=1, keepdims=True)
    return largest + np.log(np.exp(logits - largest).sum(axis=1, keepdims=True))


def _mean(values):
    """The mean of the values that aren't NaN; None without any."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else None
