"""What happens at the end of each epoch of a run."""

import csv
import math
import time

import keras

from files.atomic import replacing
from files.errors import UserError
from training.evaluation import averaged


class ValidateAndSave(keras.callbacks.Callback):
    """Evaluates on whole validation clips, then saves checkpoints and history.

    Adds `val_accuracy`, `val_loss` and what else the tasks' metrics are to the
    epoch's logs, before other callbacks read them; of several tasks, those of each,
    `val_<head>_accuracy`, and their means. The best epoch is the one with the highest
    accuracy (mAP of multi-label tasks, the mean of several), the lower loss where two
    are equal. Files are replaced whole, so that a run
    killed at any moment leaves readable ones.

    A run whose loss is no finite number any more is stopped with a `UserError`:
    its weights are lost, and so is the time of more epochs. What earlier epochs
    saved stays.

    Args:
        evaluators: A `ClipEvaluator` of the validation clips of each task.
        run: A `RunFolder`.
        learning_rate: At its highest, for advice.

    Attributes:
        best_epoch: Counted from 1; 0 before the first.
        history: One dict an epoch.
    """

    def __init__(self, evaluators, run, learning_rate):
        super().__init__()
        self._learning_rate = learning_rate
        self._epoch = 0
        self._evaluators = evaluators
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
        heads = [evaluator.head for evaluator in self._evaluators]
        _name_by_task(logs, heads)
        validation = self._validate()
        score = score_of(validation)
        logs.update(_validation_logs(validation, heads))
        self._save(self._run.last)
        if score > self._best:
            self._best = score
            self.best_epoch = epoch + 1
            self._save(self._run.best)
        row = {
            "epoch": epoch + 1,
            **{
                name: None if value is None else float(value)
                for name, value in logs.items()
            },
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": round(time.monotonic() - self._started, 2),
        }
        self.history.append(row)
        write_history(self.history, self._run.history)

    def _validate(self):
        validation = []
        for evaluator in self._evaluators:
            predictions = evaluator.predict(self.model, "validating")
            self._require_finite(predictions.loss, "validation loss")
            validation.append(predictions)
        return validation

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


def score_of(predictions):
    """What epochs are ranked by: (mean of what the tasks are judged by, -mean loss).

    Args:
        predictions: Those of each task.
    """
    judged = [p.metrics[p.judged_by] or 0.0 for p in predictions]
    losses = [p.loss for p in predictions]
    return sum(judged) / len(judged), -sum(losses) / len(losses)


def write_history(history, path):
    """Writes a row an epoch, as CSV; what is undefined stays empty."""
    with (
        replacing(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, list(history[0]))
        writer.writeheader()
        writer.writerows(history)


def _name_by_task(logs, heads):
    """Renames Keras's metrics of several outputs: a task's loss is its own mean."""
    for head in heads if len(heads) > 1 else ():
        logs[f"{head.name}_loss"] = logs.pop(f"{head.name}_cross_entropy")


def _validation_logs(predictions, heads):
    metrics = [p.metrics for p in predictions]
    logs = {}
    if len(heads) > 1:
        for head, own in zip(heads, metrics):
            logs.update({f"val_{head.name}_{name}": own[name] for name in own})
    logs.update({f"val_{name}": value for name, value in averaged(metrics).items()})
    return {k: v for k, v in logs.items() if not k.endswith("n_examples")}
