"""Which converter is chosen; `.ci/run converter` runs other tests with the second."""

import importlib.util

import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.writers import converting
from export.writers.converting import LITERT, TF_LITE, VARIABLE, convert, converter
from leaf_files.errors import UserError


@pytest.fixture
def installed(monkeypatch):
    """installed("tf.lite"): what is there, as it were."""

    def pretend(*names):
        tensorflow = tf if TF_LITE in names else object()
        monkeypatch.setattr(converting, "import_tensorflow", lambda: tensorflow)
        specs = {"litert_converter": LITERT in names or None}
        monkeypatch.setattr(importlib.util, "find_spec", specs.get)

    monkeypatch.delenv(VARIABLE, raising=False)
    return pretend


def test_what_is_installed_is_taken(installed, monkeypatch):
    installed(TF_LITE, LITERT)
    assert converter() == TF_LITE
    installed(LITERT)
    assert converter() == LITERT
    installed(TF_LITE, LITERT)
    monkeypatch.setenv(VARIABLE, LITERT)
    assert converter() == LITERT


def test_what_is_missing_is_named(installed, monkeypatch):
    installed()
    with pytest.raises(UserError, match="has no tf.lite; .* pip install litert-conve"):
        converter()
    monkeypatch.setenv(VARIABLE, TF_LITE)
    with pytest.raises(UserError, match="leave out LEAF_TFLITE_CONVERTER, and install"):
        converter()
    installed(TF_LITE)
    monkeypatch.setenv(VARIABLE, LITERT)
    with pytest.raises(UserError, match="need the package litert-converter; install"):
        converter()
    monkeypatch.setenv(VARIABLE, "toco")
    with pytest.raises(UserError, match="tf.lite, litert-converter. Received: toco"):
        converter()


def test_several_inputs_and_outputs_keep_their_names():
    spec = [tf.TensorSpec((2,), tf.float32, name=name) for name in ("b", "a")]
    function = tf.function(lambda b, a: {"z": b - a, "y": b * a}, input_signature=spec)
    content = convert(function)
    runner = Interpreter(model_content=content).get_signature_runner("serving_default")
    answers = runner(a=tf.constant([1.0, 2.0]), b=tf.constant([5.0, 7.0]))
    assert {name: value.tolist() for name, value in answers.items()} == {
        "y": [5.0, 14.0],
        "z": [4.0, 5.0],
    }
