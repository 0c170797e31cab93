import subprocess
import sys

import numpy as np

# Keras can't be imported in this process at all: TensorFlow's own import would
# load a part of it.
PLAIN_TENSORFLOW = """
import sys
sys.modules["keras"] = sys.modules["leaf_tf"] = None
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
waveform = tf.constant(np.load(sys.argv[2]))
answers = model.signatures["serving_default"](waveform=waveform)
np.save(sys.argv[3], answers["probabilities"].numpy())
"""


def test_plain_tensorflow_answers_as_keras_does(exported, windows, expected, tmp_path):
    np.save(tmp_path / "windows.npy", windows)
    command = [
        sys.executable,
        "-c",
        PLAIN_TENSORFLOW,
        exported / "saved_model" / "1",
        tmp_path / "windows.npy",
        tmp_path / "answers.npy",
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "answers.npy"), expected, atol=1e-5)


def test_the_labels_are_an_asset(exported):
    asset = exported / "saved_model" / "1" / "assets" / "labels.txt"
    assert asset.read_text() == (exported / "labels.txt").read_text()


def saved_model_cli(*argv):
    module = "tensorflow.python.tools.saved_model_cli"
    command = [sys.executable, "-m", module, *argv]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_saved_model_cli_shows_and_runs_it(exported, windows, expected, tmp_path):
    folder = exported / "saved_model" / "1"
    shown = saved_model_cli(
        "show", "--dir", folder, "--tag_set", "serve",
        "--signature_def", "serving_default",
    )  # fmt: skip
    assert "inputs['waveform'] tensor_info" in shown and "shape: (-1, -1)" in shown
    assert "outputs['top_labels'] tensor_info" in shown
    np.save(tmp_path / "windows.npy", windows)
    saved_model_cli(
        "run", "--dir", folder, "--tag_set", "serve",
        "--signature_def", "serving_default",
        "--inputs", f"waveform={tmp_path / 'windows.npy'}", "--outdir", tmp_path,
    )  # fmt: skip
    answers = np.load(tmp_path / "probabilities.npy")
    np.testing.assert_allclose(answers, expected, atol=1e-5)
