"""Examples in docstrings print what they say, and whatever is public has one."""

import shutil

import keras
import numpy as np
import pytest

import leaf_tf
from export.source.opening import open_source
from leaf_files.clips import write_clip
from tests.docstrings import run_examples, without_example
from tests.export.models import SAMPLE_RATE
from tests.rooms import with_examples

CONVERTS = "converts a whole model, which takes seconds"
EXTRA = "needs packages that only an extra installs"
EXCEPTIONS = {
    "export.__main__.main": "reads the arguments of the process",
    "export.commands.export.export": CONVERTS,
    "export.commands.export.main": CONVERTS,
    "export.runners.micro": EXTRA,
    "export.runners.onnx": EXTRA,
    "export.runtimes.mediapipe_tasks.load": EXTRA,
    "export.runtimes.openvino_cpu.load": EXTRA,
    "export.runtimes.tflite_micro.load": EXTRA,
    "export.runners.opening.Runner": "a protocol",
    "export.runners.saved_model.SavedModelRunner": CONVERTS,
    "export.writers.micro.answers": EXTRA,
    "export.writers.micro.c_source": EXTRA,
    "export.writers.micro.compressing": EXTRA,
    "export.writers.micro.encoder": CONVERTS,
    "export.writers.micro.files": EXTRA,
    "export.writers.micro.frames": CONVERTS,
    "export.writers.micro.integers.integer_frames": CONVERTS,
    "export.writers.micro.model": CONVERTS,
    "export.writers.onnx": EXTRA,
    "export.writers.onnx_ops": EXTRA,
    "export.writers.quantization": CONVERTS,
    "export.writers.saved_model.save_module": CONVERTS,
    "export.writers.saved_model.saved_model_ops": CONVERTS,
    "export.writers.saved_model.write_saved_model": CONVERTS,
    "export.writers.tflite.write_tflite": CONVERTS,
}


@pytest.fixture(scope="module")
def folder(light_run, light_artifacts, tmp_path_factory):
    """The folder in which examples run: a run, its artifacts, a clip of noise."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copytree(light_run.folder, folder / "run")
    shutil.copytree(light_artifacts, folder / "artifacts")
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, SAMPLE_RATE)
    write_clip(folder / "clip.wav", noise, SAMPLE_RATE)
    return folder


@pytest.fixture(scope="module")
def source(folder):
    """The model of that run, opened."""
    return open_source(str(folder / "run"))


@pytest.mark.parametrize("name", with_examples("export"))
def test_examples_print_what_they_say(name, folder, source):
    run_examples(name, folder, keras=keras, leaf_tf=leaf_tf, source=source)


def test_whatever_is_public_has_an_example():
    assert without_example("export", EXCEPTIONS) == []
