"""A run folder as training writes it, and one export of it for all tests."""

import csv
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from export.__main__ import dispatch
from export.source.opening import open_source
from export.writers.tflite import TFLiteFiles
from leaf_files.clips import read_clip, write_clip
from leaf_files.windows import cut_windows
from tests.export.models import N_CLASSES, SAMPLE_RATE, classifier, mel, softmax
from tests.once import once

WINDOW_SAMPLES = SAMPLE_RATE // 2
LABELS = ("north", "south", "east", "west")


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """A run folder: half a second a window, 6 clips, 4 of them labelled right."""
    return _write_run(tmp_path_factory.mktemp("runs") / "compass", classifier())


@pytest.fixture(scope="session")
def light_run(tmp_path_factory):
    """The same of mel features, for tests of what doesn't depend on the frontend."""
    folder = tmp_path_factory.mktemp("light_runs") / "compass"
    return _write_run(folder, classifier(layer=mel()))


def _write_run(folder, model):
    clips = folder / "evaluation_clips"
    clips.mkdir(parents=True)
    model.save(folder / "model.keras")
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    config = {"sample_rate": SAMPLE_RATE, "window_seconds": 0.5, "seed": 0}
    (folder / "config.json").write_text(json.dumps(config))
    answers = _write_clips(clips, model)
    labels = [
        LABELS[(answer + (i < 2)) % N_CLASSES] for i, answer in enumerate(answers)
    ]
    with open(clips / "clips.csv", "w", newline="") as file:
        rows = [(f"{i}.flac", label) for i, label in enumerate(labels)]
        csv.writer(file).writerows([("file", "label"), *rows])
    return SimpleNamespace(folder=folder, model=model, clips=clips, accuracy=4 / 6)


def _write_clips(folder, model):
    """Tones in noise, 0.3 to 1.6 s; returns Keras's class of each whole clip."""
    rng = np.random.default_rng(7)
    answers = []
    for index, seconds in enumerate((0.3, 0.5, 0.8, 1.1, 1.6, 0.6)):
        t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        tone = np.sin(2 * np.pi * 400 * (1 + index) * t * (1 + t))
        path = folder / f"{index}.flac"
        write_clip(path, 0.4 * tone + 0.05 * rng.standard_normal(t.size), SAMPLE_RATE)
        windows = cut_windows(read_clip(path)[0], WINDOW_SAMPLES)
        answers.append(int(model(windows).numpy().mean(axis=0).argmax()))
    return answers


@pytest.fixture(scope="session")
def exported(run, tmp_path_factory):
    """The artifact folder that `python -m export` writes of `run`, without int8."""

    def make(folder):
        options = ["--output", str(folder), "--quantize", "none,float16"]
        assert not dispatch([str(run.folder), *options])

    return once(tmp_path_factory, "exported_compass", make)


@pytest.fixture(scope="session")
def light_artifacts(light_run, tmp_path_factory):
    """The `.tflite` files of `light_run`, a streaming one among them."""

    def make(folder):
        options = ["--formats", "tflite", "--quantize", "none", "--streaming"]
        assert not dispatch([str(light_run.folder), "--output", str(folder), *options])

    return once(tmp_path_factory, "light_artifacts", make)


@pytest.fixture(scope="session")
def files(run):
    """The `TFLiteFiles` of `run`, which keeps what it converted."""
    return TFLiteFiles(open_source(str(run.folder)))


@pytest.fixture(scope="session")
def int8_weights():
    """Skips where the package that makes them is missing."""
    reason = "ai-edge-quantizer, which makes int8 weights, is not installed"
    pytest.importorskip("ai_edge_quantizer", reason=reason)


@pytest.fixture(scope="session")
def windows():
    """(5, WINDOW_SAMPLES): tones in noise, a click, silence."""
    rng = np.random.default_rng(3)
    t = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE
    tones = np.sin(2 * np.pi * np.array([[200], [900], [3000]]) * t)
    click = np.where(np.arange(WINDOW_SAMPLES) == 99, 1.0, 0.0)
    noisy = 0.3 * tones + 0.1 * rng.standard_normal(tones.shape)
    return np.stack([*noisy, click, 0.0 * click]).astype(np.float32)


@pytest.fixture(scope="session")
def expected(run, windows):
    """Keras's probabilities of `windows`; they differ enough to tell a mistake."""
    probabilities = softmax(keras.ops.convert_to_numpy(run.model(windows)))
    assert np.ptp(probabilities, axis=0).max() > 0.3
    return probabilities


@pytest.fixture
def keras_file(tmp_path):
    """Saves a model; returns the path of its `.keras` file."""

    def save(model):
        path = tmp_path / "model.keras"
        model.save(path)
        return path

    return save
