"""Modules of the user's own in the current folder, which `python -m` finds first."""

import subprocess
import sys

import pytest

from tests.rooms import modules

# `files`: the former name of a package of ours.
NAMES = sorted({"files", *(path.stem for path in modules("leaf_files", ""))})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of modules that must not be imported, named as ours are."""
    folder = tmp_path_factory.mktemp("own")
    for name in NAMES:
        (folder / f"{name}.py").write_text("raise SystemExit(f'{__name__} imported')\n")
    return folder


@pytest.mark.parametrize(
    "words, shown",
    [
        (("training", "tasks"), "spoken_digit"),
        (("training", "fit", "--help"), "--task"),
        (("export", "--help"), "RUN_OR_KERAS_FILE"),
        (("export", "predict", "--help"), "ARTIFACT"),
    ],
)
def test_files_named_as_our_modules_break_nothing(folder, words, shown):
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
