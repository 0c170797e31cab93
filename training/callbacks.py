"""What happens at the end of each epoch of a run."""

import csv
import time

import keras

from files.atomic import replacing


class ValidateAndSave(keras.callbacks.Callback):
    """Evaluates on whole validation clips, then saves checkpoints and history.

    Adds `val_accuracy` and `val_loss` to the epoch's logs, before other
    callbacks read them. The best epoch is the one with the highest accuracy,
    the lower loss where two are equal. Files are replaced whole, so that a run
    killed at any moment leaves readable ones.

    Args:
        evaluator: A `ClipEvaluator` of the validation clips.
        run: A `RunFolder`.

    Attributes:
        best_epoch: Counted from 1; 0 before the first.
        history: One dict an epoch.
    """

    def __init__(self, evaluator, run):
        super().__init__()
        self._evaluator = evaluator
        self._run = run
        self._best = (-1.0, 0.0)
        self._started = time.monotonic()
        self.best_epoch = 0
        self.history = []

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        validation = self._evaluator.predict(self.model)
        logs["val_accuracy"] = validation.accuracy
        logs["val_loss"] = validation.loss
        self._save(self._run.last)
        if (validation.accuracy, -validation.loss) > self._best:
            self._best = (validation.accuracy, -validation.loss)
            self.best_epoch = epoch + 1
            self._save(self._run.best)
        row = {
            "epoch": epoch + 1,
            **{name: float(value) for name, value in logs.items()},
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": round(time.monotonic() - self._started, 2),
        }
        self.history.append(row)
        self._write_history()

    def _save(self, path):
        with replacing(path) as temporary:
            self.model.save(temporary)

    def _write_history(self):
        with (
            replacing(self._run.history) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, list(self.history[0]))
            writer.writeheader()
            writer.writerows(self.history)
