import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import soundfile

from export.__main__ import dispatch
from export.report.parity import keras_probabilities
from export.source.opening import open_source
from leaf_files import command_line
from leaf_files.errors import UserError
from tests.cards import run_block
from tests.export.conftest import LABELS
from tests.export.deploy_test import snippets
from tests.export.models import N_CLASSES, SAMPLE_RATE, classifier, mel, two_heads

REASON = "needs the packages of the extra `onnx`"


@pytest.fixture
def onnx_file():
    """`export.writers.onnx`, where its packages are."""
    for name in ("onnx", "onnxruntime", "tf2onnx"):
        pytest.importorskip(name, reason=REASON)
    from export.writers import onnx as onnx_file

    return onnx_file


def test_a_run_becomes_a_file_that_onnx_runtime_runs_as_keras_does(
    onnx_file, run, windows, tmp_path, capsys, monkeypatch
):
    output = tmp_path / "sounds"
    assert not dispatch([str(run.folder), "--output", str(output), "--formats", "onnx"])
    report = json.loads((output / "report.json").read_text())
    measured = report["artifacts"]["onnx"]
    assert 0 < measured["max_difference"] < 1e-5
    assert measured["accuracy"] == pytest.approx(run.accuracy)
    assert measured["ops"]["Conv"] >= 1

    # ONNX Runtime alone, with what the file says of itself.
    import onnxruntime

    session = onnxruntime.InferenceSession(str(output / "model.onnx"))
    (answers,) = session.run(["probabilities"], {"waveform": windows})
    expected = keras_probabilities(open_source(run.folder), windows)[""]
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    (taken,), (given,) = session.get_inputs(), session.get_outputs()
    assert taken.shape == ["batch", windows.shape[1]]
    assert given.shape == ["batch", N_CLASSES]
    # What can't be meant is answered with NaN.
    bad = windows.copy()
    bad[[0, 1], 5] = [np.nan, 1e30]
    (answers,) = session.run(["probabilities"], {"waveform": bad})
    assert np.isnan(answers[:2]).all()
    np.testing.assert_allclose(answers[2:], expected[2:], atol=1e-5)
    told = session.get_modelmeta().custom_metadata_map
    assert told["sample_rate"] == str(SAMPLE_RATE)
    heads = {"": {"labels": list(LABELS), "activation": "softmax"}}
    assert json.loads(told["heads"]) == heads
    assert told["window_samples"] == str(windows.shape[1])
    assert told["made_by"].startswith("leaf_tf ")

    soundfile.write(tmp_path / "clip.wav", windows[0], SAMPLE_RATE, subtype="FLOAT")
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    (code,) = snippets("ONNX", "python")
    exec(compile(code, "deploy.md", "exec"), {})
    assert capsys.readouterr().out.split() == [LABELS[np.argmax(expected[0])]]
    monkeypatch.chdir(output)
    soundfile.write("clip.wav", windows[0], SAMPLE_RATE, subtype="FLOAT")
    run_block(Path("README.md").read_text(), "ONNX Runtime")
    Path("clip.wav").unlink()
    assert capsys.readouterr().out.split() == [LABELS[np.argmax(expected[0])]]
    argv = ["predict", str(output / "model.onnx"), str(tmp_path / "clip.wav"), "--json"]
    assert not dispatch(argv)
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["labels"][0]["label"] == LABELS[np.argmax(expected[0])]
    assert not dispatch(["verify", str(output)])


MODELS = {
    "two heads": two_heads,
    "a column that ends in sigmoid": lambda: classifier(
        (4000, 1), head=keras.layers.Dense(N_CLASSES, activation="sigmoid")
    ),
    "a spectrum of mel, which tf2onnx doesn't know": lambda: classifier(layer=mel()),
}


@pytest.mark.parametrize("kind", MODELS)
def test_other_models(onnx_file, keras_file, windows, tmp_path, kind):
    from export.runners.onnx import OnnxRunner

    model = MODELS[kind]()
    source = open_source(keras_file(model), window_seconds=0.5)
    onnx_file.write_onnx(source, tmp_path / "model.onnx")
    answers = OnnxRunner(tmp_path / "model.onnx").probabilities(windows)
    expected = keras_probabilities(source, windows)
    assert list(answers) == sorted(expected)
    for name, answer in answers.items():
        np.testing.assert_allclose(answer, expected[name], atol=1e-5)


def test_a_lone_file_says_all_itself(onnx_file, keras_file, windows, tmp_path, capsys):
    (tmp_path / "labels_winds.txt").write_text("föhn\nbise\njoran\n", encoding="utf-8")
    labels = [f"winds={tmp_path / 'labels_winds.txt'}"]
    source = open_source(keras_file(two_heads()), 0.5, labels)
    (tmp_path / "alone").mkdir()
    onnx_file.write_onnx(source, tmp_path / "alone" / "birds.onnx")
    soundfile.write(tmp_path / "clip.wav", windows.ravel(), SAMPLE_RATE)
    argv = ["predict", str(tmp_path / "alone"), str(tmp_path / "clip.wav"), "--json"]
    assert not dispatch(argv)
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["windows"] == len(windows)
    winds = {entry["label"] for entry in answer["heads"]["winds"]}
    assert winds == {"föhn", "bise", "joran"}
    argv += ["--sample-rate", "16000"]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    assert "takes 8000 Hz; received --sample-rate 16000" in capsys.readouterr().err
    argv = ["listen", str(tmp_path / "alone" / "birds.onnx"), "clip.wav"]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    assert "is an ONNX file, which takes whole windows" in capsys.readouterr().err


@pytest.fixture
def foreign(onnx_file, tmp_path):
    """Writes a model of one operator that copies; returns its path."""
    from onnx import TensorProto, helper, save

    def write(taken, given, kind=TensorProto.FLOAT, **told):
        graph = helper.make_graph(
            [helper.make_node("Identity", [taken[0]], [given[0]])],
            "copy",
            [helper.make_tensor_value_info(*_split(taken, kind))],
            [helper.make_tensor_value_info(*_split(given, kind))],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
        )
        helper.set_model_props(model, told)
        save(model, str(tmp_path / "foreign.onnx"))
        return tmp_path / "foreign.onnx"

    return write


def _split(entry, kind):
    name, *shape = entry
    return name, kind, shape


@pytest.mark.parametrize(
    "taken, given, kind, told, message",
    [
        (("x", 1, 9), ("y", 1, 9), 1, {}, "received one from x (1, 9) to y (1, 9)"),
        (
            ("waveform", "n", "t"),
            ("probabilities", "n", "t"),
            1,
            {},
            "received one from waveform (?, ?) to probabilities (?, ?)",
        ),
        (("waveform", "n", 4), ("probabilities", "n", 4), 11, {}, "tensor(double)"),
        (("waveform", "n", "t"), ("probabilities", "n", 4), 1, {}, "has the shape"),
        (
            ("waveform", "n", 4),
            ("probabilities", "n", 4),
            1,
            {"sample_rate": "x", "heads": "{}"},
            "what it says about itself can't be read",
        ),
        (
            ("waveform", "n", 4),
            ("probabilities", "n", 4),
            1,
            {"sample_rate": "8000", "heads": "{}"},
            "the labels inside it are none",
        ),
    ],
)
def test_a_file_of_another_program_is_refused(
    foreign, windows, tmp_path, capsys, taken, given, kind, told, message
):
    path = foreign(taken, given, kind, **told)
    soundfile.write(tmp_path / "clip.wav", windows[0], SAMPLE_RATE)
    argv = ["predict", str(path), str(tmp_path / "clip.wav"), "--sample-rate", "8000"]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_what_is_no_model_is_refused(onnx_file, tmp_path, capsys):
    (tmp_path / "text.onnx").write_text("hello")
    argv = ["predict", str(tmp_path / "text.onnx"), "clip.wav", "--sample-rate", "8000"]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    assert "is not a model that ONNX Runtime runs" in capsys.readouterr().err


def test_missing_packages_are_named_before_any_work(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    argv = [str(run.folder), "--output", str(tmp_path / "out"), "--formats", "onnx"]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    error = capsys.readouterr().err
    assert "tf2onnx" in error and 'pip install "leaf_tf[onnx]"' in error
    assert not (tmp_path / "out").exists()


def test_what_tf2onnx_leaves_as_it_is_is_refused(onnx_file, tmp_path):
    import onnx

    path = tmp_path / "model.onnx"
    nodes = [onnx.helper.make_node(name, ["a"], ["b"]) for name in ("Relu", "Erfinv")]
    graph = onnx.helper.make_graph(nodes, "graph", [], [])
    onnx.save(onnx.helper.make_model(graph), str(path))
    with pytest.raises(UserError, match="it knows no Erfinv; leave onnx out"):
        onnx_file._require_onnx_ops(path)
