import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.tflite_format.graph import read_graph
from export.writers.folding import fold, folded_call
from leaf_files.quiet import native_logs_hidden

NAMES = ("Exp", "StridedSlice", "RandomUniform")


@pytest.fixture
def computed_taps():
    """A tf.function that makes its (401, 128) taps of 64 learned numbers."""
    freqs = tf.Variable(tf.linspace(0.1, 3.0, 64))
    t = tf.range(-200.0, 201.0)[:, None]

    def serve(waveform):
        taps = tf.stack([tf.sin(freqs * t), tf.cos(freqs * t)], axis=-1)
        return {"probabilities": waveform @ tf.reshape(taps, (401, 128))}

    spec = tf.TensorSpec((1, 401), tf.float32, name="waveform")
    yield tf.function(serve, input_signature=[spec], autograph=False)
    assert freqs.shape == 64  # alive until here: the function doesn't keep it so


def convert(function, path):
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], tf.Module()
    )
    with native_logs_hidden():
        path.write_bytes(converter.convert())
    return read_graph(path)


def test_only_the_work_on_the_waveform_is_left(computed_taps, tmp_path, rng):
    # The converter of TensorFlow 2.21 alone gives up on taps of this size.
    folded = fold(computed_taps.get_concrete_function())
    graph = convert(folded, tmp_path / "folded.tflite")
    assert graph.ops == {"FULLY_CONNECTED": 1}

    waveform = rng.standard_normal((1, 401)).astype(np.float32)
    expected = computed_taps(waveform)["probabilities"]
    assert np.abs(expected).max() > 1
    np.testing.assert_allclose(
        folded(waveform)["probabilities"], expected, rtol=1e-5, atol=1e-4
    )
    model = Interpreter(str(tmp_path / "folded.tflite")).get_signature_runner()
    np.testing.assert_allclose(
        model(waveform=waveform)["probabilities"], expected, rtol=1e-5, atol=1e-4
    )


def test_a_folded_function_holds_no_variables(computed_taps):
    folded = fold(computed_taps.get_concrete_function()).get_concrete_function()
    assert folded.variables == () and folded.captured_inputs == []


def test_what_made_the_taps_is_gone(computed_taps):
    graph = fold(computed_taps.get_concrete_function()).get_concrete_function().graph
    ops = [op.type for op in graph.get_operations()]
    assert {*ops} == {"Placeholder", "Const", "MatMul", "Identity"}
    held = [op.outputs[0].shape for op in graph.get_operations() if op.type == "Const"]
    assert held == [(401, 128)]


def test_checks_of_the_waveform_stay():
    def serve(waveform):
        check = tf.debugging.Assert(tf.reduce_all(waveform < 2), ["no sound"])
        with tf.control_dependencies([check]):
            twice = 2 * waveform
        return {"twice": [twice, tf.exp(0.0)]}

    call = tf.function(
        folded_call(serve, [tf.TensorSpec((3,), tf.float32, name="waveform")])
    )
    twice, one = call(tf.constant([0.0, 0.5, 1.0]))["twice"]
    assert twice.numpy().tolist() == [0.0, 1.0, 2.0] and one == 1.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="no sound"):
        call(tf.constant([0.0, 0.5, 3.0]))


def test_an_answer_that_ignores_the_waveform_folds_too():
    def serve(waveform):
        return {"probabilities": tf.sin(tf.ones((1, 2)))}

    spec = tf.TensorSpec((1, 4), tf.float32, name="waveform")
    constant = tf.function(serve, input_signature=[spec], autograph=False)
    folded = fold(constant.get_concrete_function())
    np.testing.assert_allclose(
        folded(np.zeros((1, 4), "f"))["probabilities"], np.sin([[1.0, 1.0]]), rtol=1e-6
    )


def test_what_is_computed_twice_is_computed_once_but_chance():
    def serve(x):
        first, second = (tf.exp(x[:, :2]) * tf.constant([2.0, 3.0]) for _ in range(2))
        chance = tf.random.uniform((2,)) - tf.random.uniform((2,))
        return {"sum": first + second, "chance": chance}

    spec = tf.TensorSpec((None, 3), tf.float32, name="x")
    whole = tf.function(serve, input_signature=[spec], autograph=False)
    whole = whole.get_concrete_function()
    folded = fold(whole).get_concrete_function()
    counts = [
        [sum(op.type == name for op in made.graph.get_operations()) for name in NAMES]
        for made in (whole, folded)
    ]
    assert counts == [[2, 2, 2], [1, 1, 2]]
    x = tf.constant([[0.5, 1.0, 2.0]])
    np.testing.assert_array_equal(folded(x)["sum"], whole(x)["sum"])
    assert np.all(folded(x)["chance"] != 0.0)
