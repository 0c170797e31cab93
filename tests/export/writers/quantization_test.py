"""Dynamic-range and int8 files: what is in integers, and what stays float."""

import json

import keras
import numpy as np
import pytest

from export.runners.litert import LiteRTRunner
from export.source.opening import open_source
from export.tflite_format.graph import read_graph
from export.tflite_format.graph_edits import part_of
from export.tflite_format.model import operator_name, read_model
from export.writers.tflite import TFLiteFiles
from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from tests.export.commands.export_test import failed, run_command
from tests.export.models import SAMPLE_RATE, classifier, two_heads

pytestmark = pytest.mark.usefixtures("int8_weights")


@pytest.fixture(scope="module")
def small(files, windows, tmp_path_factory):
    """{kind: path} of the files of `run`, int8 calibrated on `windows`."""
    folder = tmp_path_factory.mktemp("small")
    contents = {
        "none": files.float32(),
        "float16": files.float16(),
        "dynamic": files.dynamic(),
        "int8": files.int8(windows),
        "int4": files.int4(windows),
    }
    for kind, content in contents.items():
        (folder / f"{kind}.tflite").write_bytes(content)
    return {kind: folder / f"{kind}.tflite" for kind in contents}


def types_of_weights(path, part):
    """The types of the constants by which a part's convolutions and products weigh.

    Widened ones count as what they are stored as.
    """
    model = read_model(path.read_bytes())
    graph = model.subgraphs[0]
    makers = {index: op for op in graph.operators for index in op.outputs}
    kinds = {}
    for op in graph.operators:
        name = operator_name(model, op)
        if name in ("CONV_2D", "FULLY_CONNECTED") and part_of(graph, op) == part:
            weights = op.inputs[1]
            if weights in makers:
                assert operator_name(model, makers[weights]) == "DEQUANTIZE"
                (weights,) = makers[weights].inputs
            kinds.setdefault(name, set()).add(graph.tensors[weights].type)
    return kinds


FLOAT32, FLOAT16, INT8, INT4 = 0, 1, 9, 17  # of the schema


@pytest.mark.parametrize(
    "kind, filters, averages, encoder",
    [
        ("float16", FLOAT16, FLOAT16, FLOAT16),
        ("dynamic", FLOAT16, INT8, INT8),
        ("int8", FLOAT16, INT8, INT8),
        ("int4", FLOAT16, INT8, INT4),
    ],
)
def test_filters_stay_float_and_the_encoder_has_integers(
    small, kind, filters, averages, encoder
):
    frontend = types_of_weights(small[kind], "frontend")
    assert frontend == {"CONV_2D": {filters}, "FULLY_CONNECTED": {averages}}
    assert types_of_weights(small[kind], "encoder")["CONV_2D"] == {encoder}


def test_the_int8_encoder_computes_in_integers(small):
    graph = read_graph(small["int8"])
    assert graph.float_encoder_ops == {}
    # Into integers behind the features, out of them before the softmax.
    assert graph.ops["QUANTIZE"] == 1
    assert "TANH" not in read_graph(small["dynamic"]).float_encoder_ops
    assert read_graph(small["dynamic"]).float_encoder_ops["CONV_2D"] == 1


@pytest.mark.parametrize(
    "kind, most", [("float16", 5e-4), ("dynamic", 0.01), ("int8", 0.05), ("int4", 0.2)]
)
def test_they_answer_nearly_as_keras_does(small, kind, most, windows, expected):
    answers = LiteRTRunner(small[kind]).probabilities(windows)[""]
    assert 0 < np.abs(answers - expected).max() < most


def test_they_are_smaller_the_coarser_they_are(small):
    sizes = [small[kind].stat().st_size for kind in ("none", "float16", "dynamic")]
    assert small["int4"].stat().st_size < small["int8"].stat().st_size
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[1] < 0.7 * sizes[0]


def test_int8_learns_the_ranges_from_the_loudest_clip(files, windows, tmp_path):
    """Of features above those that it saw it would hear no more than these."""
    quiet, loud = tmp_path / "quiet.tflite", tmp_path / "loud.tflite"
    quiet.write_bytes(files.int8(1e-3 * windows))
    # One loud window among many: an average would forget it.
    loud.write_bytes(
        files.int8(np.concatenate([windows, np.tile(1e-3 * windows, (9, 1))]))
    )
    exact = files._source.model(windows)
    exact = keras.ops.convert_to_numpy(keras.ops.softmax(exact[""]))
    errors = {
        path: np.abs(LiteRTRunner(path).probabilities(windows)[""] - exact).max()
        for path in (quiet, loud)
    }
    assert errors[loud] < 0.05 and errors[quiet] > 2 * errors[loud]


def test_several_heads(keras_file, windows, tmp_path):
    model = two_heads()
    source = open_source(keras_file(model), window_seconds=0.5)
    path = tmp_path / "int8.tflite"
    path.write_bytes(TFLiteFiles(source).int8(windows))
    answers = LiteRTRunner(path).probabilities(windows)
    for head, logits in model(windows).items():
        expected = keras.ops.convert_to_numpy(keras.ops.softmax(logits))
        assert np.abs(answers[head] - expected).max() < 0.06


def test_a_model_without_a_frontend_of_its_own_is_refused(keras_file, windows):
    inner = classifier()
    waveform = keras.Input((None,))
    nested = keras.Model(waveform, keras.layers.Softmax()(inner(waveform)))
    files = TFLiteFiles(open_source(keras_file(nested), window_seconds=0.5))
    for make in (files.dynamic, lambda: files.int8(windows)):
        with pytest.raises(UserError, match="has no leaf_tf frontend, or several"):
            make()


@pytest.fixture(scope="module")
def calibration(windows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    for index, window in enumerate(windows):
        write_clip(folder / f"{index}.wav", np.clip(window, -1, 1), SAMPLE_RATE)
    return folder


def test_by_default_all_are_made_and_reported(light_run, calibration, tmp_path):
    output = tmp_path / "out"
    assert not run_command(
        light_run.folder, "--output", output, "--formats", "tflite", "--calibration",
        calibration, "--embeddings", "--max-accuracy-drop", "40",
    )  # fmt: skip
    report = json.loads((output / "report.json").read_text())
    assert report["left_out"] == {}
    assert list(report["artifacts"]) == [
        "tflite",
        "tflite_float16",
        "tflite_dynamic",
        "tflite_int8",
        "frontend",
        "embeddings",
    ]
    for artifact in report["artifacts"].values():
        assert artifact["bytes"] == (output / artifact["path"]).stat().st_size
        assert artifact["subgraphs"] == 1 and artifact["unfolded_ops"] == {}
    assert report["artifacts"]["embeddings"]["shape"] == [12]
    text = (output / "report.md").read_text()
    assert "The encoder computes in integers from the features to the logits." in text


def test_int8_without_clips_says_what_to_do(run, tmp_path, capsys):
    options = (
        "--output",
        tmp_path / "out",
        "--formats",
        "tflite",
        "--quantize",
        "int8",
    )
    assert run_command(run.folder, *options) == 1
    failed(capsys, tmp_path, "name a folder of them with --calibration")
    (tmp_path / "empty").mkdir()
    for folder, message in (
        ("empty", "holds no audio files to calibrate int8 with"),
        ("none", "there is no folder of calibration clips"),
    ):
        calibration = ("--calibration", tmp_path / folder)
        assert run_command(run.folder, *options, *calibration) == 1
        failed(capsys, tmp_path, message)
