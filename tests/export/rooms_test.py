"""The rooms of `export`: what each may import, and a README with all modules."""

import subprocess
import sys

import pytest
import soundfile

from tests.export.models import SAMPLE_RATE
from tests.rooms import (
    dotted,
    modules,
    require_readme,
    wrong_imports,
)

# The rooms that a room imports from.
ROOMS: dict[str, tuple[str, ...]] = {
    "contract": (),
    "tflite_format": ("contract",),
    "runners": ("contract", "tflite_format"),
    "runtimes": ("contract", "tflite_format", "runners"),
    "source": ("contract",),
    "writers": ("contract", "tflite_format", "runners", "source"),
    "report": ("contract", "tflite_format", "source"),
    "commands": (
        "contract", "tflite_format", "runners", "runtimes", "source", "writers",
        "report",
    ),
}  # fmt: skip
# Importing them takes seconds, and not all have them who run an artifact.
HEAVY = {"tensorflow", "keras", "leaf_tf", "jax", "torch"}
PROGRAM = """
import importlib, sys
from export.__main__ import dispatch

for name in sys.argv[1].split(","):
    importlib.import_module(name)
code = dispatch(sys.argv[2:]) if sys.argv[2:] else 0
print("\\nimported", *{name.partition(".")[0] for name in sys.modules})
sys.exit(code)
"""


def imported(names, *argv):
    """The packages in a process that imports modules, and runs a command."""
    command = [sys.executable, "-c", PROGRAM, ",".join(names), *map(str, argv)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("\nimported ")[2].split())


@pytest.fixture(scope="module")
def clip(windows, tmp_path_factory):
    path = tmp_path_factory.mktemp("rooms") / "clip.wav"
    soundfile.write(path, windows[0], SAMPLE_RATE)
    return path


@pytest.mark.parametrize("room", ["contract", "tflite_format", "runners", "runtimes"])
def test_these_rooms_import_no_tensorflow_and_no_keras(room):
    assert not HEAVY & imported(map(dotted, modules("export", room)))


@pytest.mark.parametrize("command", ["predict", "listen", "verify"])
def test_these_commands_import_no_tensorflow_and_no_keras(
    command, light_artifacts, clip
):
    sound = [] if command == "verify" else [clip]
    names = [f"export.commands.{command}"]
    assert not HEAVY & imported(names, command, light_artifacts, *sound)


def test_rooms_import_one_way():
    assert wrong_imports("export", ROOMS, ("training", "benchmarks", "tests")) == []


def test_the_readme_names_each_module_and_no_other():
    require_readme("export", ROOMS)
