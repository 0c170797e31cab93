import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from export.saved_model import write_saved_model
from export.sources import open_source
from tests.export.models import N_CLASSES, classifier, frontend, softmax

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
assert list(answers) == ["probabilities"], answers
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


def test_clips_of_different_lengths_in_one_batch(keras_file, windows, tmp_path):
    waveform = keras.Input((None,))
    features = frontend()(waveform)
    outputs = keras.layers.GlobalAveragePooling1D()(features)
    pooled = keras.Model(waveform, keras.layers.Dense(N_CLASSES)(outputs))
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\nd\n")
    write_saved_model(open_source(keras_file(pooled)), tmp_path / "pooled", tmp_path)
    model = tf.saved_model.load(tmp_path / "pooled")
    lengths = np.array([4000, 3999, 1601, 80, 1], "int32")
    serve = model.signatures["serving_padded"]
    together = serve(waveform=windows, lengths=lengths)["probabilities"]
    for row, window, length in zip(together, windows, lengths):
        alone = softmax(pooled(window[None, :length]).numpy())[0]
        np.testing.assert_allclose(row, alone, atol=1e-5)
    # The convolution of `classifier` drops the mask: its answer would be wrong.
    write_saved_model(
        open_source(keras_file(classifier())), tmp_path / "conv", tmp_path
    )
    signatures = tf.saved_model.load(tmp_path / "conv").signatures
    assert list(signatures) == ["serving_default"]


@pytest.fixture(scope="module")
def serve(exported):
    loaded = tf.saved_model.load(str(exported / "saved_model" / "1"))
    yield loaded.signatures["serving_default"]
    assert loaded.labels  # alive until here: the signature doesn't keep it so


@pytest.mark.parametrize("shape", [(1, 1), (3, 10), (2, 4001), (1, 20000)])
def test_batch_and_length_are_free(serve, run, rng, shape):
    waveform = rng.uniform(-1, 1, shape).astype(np.float32)
    answers = serve(waveform=tf.constant(waveform))["probabilities"]
    np.testing.assert_allclose(answers, softmax(run.model(waveform).numpy()), atol=1e-5)


def test_the_signature_is_named_and_typed(serve):
    (waveform,) = serve.structured_input_signature[1].values()
    assert waveform == tf.TensorSpec((None, None), tf.float32, name="waveform")
    assert list(serve.structured_outputs) == ["probabilities"]
    assert serve.structured_outputs["probabilities"].dtype == tf.float32


def test_the_labels_are_an_asset(exported):
    asset = exported / "saved_model" / "1" / "assets" / "labels.txt"
    assert asset.read_text() == (exported / "labels.txt").read_text()
