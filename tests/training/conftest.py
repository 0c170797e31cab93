"""Small data that the tests of training make for themselves."""

import os
from types import SimpleNamespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from leaf_files.clips import write_clip
from tests.training import miniatures
from tests.training.runs import small_config, write_noises, write_pooling
from training.tasks.registry import get_task


@pytest.fixture(scope="session")
def miniature(tmp_path_factory):
    """miniature(task) is the `TaskData` of a small archive, by the real builder."""
    data_dir = tmp_path_factory.mktemp("miniatures")
    ready = {}

    def load(name):
        if get_task(name).needs_beam:
            pytest.importorskip("apache_beam", reason="needs the extra `beam`")
        if name not in ready:
            ready.update(miniatures.ready(data_dir, [name]))
        return ready[name]

    return load


@pytest.fixture
def make_folder(tmp_path):
    """Makes a folder task of noise clips: make_folder({"a": 5, "b": 4})."""

    def make(n_clips, samples=100, sample_rate=8000):
        random = np.random.default_rng(0)
        folder = tmp_path / "clips"
        folder.mkdir()
        for label, n in n_clips.items():
            (folder / label).mkdir()
            for index in range(n):
                write_clip(
                    folder / label / f"{index}.wav",
                    random.uniform(-0.5, 0.5, samples),
                    sample_rate,
                )
        return folder

    return make


@pytest.fixture(scope="session")
def noises(tmp_path_factory):
    """A folder task that a small model learns: low against high noise."""
    return write_noises(tmp_path_factory.mktemp("noises"))


@pytest.fixture(scope="session")
def pooling(tmp_path_factory):
    """Path of an encoder behind which a training is a convex problem, and cheap."""
    return write_pooling(tmp_path_factory.mktemp("encoders") / "pooling.keras")


@pytest.fixture
def no_figures(monkeypatch):
    """Runs that are drawn by nobody, where figures are not what is tested."""
    monkeypatch.setattr("training.evaluation.figures.draw_run", lambda *args: None)
    monkeypatch.setattr("training.fit.fitting.draw_reliability", lambda *args: None)


@pytest.fixture(scope="session")
def finished(noises, pooling, tmp_path_factory):
    """A finished run on `noises`, and the metrics that `fit` returned."""
    from training.fit.fitting import fit

    config = small_config(noises, encoder=pooling, learning_rate=3e-2)
    path = tmp_path_factory.mktemp("runs") / "mel"
    return SimpleNamespace(path=path, config=config, metrics=fit(config, path))
