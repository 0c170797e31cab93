"""Encoders in files of TFLite's builtin operators."""

import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf import encoders
from tests.export.models import softmax
from tests.leaf_tf.encoders.networks import perturb

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="exports TensorFlow graphs"
)


@pytest.mark.parametrize(
    "name", ["small", "bc_resnet", pytest.param("cnn6", marks=pytest.mark.slow)]
)
def test_tflite_answers_as_keras(name, rng, tmp_path):
    from ai_edge_litert.interpreter import Interpreter

    from export.source.opening import open_source
    from export.tflite_format.graph import read_graph
    from export.writers.tflite import write_tflite

    encoder = encoders.ENCODERS[name](n_filters=13)
    perturb(encoder, rng)
    frontend = leaf_tf.MelFilterbanks(n_filters=13, sample_rate=8000)
    # Of a size at which the probabilities are not near 0 and 1.
    scale = keras.layers.UnitNormalization()
    head = keras.layers.Dense(3, name="logits")
    model = keras.Sequential([keras.Input((None,)), frontend, encoder, scale, head])
    model.save(tmp_path / "model.keras")
    source = open_source(tmp_path / "model.keras", window_seconds=0.25)
    write_tflite(source, tmp_path / "model.tflite")

    graph = read_graph(tmp_path / "model.tflite")
    assert all(operator.isupper() for operator in graph.ops)
    # No trace of masks.
    assert not {"SELECT", "SELECT_V2", "GATHER", "WHILE"} & set(graph.ops)
    runner = Interpreter(str(tmp_path / "model.tflite")).get_signature_runner()
    window = rng.uniform(-1, 1, (1, 2000)).astype("float32")
    expected = softmax(model(window).numpy())
    np.testing.assert_allclose(
        runner(waveform=window)["probabilities"], expected, atol=1e-5
    )
