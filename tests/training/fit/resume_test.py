"""A run that is cut off and goes on ends like one that was never cut off."""

import csv
import dataclasses
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import keras
import pytest

from leaf_files.errors import UserError
from tests.training.runs import flat, small_config, write_noises
from training.evaluation import figures
from training.fit import fitting
from training.fit.checkpoints import Checkpoints
from training.fit.fitting import fit
from training.run.folder import RunFolder

# All that draws numbers in training: dropout, SpecAugment, speed, place, room, gain,
# noise, mixup, two tasks; and all that has a state.
SETTINGS = dict(
    spec_augment=True,
    speed=(0.9, 1.1),
    time_shift=0.02,
    synthetic_rirs=True,
    gain=(-6.0, 6.0),
    mixup=0.4,
    noise_snr=(5.0, 30.0),
    epochs=4,
    steps_per_epoch=6,
    checkpoint_steps=4,
    warmup_steps=5,
    clip_norm=1.0,
    patience=3,
)


class CutOff(BaseException):
    """Stands for a power cut: nothing catches it."""


class CutAfter(keras.callbacks.Callback):
    """Ends the run when so many steps are done."""

    def __init__(self, steps):
        super().__init__()
        self._steps = steps

    def on_train_batch_end(self, batch, logs=None):
        self._steps -= 1
        if self._steps < 0:
            raise CutOff


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    one = write_noises(folder / "a", n_clips=6)
    two = write_noises(folder / "b", n_clips=9, seed=1)
    return f"folder:{one},folder:{two}"


@pytest.fixture(scope="module", autouse=True)
def no_figures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "draw_run", lambda *args: None)
        yield


@pytest.fixture(scope="module")
def config(task, tmp_path_factory):
    """With a light encoder, which draws numbers and has a state like our own."""
    path = tmp_path_factory.mktemp("encoders") / "light.keras"
    features = keras.Input((None, 8))
    outputs = keras.layers.Conv1D(8, 3, padding="same", use_bias=False)(features)
    outputs = keras.layers.BatchNormalization(momentum=0.9)(outputs)
    outputs = keras.layers.GlobalAveragePooling1D()(keras.layers.ReLU()(outputs))
    keras.Model(features, keras.layers.Dropout(0.3)(outputs)).save(path)
    return small_config(None, task=task, encoder=str(path), **SETTINGS)


@pytest.fixture(scope="module")
def unbroken(config, tmp_path_factory):
    """A run, and its folder as it was before what comes after the last epoch."""
    path = tmp_path_factory.mktemp("unbroken") / "run"
    cut = path.with_name("cut")

    def keep(*args):
        shutil.copytree(path, cut)
        return original(*args)

    original = fitting.without_optimizer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "without_optimizer", keep)
        metrics = fit(config, path)
    return SimpleNamespace(path=path, cut=cut, metrics=metrics)


@pytest.fixture
def cut_after(monkeypatch):
    """Runs `fit` until it is cut off after so many of its steps."""
    original = keras.Model.fit

    def run(steps, config, path, **options):
        cut = CutAfter(steps)

        def fit_model(model, *args, callbacks, **kwargs):
            if not steps:
                raise CutOff
            return original(model, *args, callbacks=[*callbacks, cut], **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(keras.Model, "fit", fit_model)
            with pytest.raises(CutOff):
                fit(config, path, **options)

    return run


def read_history(path):
    with open(path / "history.csv", newline="") as file:
        return [
            {name: float(value) for name, value in row.items() if name != "seconds"}
            for row in csv.DictReader(file)
        ]


def assert_alike(path, unbroken):
    metrics = json.loads((path / "metrics.json").read_text())
    assert metrics.keys() == unbroken.metrics.keys()
    for name, expected in unbroken.metrics["tasks"].items():
        assert flat(metrics["tasks"][name]) == pytest.approx(flat(expected), abs=1e-3)
    assert metrics["best_epoch"] == unbroken.metrics["best_epoch"]
    rows = read_history(path), read_history(unbroken.path)
    for row, expected in zip(*rows, strict=True):
        assert row == pytest.approx(expected, abs=1e-3)
    replans = [
        found.get("frontend_error", {}).get("replans")
        for found in (metrics, unbroken.metrics)
    ]
    assert replans[0] == replans[1]


@pytest.mark.slow
def test_cut_off_in_an_epoch_after_one_and_before_any_checkpoint(
    config, unbroken, cut_after, tmp_path, capsys
):
    path = tmp_path / "run"
    cut_after(0, config, path)  # nothing is saved yet
    cut_after(5, config, path, resume=True)  # step 4 is saved
    capsys.readouterr()
    cut_after(8, config, path, resume=True)  # step 12 is saved, an epoch's end
    out = capsys.readouterr().out
    assert "going on after step 4: 0 epochs of 4 and 4 steps of 6" in out
    assert "Epoch 1/4\n2/2" in out and "Epoch 2/4\n6/6" in out
    fit(config, path, resume=True)
    assert "going on after step 12: 2 epochs of 4" in capsys.readouterr().out
    assert_alike(path, unbroken)


def test_cut_off_after_the_last_epoch(config, unbroken, tmp_path, capsys):
    path = shutil.copytree(unbroken.cut, tmp_path / "run")
    assert not (path / "metrics.json").exists()
    half = path / "checkpoints" / f".{'0' * 32}.keras"
    half.write_bytes(b"begun")
    fit(config, path, resume=True)
    assert "going on after step 24: 4 epochs of 4" in capsys.readouterr().out
    assert_alike(path, unbroken)
    assert not half.exists()


def test_a_finished_run_says_so(config, unbroken, capsys):
    assert fit(config, unbroken.path, resume=True) == unbroken.metrics
    assert capsys.readouterr().out == f"the run in {unbroken.path} is finished\n"


def test_a_run_of_other_settings_is_not_gone_on_with(config, unbroken, tmp_path):
    path = shutil.copytree(unbroken.cut, tmp_path / "run")
    other = dataclasses.replace(config, mixup=0.5)
    with pytest.raises(UserError, match=r"started with mixup 0.4 \(received: 0.5\)"):
        fit(other, path, resume=True)


def command(task, path):
    """The run of `SETTINGS` with LEAF, as a user starts it and goes on with it."""
    argv = [sys.executable, "-m", "training", "fit", "--resume", "--deterministic"]
    argv += ["--task", task, "--output", path, "--n-filters", 8, "--noise-snr", "5,30"]
    argv += ["--sample-rate", 8000, "--window-seconds", 0.25, "--batch-size", 8]
    argv += ["--learning-rate", 2e-2, "--mixup", 0.4, "--spec-augment"]
    argv += ["--speed", "0.9,1.1", "--synthetic-rirs", "--gain", "-6,6"]
    for name in ("epochs", "steps_per_epoch", "checkpoint_steps", "warmup_steps"):
        argv += [f"--{name.replace('_', '-')}", SETTINGS[name]]
    return [str(word) for word in argv]


def kill_when(is_time, task, path):
    """Starts or goes on with a run, and kills it by SIGKILL while it is time.

    Returns:
        What it said.
    """
    process = subprocess.Popen(
        command(task, path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 1200
    while True:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        if is_time():
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.05)
            if is_time():  # still: between the look and the stop it went on
                break
            process.send_signal(signal.SIGCONT)
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    out, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    return out


def saves(path):
    """The checkpoint files that are being written."""
    return list((path / "checkpoints").glob(".*.keras"))


@pytest.mark.slow
def test_killed_three_times(task, tmp_path):
    unbroken, path = tmp_path / "unbroken", tmp_path / "run"
    subprocess.run(command(task, unbroken), check=True, capture_output=True)
    run = RunFolder(path)

    kill_when(run.last.exists, task, path)  # in the first epoch

    before = run.last.stat().st_ino
    kill_when(
        lambda: saves(path) and run.last.stat().st_ino != before, task, path
    )  # while a checkpoint is written
    assert saves(path)

    n_rows = len(read_history(path)) if run.history.exists() else 0
    kill_when(
        lambda: run.history.exists() and len(read_history(path)) > n_rows, task, path
    )  # as an epoch ends
    assert not run.metrics.exists()

    done = subprocess.run(command(task, path), check=True, capture_output=True)
    assert re.search(rb"going on after step \d+", done.stdout)
    expected = json.loads((unbroken / "metrics.json").read_text())
    assert_alike(path, SimpleNamespace(path=unbroken, metrics=expected))
    done = subprocess.run(command(task, path), check=True, capture_output=True)
    assert done.stdout == f"the run in {path} is finished\n".encode()
    assert Checkpoints(run).restore(print)[1].step == 24
