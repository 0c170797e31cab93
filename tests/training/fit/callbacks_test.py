import csv
import dataclasses

import keras
import numpy as np
import pytest

import leaf_tf
from leaf_files.errors import UserError
from tests.training.runs import make_head
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions
from training.fit.callbacks import ValidateAndSave, score_of
from training.fit.devices import OneDevice
from training.fit.progress import Progress
from training.run.folder import RunFolder
from training.settings.config import FitConfig


class Script:
    """Stands for a `ClipEvaluator`: says what is written, epoch by epoch."""

    def __init__(self, accuracies_and_losses):
        self.head = make_head(2)
        self._lines = iter(accuracies_and_losses)

    def predict(self, model, doing):
        accuracy, loss = next(self._lines)

        class Said(ClipPredictions):
            pass

        Said.accuracy, Said.loss = accuracy, loss
        return Said(np.zeros((1, 2)), np.zeros(1, int))


def train(path, validation, target=0.0, learning_rate=0.1, **settings):
    """One weight falls a little with each epoch, so that checkpoints differ."""
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ]
    )
    model.compile(keras.optimizers.SGD(learning_rate), "mse", jit_compile=False)
    config = FitConfig("t", learning_rate=learning_rate, epochs=len(validation))
    config = dataclasses.replace(config, **settings)
    progress = Progress()
    saver = ValidateAndSave(
        [Script(validation)],
        RunFolder(path),
        config,
        1,
        progress,
        leaf_tf.Replan(),
        OneDevice(),
    )
    weights = []
    after = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(weight(model))
    )
    model.fit(
        np.ones((4, 1), np.float32),
        np.full((4, 1), target, np.float32),
        batch_size=4,
        epochs=len(validation),
        callbacks=[saver, after],
        verbose=0,
    )
    return progress, weights


def weight(model):
    return float(model.get_weights()[0][0, 0])


def saved(path):
    return weight(keras.models.load_model(path))


@pytest.mark.parametrize(
    "validation, best",
    [
        ([(0.5, 1.0), (0.7, 2.0), (0.6, 0.1)], 2),  # accuracy goes first
        ([(0.5, 1.0), (0.5, 0.9), (0.5, 0.95)], 2),  # then the lower loss
        ([(0.5, 1.0), (0.5, 1.0)], 1),  # then the earlier
        ([(0.0, 9.0), (0.0, 8.0)], 2),
        ([(0.0, 9.0), (0.1, 99.0)], 2),
    ],
)
def test_the_best_epoch_is_kept(tmp_path, validation, best):
    progress, weights = train(tmp_path, validation)
    run = RunFolder(tmp_path)
    assert len(set(weights)) == len(weights)
    assert progress.best_epoch == best
    assert saved(run.best) == weights[best - 1]
    assert saved(run.last) == weights[-1]


def test_history_has_a_row_per_epoch(tmp_path):
    validation = [(0.25, 1.5), (0.5, 1.25), (0.75, 1.0)]
    progress, weights = train(tmp_path, validation)
    with open(RunFolder(tmp_path).history, newline="") as file:
        rows = [
            {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]
    assert rows == progress.history
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [(row["val_accuracy"], row["val_loss"]) for row in rows] == validation
    # The loss before each step is the square of the weight.
    assert [row["loss"] for row in rows] == pytest.approx(
        [1.0, weights[0] ** 2, weights[1] ** 2], rel=1e-5
    )
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.1] * 3)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    with pytest.raises(UserError) as error:
        train(tmp_path, [(0.5, 1.0)] * 30, learning_rate=1e15)
    message = str(error.value)
    assert message.startswith("training diverged: the loss became inf in epoch 3; try")
    assert "a lower --learning-rate than 1e+15; the best epoch, 1, is kept" in message
    run = RunFolder(tmp_path)
    assert np.isfinite([saved(run.best), saved(run.last)]).all()
    assert len(run.history.read_text().splitlines()) == 3


def test_a_validation_loss_that_is_no_number_stops_before_it_is_saved(tmp_path):
    with pytest.raises(UserError, match="the validation loss became nan in epoch 2"):
        train(tmp_path, [(0.5, 1.0), (0.9, np.nan)])
    assert saved(RunFolder(tmp_path).last) == pytest.approx(0.8)


def test_divergence_at_once_promises_no_checkpoint(tmp_path):
    with pytest.raises(UserError) as error:
        train(tmp_path, [(0.5, 1.0)], target=1e30)
    assert "kept" not in str(error.value)
    assert not RunFolder(tmp_path).best.exists()


def test_the_run_ends_after_epochs_of_patience(tmp_path):
    losses = [3.0, 2.0, 2.5, 2.4, 1.0, 1.0]
    progress, weights = train(tmp_path, [(0.5, loss) for loss in losses], patience=2)
    assert progress.best_epoch == 2
    assert len(progress.history) == len(weights) == 4


def test_scores_are_means_over_tasks_of_what_each_is_judged_by():
    one = ClipPredictions(np.array([[2.0, 0], [1, 0]]), np.array([0, 1]))
    many = MultiLabelPredictions(
        np.array([[2.0, 1], [0, 3]]), np.array([[1, 0], [0, 0]])
    )
    assert many.metrics["mAP"] == 1.0
    score, loss = score_of([one, many])
    assert score == (0.5 + 1.0) / 2
    assert loss == -(one.loss + many.loss) / 2
