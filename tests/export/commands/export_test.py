import dataclasses
import json
import os
import shutil

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

import leaf_tf
from export.__main__ import dispatch
from export.report import judging, measuring
from export.writers.tflite import TFLiteFiles
from leaf_files import command_line
from leaf_files.clips import write_clip
from tests.export.models import N_CLASSES, SAMPLE_RATE, classifier

FLOAT32 = ("--formats", "tflite", "--quantize", "none")


def run_command(*argv):
    return command_line.run(dispatch, [str(a) for a in argv], "python -m export")


@pytest.fixture(scope="module")
def report(exported):
    return json.loads((exported / "report.json").read_text())


def test_the_folder_holds_what_the_contract_says(exported):
    assert sorted(os.listdir(exported)) == [
        "README.md",
        "frontend.tflite",
        "labels.txt",
        "model.tflite",
        "model_float16.tflite",
        "probes.json",
        "report.json",
        "report.md",
        "report.png",
        "saved_model",
    ]
    assert (exported / "labels.txt").read_text() == "north\nsouth\neast\nwest\n"


def test_the_report_tells_what_predict_needs(report):
    assert report["sample_rate"] == SAMPLE_RATE
    assert report["window_samples"] == SAMPLE_RATE // 2
    assert report["labels"] == ["north", "south", "east", "west"]
    assert report["activation"] == "softmax"


def test_the_report_says_where_the_channels_of_the_features_lie(report, run):
    [leaf] = [layer for layer in run.model.layers if isinstance(layer, leaf_tf.Leaf)]
    radians = keras.ops.convert_to_numpy(leaf.filtering.center_freqs)
    hz = radians.clip(0, np.pi) * SAMPLE_RATE / (2 * np.pi)
    told = report["artifacts"]["frontend"]["center_freqs_hz"]
    np.testing.assert_allclose(told, hz, atol=0.06)


def test_the_report_compares_with_keras_on_the_evaluation_clips(report, run, exported):
    # 0.3, 0.5, 0.8, 1.1, 1.6 and 0.6 s in windows of 0.5 s.
    assert report["clips"] == {
        "origin": "evaluation_clips",
        "n_clips": 6,
        "n_windows": 1 + 1 + 2 + 3 + 4 + 2,
    }
    assert report["keras"]["accuracy"] == pytest.approx(run.accuracy)
    for name in ("saved_model", "tflite"):
        artifact = report["artifacts"][name]
        assert 0 < artifact["max_difference"] < 1e-5
        assert 0 < artifact["mean_difference"] <= artifact["max_difference"]
        assert artifact["windows_with_another_label"] == 0
        assert artifact["accuracy"] == pytest.approx(run.accuracy)
        assert artifact["points_lost"] == pytest.approx(0)
        assert artifact["verdict"] == "as Keras"
        assert artifact["latency_ms"] > 0
    tflite = report["artifacts"]["tflite"]
    assert tflite["bytes"] == (exported / "model.tflite").stat().st_size
    assert tflite["ops"]["CONV_2D"] >= 2
    assert tflite["xnnpack"] == {"partitions": 1, "operators_outside": 0}
    assert tflite["latency_ms_2_threads"] > 0
    saved_model = report["artifacts"]["saved_model"]["ops"]
    # Taps are there as such: nothing makes them.
    assert saved_model["Conv2D"] >= 2 and "Cos" not in saved_model
    frontend = report["artifacts"]["frontend"]
    assert frontend["shape"] == [50, 6] and 0 < frontend["max_difference"] < 1e-5
    assert "accuracy" not in frontend


def test_the_report_for_people_says_the_same(exported, report):
    text = (exported / "report.md").read_text()
    assert "| accuracy |" in text and "66.67%" in text
    assert "![Score against size and time](report.png)" in text
    assert plt.imread(exported / "report.png").shape[1] > 900
    assert f"{report['artifacts']['tflite']['bytes']:,}" in text
    assert "A waveform of 8000 Hz in [-1, 1], 0.5 s (4000 samples) a window" in text


def test_one_format_on_clips_of_the_users_own(light_run, tmp_path, rng):
    for label in ("north", "west"):
        (tmp_path / "own" / label).mkdir(parents=True)
        path = tmp_path / "own" / label / "clip.wav"
        write_clip(path, 0.1 * rng.standard_normal(44100), 44100)
    output = tmp_path / "out"
    code = run_command(
        light_run.folder, "--output", output, *FLOAT32, "--window", "0.25",
        "--clips", tmp_path / "own", "--license", "cc0-1.0",
    )  # fmt: skip
    assert code == 0
    report = json.loads((output / "report.json").read_text())
    assert list(report["artifacts"]) == ["tflite", "frontend"]
    assert not (output / "saved_model").exists()
    assert report["window_samples"] == SAMPLE_RATE // 4
    assert report["clips"] == {"origin": "own", "n_clips": 2, "n_windows": 8}
    assert report["license"] == "cc0-1.0"
    assert '---\nlicense: "cc0-1.0"\n' in (output / "README.md").read_text()


def failed(capsys, tmp_path, message):
    """One line on stderr, and nothing beside what was there."""
    error = capsys.readouterr().err
    assert error.startswith("python -m export: error: ") and error.count("\n") == 1
    assert message in error
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_what_tflite_lacks_fails_and_leaves_nothing(keras_file, tmp_path, capsys):
    path = keras_file(classifier(features=keras.ops.tan))
    options = ("--output", tmp_path / "out", "--window", "0.1")
    assert run_command(path, *options, *FLOAT32) == 1
    failed(capsys, tmp_path, "TFLite has no builtin operator for tf.Tan")
    assert os.listdir(tmp_path) == ["model.keras"]


def tampered(make):
    """`make`, of a model whose first logit is 0.01 higher."""

    def wrapper(files):
        source = files._source
        model = keras.models.clone_model(source.model)
        model.set_weights(source.model.get_weights())
        model.layers[-1].bias.assign_add([0.01] + [0.0] * (N_CLASSES - 1))
        return make(TFLiteFiles(dataclasses.replace(source, model=model)))

    return wrapper


def test_an_artifact_that_differs_fails_and_the_last_export_stays(
    light_run, exported, tmp_path, capsys, monkeypatch
):
    output = shutil.copytree(exported, tmp_path / "out")
    before = (output / "model.tflite").read_bytes()
    monkeypatch.setattr(TFLiteFiles, "float32", tampered(TFLiteFiles.float32))
    assert run_command(light_run.folder, "--output", output, *FLOAT32) == 1
    failed(capsys, tmp_path, "model.tflite differs from Keras by")
    assert (output / "model.tflite").read_bytes() == before
    assert sorted(os.listdir(output)) == sorted(os.listdir(exported))


def always_north(make):
    """`make`, of a model that answers north to all, and is wrong each time."""

    def wrapper(files):
        source = files._source
        model = keras.models.clone_model(source.model)
        model.layers[-1].bias.assign([99.0] + [0.0] * (N_CLASSES - 1))
        return make(TFLiteFiles(dataclasses.replace(source, model=model)))

    return wrapper


def test_accuracy_that_is_lost_fails_what_was_asked_for(
    light_run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(TFLiteFiles, "float16", always_north(TFLiteFiles.float16))
    options = ("--formats", "tflite", "--quantize", "float16")
    assert run_command(light_run.folder, "--output", tmp_path / "out", *options) == 1
    failed(
        capsys,
        tmp_path,
        "model_float16.tflite loses 66.7 points of accuracy on 6 clips, 4 lost, 0 "
        "gained (by chance in 3.1 %); at most 1 may be lost "
        "(--max-accuracy-drop); nothing was written",
    )
    assert not (tmp_path / "out").exists()
    options += ("--max-accuracy-drop", "67")
    assert run_command(light_run.folder, "--output", tmp_path / "out", *options) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["artifacts"]["tflite_float16"]["verdict"] == "loses 66.7 points"


def test_a_loss_that_clips_cannot_tell_is_kept_and_said(
    light_run, tmp_path, capsys, monkeypatch
):
    found = judging.Judgement(16.7, 6, 1, 0, (-40.0, 60.0), 0.25)
    monkeypatch.setattr(measuring, "judge", lambda *arguments: found)
    monkeypatch.setattr(measuring, "points_lost", lambda *arguments: 16.7)
    options = ("--formats", "tflite", "--quantize", "float16", "--window", "0.25")
    assert run_command(light_run.folder, "--output", tmp_path / "out", *options) == 0
    said = (
        "model_float16.tflite is kept, though it loses 16.7 points: 6 clips can't "
        "tell: 1 of them lost, 0 gained (-40.0 to 60.0 points, 95 %)."
    )
    assert said in capsys.readouterr().out
    assert said in (tmp_path / "out" / "report.md").read_text()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    artifact = report["artifacts"]["tflite_float16"]
    assert artifact["verdict"] == "loses 16.7 points, may be chance"
    assert artifact["judgement"]["clips_lost"] == 1


def test_accuracy_that_is_lost_leaves_out_what_was_not_asked_for(
    light_run, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(TFLiteFiles, "float16", always_north(TFLiteFiles.float16))
    output = tmp_path / "out"
    assert run_command(light_run.folder, "--output", output, "--formats", "tflite") == 0
    report = json.loads((output / "report.json").read_text())
    assert "tflite_float16" not in report["artifacts"]
    assert "loses 66.7 points" in report["left_out"]["tflite_float16"]
    assert "a run keeps some; here there are none" in report["left_out"]["tflite_int8"]
    assert (output / "model.tflite").exists()
    assert not (output / "model_float16.tflite").exists()
    assert (
        "- tflite_float16: model_float16.tflite loses"
        in (output / "report.md").read_text()
    )
    assert "Left out tflite_float16" in capsys.readouterr().out


def test_without_labelled_clips_accuracy_is_not_judged(light_run, tmp_path):
    code = run_command(
        light_run.folder / "model.keras", "--output", tmp_path / "out", "--formats",
        "tflite", "--quantize", "float16", "--window", "0.1",
    )  # fmt: skip
    assert code == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    artifact = report["artifacts"]["tflite_float16"]
    assert artifact["points_lost"] is None
    assert artifact["verdict"] == "not judged: no clip has labels"
    assert not (tmp_path / "out" / "report.png").exists()


def test_an_earlier_export_is_replaced(light_run, exported, tmp_path):
    output = shutil.copytree(exported, tmp_path / "out")
    options = ("--output", output, *FLOAT32, "--window", "0.1")
    assert run_command(light_run.folder, *options) == 0
    assert json.loads((output / "report.json").read_text())["window_samples"] == 800
    assert not (output / "saved_model").exists()


def test_the_users_own_files_are_never_replaced(run, tmp_path, capsys):
    assert run_command(run.folder, "--output", run.folder) == 1
    failed(
        capsys, tmp_path, "holds what no export wrote (config.json, evaluation_clips"
    )
    (tmp_path / "report.json").write_text("{}")
    (tmp_path / "thesis.tex").write_text("text")
    assert run_command(run.folder, "--output", tmp_path) == 1
    failed(capsys, tmp_path, "wrote (thesis.tex)")
    assert (tmp_path / "thesis.tex").read_text() == "text"


def test_an_output_below_a_file_fails_before_the_work(run, tmp_path, capsys):
    (tmp_path / "file").write_text("text")
    for output in (tmp_path / "file", tmp_path / "file" / "below"):
        assert run_command(run.folder, "--output", output) == 1
        failed(capsys, tmp_path, "cannot write to the folder")


def test_a_wrong_source_leaves_no_folder(tmp_path, capsys):
    assert run_command(tmp_path / "none", "--output", tmp_path / "a" / "b") == 1
    failed(capsys, tmp_path, "there is no")
    assert os.listdir(tmp_path) == []
