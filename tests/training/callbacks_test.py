import csv

import keras
import numpy as np
import pytest

from files.errors import UserError
from tests.training.runs import make_head
from training.callbacks import ValidateAndSave
from training.evaluation import ClipPredictions
from training.run_folder import RunFolder


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


def train(path, validation, target=0.0, learning_rate=0.1, epochs=None):
    """One weight falls a little with each epoch, so that checkpoints differ."""
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(1, use_bias=False, kernel_initializer="ones"),
        ]
    )
    model.compile(keras.optimizers.SGD(learning_rate), "mse")
    saver = ValidateAndSave([Script(validation)], RunFolder(path), learning_rate)
    weights = []
    after = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.append(weight(model))
    )
    model.fit(
        np.ones((4, 1), np.float32),
        np.full((4, 1), target, np.float32),
        batch_size=4,
        epochs=epochs or len(validation),
        callbacks=[saver, after],
        verbose=0,
    )
    return saver, weights


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
    saver, weights = train(tmp_path, validation)
    run = RunFolder(tmp_path)
    assert len(set(weights)) == len(weights)
    assert saver.best_epoch == best
    assert saved(run.best) == weights[best - 1]
    assert saved(run.last) == weights[-1]


def test_history_has_a_row_per_epoch(tmp_path):
    validation = [(0.25, 1.5), (0.5, 1.25), (0.75, 1.0)]
    saver, weights = train(tmp_path, validation)
    with open(RunFolder(tmp_path).history, newline="") as file:
        rows = [
            {name: float(value) for name, value in row.items()}
            for row in csv.DictReader(file)
        ]
    assert rows == saver.history
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert [(row["val_accuracy"], row["val_loss"]) for row in rows] == validation
    # The loss before each step is the square of the weight.
    assert [row["loss"] for row in rows] == pytest.approx(
        [1.0, weights[0] ** 2, weights[1] ** 2], rel=1e-5
    )
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.1] * 3)


def test_a_loss_that_is_no_number_stops_the_run(tmp_path):
    with pytest.raises(UserError) as error:
        train(tmp_path, [(0.5, 1.0)] * 30, learning_rate=1e15, epochs=30)
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
