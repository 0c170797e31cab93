"""Where the shared folder is, and numbers every test can draw from."""

import gc
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Tests run side by side: threads of NumPy's BLAS that wait for a core in vain make the
# small products of a plan take ten times as long. Read when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest

SHARED = pathlib.Path(
    os.environ.get("LEAF_TF_SHARED", pathlib.Path(__file__).parents[2] / "shared")
)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Leaves what is imported, a million objects, out of each search for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    """Keeps the index of clips, and plans, out of the user's home."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["LEAF_TF_CACHE"] = str(folder)
    return folder


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
