import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.contract.layout import INPUT
from export.tflite_format.graph_edits import keep_outputs, name_parts, part_of
from export.tflite_format.model import operator_name, outputs_of, write_model
from export.tflite_format.scaling import scale_in_float
from export.writers.quantization import to_int8
from tests.export.tflite_format.graph_edits_test import converted

SAMPLES = 400
SCALE = 3.3
STEP = SCALE / 255


def mean_of_normalised(x):
    """Features from 0 to 1, as a batch norm leaves them, and their mean."""
    features = tf.square(x)
    image = SCALE * tf.reshape(features, (1, SAMPLES, 1)) - 1.2345
    return {"features": features, "y": tf.exp(tf.reduce_mean(image, axis=1))}


def used_twice(x):
    features = tf.sin(x)
    scaled = 2.0 * features
    return {"features": features, "y": tf.tanh(scaled) * tf.reverse(scaled, [1])}


def scaled_by_itself(x):
    features = tf.sin(x)
    return {"features": features, "y": tf.tanh(features * tf.sigmoid(features))}


def parts(function, shape=(1, SAMPLES)):
    """The model of a function with named parts, and the parts of its operators."""
    model = converted(function, shape)
    features = outputs_of(model)["features"]
    keep_outputs(model, ["y"])
    name_parts(model, features)
    scale_in_float(model)
    graph = model.subgraphs[0]
    named = [(operator_name(model, op), part_of(graph, op)) for op in graph.operators]
    return model, named


def test_the_norm_of_the_features_is_the_frontends():
    _, named = parts(mean_of_normalised)
    assert dict(named)["SQUARE"] == dict(named)["MUL"] == "frontend"
    assert [part for name, part in named if name in ("ADD", "SUB")] == ["frontend"]
    assert dict(named)["MEAN"] == "encoder"


@pytest.mark.parametrize(
    "function, parts_of_products",
    [(used_twice, ["frontend", "output"]), (scaled_by_itself, ["encoder"])],
)
def test_products_of_two_tensors_stay_the_encoders(function, parts_of_products):
    _, named = parts(function)
    assert [part for name, part in named if name == "MUL"] == parts_of_products


def test_integers_do_not_move_the_mean(int8_weights, rng):
    """Values rounded once are off by half a step at most, their mean by hardly any."""
    sounds = rng.uniform(-1, 1, (4, SAMPLES)).astype(np.float32)
    model = converted(mean_of_normalised, (1, SAMPLES), INPUT)
    features = outputs_of(model)["features"]
    keep_outputs(model, ["y"])
    name_parts(model, features)
    content = write_model(to_int8(model, sounds))
    runner = Interpreter(model_content=content).get_signature_runner()
    for sound in sounds:
        exact = float(tf.math.log(mean_of_normalised(sound[None])["y"])[0, 0])
        found = float(np.log(runner(waveform=sound[None])["y"])[0, 0])
        assert abs(found - exact) < 0.1 * STEP
