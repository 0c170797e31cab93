"""Where the shared folder is, and numbers every test can draw from."""

import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

SHARED = pathlib.Path(
    os.environ.get("LEAF_TF_SHARED", pathlib.Path(__file__).parents[2] / "shared")
)


def pytest_collection_finish():
    """Keras compiles by XLA, which takes seconds a model, where it is asked to.

    By default it does so by itself, on CPUs too. What XLA makes of us is tested
    where `jit_compile=True`.
    """
    trainer = sys.modules.get("keras.src.trainers.trainer")
    if trainer and trainer.backend.backend() == "tensorflow":
        trainer.model_supports_jit = lambda model: False


@pytest.fixture(scope="session")
def shared():
    """The project's shared folder: golden files and real clips."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the project's shared folder, not found at {SHARED}")
    return SHARED


@pytest.fixture
def rng():
    """A generator with a fixed seed."""
    return np.random.default_rng(20260801)
