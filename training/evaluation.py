"""Evaluation of whole clips: their windows' logits, averaged."""

import dataclasses

import numpy as np
from tqdm import tqdm

from training.pipeline import evaluation_windows

_MOMENT = 2.0  # seconds


@dataclasses.dataclass(frozen=True)
class ClipPredictions:
    """What a model says of each clip of a set.

    Attributes:
        logits: (n_clips, n_classes), float64, averaged over a clip's windows.
        classes: (n_clips,), the true class indices.
    """

    logits: np.ndarray
    classes: np.ndarray

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
        shifted = self.logits - self.logits.max(axis=1, keepdims=True)
        log_sums = np.log(np.exp(shifted).sum(axis=1))
        true = np.take_along_axis(shifted, self.classes[:, None], axis=1)[:, 0]
        return float(np.mean(log_sums - true))

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


class ClipEvaluator:
    """Evaluates models on one set of clips, decoded and cut once.

    Args:
        clip_set: A `ClipSet`.
        config: The run's `FitConfig`.
    """

    def __init__(self, clip_set, config):
        self._n_clips = clip_set.n_examples
        self._batches = evaluation_windows(
            clip_set, config.sample_rate, config.window_samples, config.batch_size
        )

    def predict(self, model, doing="evaluating"):
        """`ClipPredictions` of a model from waveforms to logits.

        Args:
            model: (batch, samples) -> (batch, n_classes).
            doing: What the progress bar says, which a terminal shows when this
                takes more than a moment.
        """
        sums = np.zeros((self._n_clips, model.output_shape[-1]))
        n_windows = np.zeros(self._n_clips, int)
        classes = np.zeros(self._n_clips, int)
        with tqdm(
            desc=doing,
            total=self._n_clips,
            unit=" clips",
            delay=_MOMENT,
            leave=False,
            disable=None,  # without a terminal
        ) as progress:
            for waveform, label, clip in self._batches.as_numpy_iterator():
                logits = model.predict_on_batch(waveform)
                np.add.at(sums, clip, logits)
                np.add.at(n_windows, clip, 1)
                classes[clip] = label
                progress.update(clip[-1] - progress.n)
        return ClipPredictions(sums / n_windows[:, None], classes)
