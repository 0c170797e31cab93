"""The same sound through every runtime that is installed, beside Keras."""

import dataclasses

import keras
import numpy as np
import pytest

from export.report.parity import TOLERANCE, keras_probabilities, keras_stream
from export.runners.stream import StreamRunner
from export.runtimes.table import ONNX, RUNTIMES, SAVED_MODEL, TFLITE, kind_of
from export.source.opening import open_source
from export.writers.stream import StreamModel
from export.writers.tflite import TFLiteFiles
from leaf_files.decisions import Decisions
from leaf_files.errors import UserError
from tests.export.models import classifier, two_heads

# In bfloat16, where the processor has it: an eighth bit rounds a half per cent.
LOOSE = {"openvino": 0.05}


@pytest.fixture(params=RUNTIMES)
def runtime(request):
    """Each runtime, where its package is."""
    runtime = RUNTIMES[request.param]
    if not runtime.is_installed:
        pytest.skip(f"{runtime.title} is not installed; it comes with `runtimes`")
    return runtime


@pytest.mark.parametrize("kind", [TFLITE, ONNX, SAVED_MODEL])
def test_probabilities_are_those_of_keras(
    runtime, kind, exported, windows, expected, request
):
    if kind not in runtime.formats:
        pytest.skip(f"{runtime.title} doesn't take {kind}")
    path = {
        TFLITE: lambda: exported / "model.tflite",
        ONNX: lambda: request.getfixturevalue("onnx_path"),
        SAVED_MODEL: lambda: exported / "saved_model" / "1",
    }[kind]()
    assert kind_of(path) == kind
    tolerance = LOOSE.get(runtime.name, TOLERANCE)
    answers = runtime.load(path)(windows)
    assert list(answers) == [""]
    np.testing.assert_allclose(answers[""], expected, atol=tolerance)


def test_what_cannot_be_meant_is_answered_with_nan(runtime, exported, windows):
    """By OpenVINO, too, but of a SavedModel, of which it leaves out the checks."""
    if TFLITE not in runtime.formats:
        pytest.skip(f"{runtime.title} doesn't take .tflite files")
    bad = windows[:3].copy()
    bad[:2, 5] = [np.nan, 1e30]
    # An effective value of 3 million, and one of 2 million, which is let pass.
    loud = np.array([[3e6], [2e6]], np.float32) * np.ones_like(windows[:2])
    answers = runtime.load(exported / "model.tflite")(np.concatenate([bad, loud]))[""]
    assert np.isnan(answers[[0, 1, 3]]).all()
    assert np.isfinite(answers[[2, 4]]).all()


def test_features_are_those_of_litert(runtime, exported, windows):
    if TFLITE not in runtime.formats or runtime.name == "mediapipe":
        pytest.skip(f"{runtime.title} doesn't take parts of a model")
    path = exported / "frontend.tflite"
    expected = RUNTIMES["litert"].load(path)(windows)["features"]
    answers = runtime.load(path)(windows)["features"]
    tolerance = LOOSE.get(runtime.name, TOLERANCE) * np.abs(expected).max()
    np.testing.assert_allclose(answers, expected, atol=tolerance)


@pytest.fixture
def stream(runtime, request):
    """(a streaming file, the run that it is of).

    Mel features, which are made sooner, where LiteRT runs them. OpenVINO and TFLite
    Micro have no RFFT, but run LEAF.
    """
    if runtime.name.startswith("litert"):
        folder = request.getfixturevalue("light_artifacts")
        return folder / "model_streaming.tflite", request.getfixturevalue("light_run")
    return request.getfixturevalue("leaf_stream"), request.getfixturevalue("run")


@pytest.fixture(scope="module")
def leaf_stream(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "model_streaming.tflite"
    path.write_bytes(StreamModel(open_source(run.folder)).tflite())
    return path


def test_a_stream_is_answered_as_by_keras(runtime, windows, request):
    if TFLITE not in runtime.formats or runtime.name == "mediapipe":
        pytest.skip(f"{runtime.title} doesn't take streaming models")
    path, of_run = request.getfixturevalue("stream")
    facts = StreamRunner(path).facts
    expected = keras_stream(open_source(of_run.folder), facts, windows.ravel())[""]
    answers = runtime.load(path)(windows)[""]
    # Rounding adds up in the states.
    tolerance = 10 * LOOSE.get(runtime.name, TOLERANCE / 10)
    np.testing.assert_allclose(answers, expected, atol=tolerance)


@pytest.fixture(scope="module")
def two_headed(tmp_path_factory):
    """(a model of two heads, its `.tflite` file)."""
    folder = tmp_path_factory.mktemp("heads")
    two_heads().save(folder / "model.keras")
    source = open_source(folder / "model.keras", window_seconds=0.5)
    path = folder / "model.tflite"
    path.write_bytes(TFLiteFiles(source).float32())
    return source, path


def test_each_head_has_its_name(runtime, two_headed, windows):
    source, path = two_headed
    if TFLITE not in runtime.formats or runtime.name in LOOSE:
        pytest.skip(f"{runtime.title} doesn't take .tflite files, or rounds them")
    answers = runtime.load(path)(windows)
    for head, expected in keras_probabilities(source, windows).items():
        np.testing.assert_allclose(answers[head], expected, atol=TOLERANCE)


def test_mediapipe_says_why_it_is_not_compared_on_decisions(keras_file, tmp_path):
    pytest.importorskip("mediapipe", reason="MediaPipe is not installed")
    head = keras.layers.Dense(4, activation="sigmoid")
    source = open_source(keras_file(classifier(head=head)), window_seconds=0.5)
    (one,) = source.heads
    decided = dataclasses.replace(
        one, decisions=Decisions(thresholds={one.labels[0]: 0.9})
    )
    source = dataclasses.replace(source, heads=(decided,))
    path = tmp_path / "decided.tflite"
    path.write_bytes(TFLiteFiles(source).float32())
    with pytest.raises(UserError, match="carries decisions: MediaPipe applies them"):
        RUNTIMES["mediapipe"].load(path)
