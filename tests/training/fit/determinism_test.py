"""The same seed, data and machine give the same run, to the last bit."""

import csv
import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import leaf_tf  # noqa: F401  registers its layers with Keras
from tests.training.runs import SAMPLE_RATE, write_noises

SETTINGS = (
    *("--frontend", "leaf", "--n-filters", "8", "--sample-rate", SAMPLE_RATE),
    *("--window-seconds", "0.25", "--epochs", "2", "--batch-size", "8"),
)
VARIED = ("--spec-augment", "--mixup", "0.5", "--noise-snr", "0,20", "--balanced")


def fitted(folder, clips, *options):
    """A run by a process of its own: metrics, history, weights."""
    command = ("fit", "--task", f"folder:{clips}", "--output", folder, *SETTINGS)
    command = [sys.executable, "-m", "training", *map(str, (*command, *options))]
    subprocess.run(command, check=True, capture_output=True)
    metrics = json.loads((folder / "metrics.json").read_text())
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        history = list(csv.DictReader(file))
    for timed in (metrics, *history):
        [timed.pop(name, None) for name in ("training_seconds", "seconds")]
    weights = keras.models.load_model(folder / "model.keras").get_weights()
    return metrics, history, weights


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), VARIED], ids=["plain", "varied"])
def test_two_processes_train_the_same_model(options, tmp_path):
    clips = write_noises(tmp_path / "clips", n_clips=10)
    first = fitted(tmp_path / "first", clips, *options)
    second = fitted(tmp_path / "second", clips, *options)
    assert first[:2] == second[:2]
    for weight, other in zip(first[2], second[2], strict=True):
        np.testing.assert_array_equal(weight, other)


@pytest.mark.slow
def test_another_seed_trains_another_model(tmp_path):
    clips = write_noises(tmp_path / "clips", n_clips=10)
    first = fitted(tmp_path / "first", clips, "--epochs", "1")
    other = fitted(tmp_path / "other", clips, "--epochs", "1", "--seed", "1")
    assert first[:2] != other[:2]
