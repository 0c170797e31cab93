"""Small data that the tests of training make for themselves."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from files.clips import write_clip


@pytest.fixture(scope="session")
def synthetic_dir(tmp_path_factory):
    """A TFDS data folder in which the task `synthetic` is ready."""
    from training.tasks import get_task

    data_dir = tmp_path_factory.mktemp("tfds")
    get_task("synthetic").load(data_dir)
    return data_dir


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
