import zipfile

import keras
import numpy as np
import pytest

from leaf_files.errors import UserError
from training.fit.checkpoints import Checkpoints
from training.fit.progress import Progress
from training.run.folder import RunFolder


@pytest.fixture
def model():
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dropout(0.5, seed=3), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=False)
    return model


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path)


def learn(model):
    """A step, whose loss depends on weights, optimizer and the dropout drawn."""
    return float(model.train_on_batch(np.ones((8, 2), np.float32), np.ones((8, 1))))


def save(run, model, step, epoch=0, is_best=False):
    progress = Progress(
        step=step, best_epoch=epoch, history=[{"epoch": n + 1} for n in range(epoch)]
    )
    Checkpoints(run).save(model, progress, is_best)
    return model.get_weights()


def restored(run):
    said = []
    return *Checkpoints(run).restore(said.append), said


def break_in_the_middle(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_a_restored_model_learns_on_as_the_one_that_was_saved(run, model):
    for _ in range(3):
        learn(model)
    save(run, model, 3)
    other, progress, said = restored(run)
    assert progress.step == 3 and said == []
    assert [learn(other) for _ in range(3)] == [learn(model) for _ in range(3)]


def test_progress_survives_its_file(run, model):
    progress = Progress(
        step=7,
        best_epoch=1,
        best=(0.1 + 0.2, -1 / 3),
        history=[{"epoch": 1, "loss": 1e-9, "val_mAP": None}],
        n_replans=2,
        seconds=1.5,
        epoch_seconds=0.5,
        running=[2.0, [3.0, 4.0]],
    )
    Checkpoints(run).save(model, progress)
    assert restored(run)[1] == progress


def test_two_are_kept(run, model):
    for step in (1, 2, 3):
        save(run, model, step)
        learn(model)
    assert {path.name for path in run.last.parent.iterdir()} == {
        "last.keras",
        "previous.keras",
    }
    run.last.unlink()
    assert restored(run)[1].step == 2


@pytest.mark.parametrize(
    "damage",
    [
        break_in_the_middle,
        lambda path: path.write_bytes(path.read_bytes()[:-300]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:1000] + bytes(9000)),
    ],
)
def test_a_damaged_one_falls_back_to_the_one_before_and_says_so(run, model, damage):
    before = save(run, model, 1)
    learn(model)
    save(run, model, 2)
    damage(run.last)
    other, progress, [line] = restored(run)
    assert progress.step == 1
    np.testing.assert_array_equal(other.get_weights()[0], before[0])
    assert line.startswith(f"{run.last} is damaged (")
    assert line.endswith("); trying the checkpoint before")


def test_the_best_is_the_newest_when_what_came_after_is_damaged(run, model):
    save(run, model, 1)
    weights = save(run, model, 2, epoch=1, is_best=True)
    learn(model)
    save(run, model, 3, epoch=1)
    save(run, model, 4, epoch=1)
    for path in (run.last, run.previous):
        break_in_the_middle(path)
    other, progress, said = restored(run)
    assert progress.step == 2 and len(said) == 2
    np.testing.assert_array_equal(other.get_weights()[0], weights[0])


def test_a_run_that_is_cut_off_before_its_best_is_copied(run, model):
    save(run, model, 1, epoch=1, is_best=True)
    learn(model)
    weights = save(run, model, 2, epoch=2)  # better, but the copy isn't there
    restored(run)
    best = keras.models.load_model(run.best)
    np.testing.assert_array_equal(best.get_weights()[0], weights[0])


def test_a_zip_without_progress_is_damaged(run, model):
    run.last.parent.mkdir()
    model.save(run.last)
    with zipfile.ZipFile(run.last) as archive:
        assert archive.testzip() is None
    with pytest.raises(UserError, match="all checkpoints in .* are damaged; start"):
        restored(run)


def test_none_is_none(run):
    assert Checkpoints(run).restore(print) is None
