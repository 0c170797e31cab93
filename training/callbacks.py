"""What happens at the end of each epoch of a run."""

import csv
import math
import time

import keras

from files.atomic import replacing
from files.errors import UserError


class ValidateAndSave(keras.callbacks.Callback):
    """Evaluates on whole validation clips, then saves checkpoints and history.

    Adds `val_accuracy` and `val_loss` to the epoch's logs, before other
    callbacks read them. The best epoch is the one with the highest accuracy,
    the lower loss where two are equal. Files are replaced whole, so that a run
    killed at any moment leaves readable ones.

    A run whose loss is no finite number any more is stopped with a `UserError`:
    its weights are lost, and so is the time of more epochs. What earlier epochs
    saved stays.

    Args:
        evaluator: A `ClipEvaluator` of the validation clips.
        run: A `RunFolder`.
        learning_rate: At its highest, for advice.

    Attributes:
        best_epoch: Counted from 1; 0 before the first.
        history: One dict an epoch.
    """

    def __init__(self, evaluator, run, learning_rate):
        super().__init__()
        self._learning_rate = learning_rate
        self._epoch = 0
        self._evaluator = evaluator
        self._run = run
        self._best = (-1.0, 0.0)
        self._started = time.monotonic()
        self.best_epoch = 0
        self.history = []

    def on_epoch_begin(self, epoch, logs=None):
        self._started = time.monotonic()
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        self._require_finite((logs or {}).get("loss", 0.0), "loss")

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        validation = self._evaluator.predict(self.model, "validating")
        self._require_finite(validation.loss, "validation loss")
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

    def _require_finite(self, loss, name):
        if math.isfinite(loss):
            return
        kept = f"; the best epoch, {self.best_epoch}, is kept in {self._run.best}"
        raise UserError(
            f"training diverged: the {name} became {float(loss)} in epoch "
            f"{self._epoch}; try a lower --learning-rate than {self._learning_rate:g}"
            + (kept if self.best_epoch else "")
        )

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
