import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from export.source.opening import open_source
from export.writers.saved_model import write_saved_model
from leaf_files.atomic import write_text
from tests.export.conftest import LABELS

# Keras can't be imported in this process at all: TensorFlow's own import would
# load a part of it. TensorFlow's command `saved_model_cli` runs in it, too.
PLAIN_TENSORFLOW = """
import json, sys
sys.modules["keras"] = sys.modules["leaf_tf"] = None
import numpy as np
import tensorflow as tf
from absl import flags
from tensorflow.python.tools import saved_model_cli
model = tf.saved_model.load(sys.argv[1])
waveform = tf.constant(np.load(sys.argv[2]))
answers = model.signatures["serving_default"](waveform=waveform)
np.save(sys.argv[3], answers["probabilities"].numpy())
for words in json.loads(sys.argv[4]):
    sys.argv = ["saved_model_cli", *words]
    flags.FLAGS.unparse_flags()
    try:
        saved_model_cli.main()
    except SystemExit as end:
        assert not end.code, end.code
"""


@pytest.fixture(scope="module")
def plain(exported, windows, tmp_path_factory):
    """What plain TensorFlow answers, and what its command shows and answers."""
    place = tmp_path_factory.mktemp("plain")
    folder = str(exported / "saved_model" / "1")
    np.save(place / "windows.npy", windows)
    served = ["--dir", folder, "--tag_set", "serve"]
    served += ["--signature_def", "serving_default"]
    inputs = ["--inputs", f"waveform={place / 'windows.npy'}", "--outdir", str(place)]
    commands = [["show", *served], ["run", *served, *inputs]]
    argv = [folder, place / "windows.npy", place / "answers.npy", json.dumps(commands)]
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_TENSORFLOW, *argv], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(
        answers=np.load(place / "answers.npy"),
        shown=done.stdout.partition("Result for output key")[0],
        answers_of_command=np.load(place / "probabilities.npy"),
    )


def test_plain_tensorflow_answers_as_keras_does(plain, expected):
    np.testing.assert_allclose(plain.answers, expected, atol=1e-5)


def test_the_labels_are_an_asset(exported):
    asset = exported / "saved_model" / "1" / "assets" / "labels.txt"
    assert asset.read_text() == (exported / "labels.txt").read_text()


def test_saved_model_cli_shows_and_runs_it(plain, expected):
    shown = plain.shown
    assert "inputs['waveform'] tensor_info" in shown and "shape: (-1, -1)" in shown
    assert "outputs['top_labels'] tensor_info" in shown
    np.testing.assert_allclose(plain.answers_of_command, expected, atol=1e-5)


def test_a_trainable_one_learns_in_plain_tensorflow(light_run, windows, tmp_path):
    write_text(tmp_path / "labels.txt", "\n".join(LABELS) + "\n")
    source = open_source(str(light_run.folder))
    write_saved_model(source, tmp_path / "model", tmp_path, trainable=True)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    serve = loaded.signatures["serving_default"]

    def loss():
        return tf.reduce_mean(serve(waveform=tf.constant(windows))["logits"][:, 0])

    with tf.GradientTape() as tape:
        before = loss()
    weights = loaded.trainable_weights
    assert len(weights) == len(light_run.model.trainable_weights)
    gradients = tape.gradient(before, weights)
    # Of the head's last weights alone: how much the loss falls is known.
    bias = next(i for i, w in enumerate(weights) if w.shape == (len(LABELS),))
    weights[bias].assign_sub(gradients[bias])
    assert float(loss()) == pytest.approx(float(before) - 1.0, abs=1e-4)
    assert all(gradient is not None for gradient in gradients)
