"""Callbacks of a run: validation, checkpoints, history, early stopping."""

import math
import time

import keras

from leaf_files.atomic import write_csv
from leaf_files.errors import UserError
from training.evaluation.clips import averaged
from training.fit.checkpoints import Checkpoints

# Steps between checks of the loss: a check waits for the step to end, and meanwhile a
# GPU is idle.
_CHECK_STEPS = 20


class ValidateAndSave(keras.callbacks.Callback):
    """Evaluates on whole validation clips, then saves checkpoints and history.

    Adds `val_accuracy`, `val_loss` and the tasks' other metrics to the epoch's logs,
    before other callbacks read them; with several tasks those of each,
    `val_<head>_accuracy`, and their means. The best epoch is the one with the highest
    accuracy (mAP for multi-label tasks, the mean over several tasks); of two equal
    ones, that with the lower loss. Files are replaced whole, so that a run killed
    at any moment leaves readable ones.

    Ends the run after `config.patience` epochs without improvement. A run whose loss is
    no longer finite is stopped with a `UserError`: its weights are lost, and more
    epochs are a waste of time. The files of earlier epochs stay.

    Args:
        evaluators: One `ClipEvaluator` a task, of its validation clips.
        run: A `RunFolder`.
        config: Its `FitConfig`.
        steps_per_epoch: Optimizer steps in an epoch.
        progress: `Progress` to continue from; updated during the run.
        replan: The run's `leaf_tf.Replan`, called before this.
        devices: See `training.fit.devices`.
    """

    def __init__(
        self,
        evaluators,
        run,
        config,
        steps_per_epoch,
        progress,
        replan,
        devices,
    ):
        super().__init__()
        self._evaluators = evaluators
        self._run = run
        self._config = config
        self._steps_per_epoch = steps_per_epoch
        self._progress = progress
        self._replan = replan
        self._devices = devices
        self._checkpoints = Checkpoints(run)
        self._mark = time.monotonic()
        replan.n_replans = progress.n_replans
        self._running = progress.running
        progress.running = None

    def set_params(self, params):
        # An interrupted epoch ends in a `fit` of its own. Keras's progress bar gets
        # this dict next, and has to count the epochs of the whole run.
        params["epochs"] = self._config.n_epochs
        super().set_params(params)

    def on_epoch_begin(self, epoch, logs=None):
        self._mark = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        progress = self._progress
        progress.step += 1
        if self._running is not None:
            self._restore_counts()
        within = progress.step % self._steps_per_epoch
        is_due = (
            self._config.checkpoint_steps
            and within
            and progress.step % self._config.checkpoint_steps == 0
        )
        if is_due or within % _CHECK_STEPS == 0:
            self._require_finite((logs or {}).get("loss", 0.0), "loss")
        if is_due:
            self._devices.sync(self.model)
            progress.running = _values(self.model)
            self._save()
            progress.running = None

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        progress = self._progress
        self._require_finite(logs.get("loss", 0.0), "loss")
        heads = [evaluator.head for evaluator in self._evaluators]
        _name_by_task(logs, heads)
        validation = self._validate()
        score = score_of(validation)
        logs.update(_validation_logs(validation, heads))
        is_best = score > progress.best
        if is_best:
            progress.best, progress.best_epoch = score, epoch + 1
        self._take_time()
        progress.history.append(
            {
                "epoch": epoch + 1,
                **{
                    name: None if value is None else float(value)
                    for name, value in logs.items()
                },
                "learning_rate": float(self.model.optimizer.learning_rate),
                "seconds": round(progress.epoch_seconds, 2),
            }
        )
        progress.epoch_seconds = 0.0
        self._save(is_best)
        write_history(progress.history, self._run.history)
        for name in [name for name, value in logs.items() if value is None]:
            del logs[name]  # TensorBoard takes numbers only
        if is_over(progress, self._config):
            self.model.stop_training = True

    def _validate(self):
        model = self._devices.predictor(self.model)
        validation = []
        for evaluator in self._evaluators:
            predictions = evaluator.predict(model, "validating")
            self._require_finite(predictions.loss, "validation loss")
            validation.append(predictions)
        return validation

    def _require_finite(self, loss, name):
        if math.isfinite(loss):
            return
        best_epoch = self._progress.best_epoch
        best_kept = f"; the best epoch, {best_epoch}, is kept in {self._run.best}"
        raise UserError(
            f"training diverged: the {name} became {float(loss)} in epoch "
            f"{len(self._progress.history) + 1}; try a lower --learning-rate than "
            f"{self._config.learning_rate:g}" + (best_kept if best_epoch else "")
        )

    def _save(self, is_best=False):
        self._take_time()
        self._progress.n_replans = self._replan.n_replans
        self._checkpoints.save(self.model, self._progress, is_best)

    def _take_time(self):
        now = time.monotonic()
        self._progress.seconds += now - self._mark
        self._progress.epoch_seconds += now - self._mark
        self._mark = now

    def _restore_counts(self):
        """Adds the metrics' sums from before the epoch was interrupted."""
        self._devices.sync(self.model)
        for variable, before in zip(self.model.metrics_variables, self._running):
            variable.assign(keras.ops.convert_to_numpy(variable) + before)
        self._running = None


def is_over(progress, config):
    """Whether the last `config.patience` epochs brought no improvement.

    >>> from training.fit.progress import Progress
    >>> from training.settings.config import FitConfig
    >>> progress = Progress(best_epoch=1, history=[{"epoch": 1}, {"epoch": 2}])
    >>> is_over(progress, FitConfig("drums", patience=1))
    True
    """
    n_epochs = len(progress.history)
    return bool(config.patience and n_epochs - progress.best_epoch >= config.patience)


def score_of(predictions):
    """Key by which epochs are ranked: (mean of the tasks' main metrics, -mean loss).

    Args:
        predictions: Predictions for the validation clips, one a task.

    >>> from training.evaluation.clips import ClipPredictions
    >>> predictions = ClipPredictions(np.array([[0.0, 0.0]]), np.array([0]))
    >>> score_of([predictions])
    (1.0, -0.693...)
    """
    main_metrics = [p.metrics[p.judged_by] or 0.0 for p in predictions]
    losses = [p.loss for p in predictions]
    return sum(main_metrics) / len(main_metrics), -sum(losses) / len(losses)


def write_history(history, path):
    """Writes one row an epoch, as CSV; undefined numbers are empty fields.

    >>> write_history([{"epoch": 1, "loss": 0.7, "val_mAP": None}], Path("history.csv"))
    >>> Path("history.csv").read_text().split()
    ['epoch,loss,val_mAP', '1,0.7,']
    """
    write_csv(path, history)


def _values(model):
    return [keras.ops.convert_to_numpy(v).tolist() for v in model.metrics_variables]


def _name_by_task(logs, heads):
    """Renames Keras's metrics of several outputs: a task's loss is over its windows."""
    for head in heads if len(heads) > 1 else ():
        logs[f"{head.name}_loss"] = logs.pop(f"{head.name}_cross_entropy")


def _validation_logs(predictions, heads):
    metrics = [p.metrics for p in predictions]
    logs = {}
    if len(heads) > 1:
        for head, values in zip(heads, metrics):
            logs.update({f"val_{head.name}_{name}": values[name] for name in values})
    logs.update({f"val_{name}": value for name, value in averaged(metrics).items()})
    return {k: v for k, v in logs.items() if not k.endswith("n_examples")}
