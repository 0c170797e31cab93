"""Temperature and thresholds of a run: carried by every artifact, and honoured."""

import json
import shutil

import numpy as np
import pytest

from export.__main__ import dispatch
from export.contract.heads import Head
from export.contract.own_words import OwnWords, words_of
from export.runners.detecting import Detector
from export.runners.opening import open_artifact
from export.source.calibrating import calibrated
from export.source.opening import open_source
from leaf_files.atomic import write_json
from leaf_files.decisions import Decisions, decisions_json
from leaf_files.run_folder import Head as RunHead
from leaf_files.run_folder import tasks_json
from tests.export.conftest import LABELS
from tests.export.models import softmax

DECISIONS = Decisions(
    temperature=2.5,
    thresholds={"north": 0.999, "south": 0.999, "east": 0.999},
    none_below=0.998,
    background=("west",),
    chosen_by={"temperature": {"clips": 99}},
)


@pytest.fixture(scope="module")
def decided_run(light_run, tmp_path_factory):
    """`light_run` with decisions."""
    folder = tmp_path_factory.mktemp("decided") / "compass"
    shutil.copytree(light_run.folder, folder)
    write_json(folder / "tasks.json", tasks_json([RunHead("c", "wind", LABELS)]))
    write_json(folder / "decisions.json", decisions_json({"wind": DECISIONS}))
    return folder


def exported(run, folder, *options):
    formats = ["--formats", "saved_model,tflite", "--quantize", "none"]
    assert not dispatch([str(run), "--output", str(folder), *formats, *options])
    return folder


@pytest.fixture(scope="module")
def carried(decided_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("carried") / "artifacts"
    return exported(decided_run, folder, "--streaming")


@pytest.fixture(scope="module")
def folded(decided_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("folded") / "artifacts"
    return exported(decided_run, folder, "--calibrated")


@pytest.mark.parametrize("name", ["saved_model", "model.tflite"])
def test_each_artifact_carries_them(carried, name):
    [head] = open_artifact(carried / name).heads
    assert head.decisions == DECISIONS
    report = json.loads((carried / "report.json").read_text())
    assert Decisions.from_dict(report["heads"][0]["decisions"]) == DECISIONS


@pytest.mark.parametrize("name", ["saved_model", "model.tflite"])
def test_in_the_graph_the_temperature_is_that_of_keras(
    folded, carried, light_run, windows, name
):
    expected = softmax(np.asarray(light_run.model(windows)) / DECISIONS.temperature)
    model = open_artifact(folded / name)
    assert model.heads[0].decisions.temperature == 1.0
    assert model.heads[0].decisions.thresholds == DECISIONS.thresholds
    answers = model.runner.probabilities(windows)[""]
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    # What is carried beside the graph comes to the same.
    beside = open_artifact(carried / name)
    answers = beside.runner.probabilities(windows)[""]
    calibrated = beside.heads[0].decisions.calibrated(answers, "softmax")
    np.testing.assert_allclose(calibrated, expected, atol=1e-5)


def test_predict_calibrates_and_says_none_of_these(carried, light_run, capsys):
    clip = str(light_run.clips / "0.flac")
    assert not dispatch(["predict", str(carried), clip, "--json"])
    [answer] = json.loads(capsys.readouterr().out)
    assert answer["decided"] == []
    assert not dispatch(["predict", str(carried), clip])
    assert capsys.readouterr().out.splitlines()[1] == "  (none of these)"


def test_a_run_without_decisions_answers_as_before(light_artifacts, light_run, capsys):
    clip = str(light_run.clips / "0.flac")
    assert not dispatch(["predict", str(light_artifacts), clip, "--json"])
    [answer] = json.loads(capsys.readouterr().out)
    assert answer["decided"] == [answer["labels"][0]["label"]]
    assert "decisions" not in (light_artifacts / "report.json").read_text()


def test_listen_detects_from_the_threshold_of_each_label(carried, light_run, capsys):
    clip = str(light_run.clips / "4.flac")
    command = ["listen", str(carried), clip, "--json", "--smoothing", "0"]
    assert not dispatch(command)
    end = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert end["threshold"][""] == {**DECISIONS.thresholds, "west": None}
    assert end["heads"][0]["detections"] == 0
    assert not dispatch([*command, "--threshold", "0.01"])
    lines = list(map(json.loads, capsys.readouterr().out.splitlines()))
    detected = {line["label"] for line in lines if line["event"] == "detection"}
    assert detected and "west" not in detected


def test_only_what_differs_is_written():
    words = OwnWords(8000, 4000, (Head("", ("no", "yes"), "softmax"),))
    assert "decisions" not in words.text
    other = OwnWords(
        8000, 4000, (Head("", ("no", "yes"), "softmax", decisions=DECISIONS),)
    )
    assert words_of(json.loads(other.text)) == other != words


def test_labels_of_other_names_take_the_thresholds_along(decided_run, tmp_path):
    file = tmp_path / "winds.txt"
    file.write_text("N\nS\nE\nW\n")
    [head] = open_source(str(decided_run), labels_files=[str(file)]).heads
    assert head.decisions.thresholds == {"N": 0.999, "S": 0.999, "E": 0.999}
    assert head.decisions.background == ("W",)


def test_a_model_that_ends_in_probabilities_is_divided_too(decided_run, windows):
    source = open_source(str(decided_run))
    import dataclasses

    import keras

    answers = keras.layers.Softmax()(source.model.output[""])
    model = keras.Model(source.model.input, {"": answers})
    heads = (dataclasses.replace(source.heads[0], gives_logits=False),)
    ended = calibrated(dataclasses.replace(source, model=model, heads=heads))
    found = np.asarray(ended.model(windows)[""])
    logits = np.asarray(source.model(windows)[""])
    np.testing.assert_allclose(found, softmax(logits / 2.5), atol=1e-6)


def test_a_detector_never_detects_the_background():
    head = Head("", ("a", "b"), "softmax", decisions=Decisions(background=("b",)))
    detector = Detector([head], 0.1, 0, None, refractory=1)
    assert detector.hear({"": np.array([0.1, 0.9])}) == []
    [detection] = detector.hear({"": np.array([0.9, 0.1])})
    assert detection.label == "a"


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0},
        {"temperature": "hot"},
        {"thresholds": {"north": 1.5}},
        {"thresholds": [0.5]},
        {"none_below": True},
    ],
)
def test_a_damaged_file_is_one_line(decided_run, tmp_path, change):
    run = tmp_path / "run"
    shutil.copytree(decided_run, run)
    content = {"heads": {"wind": {**DECISIONS.to_dict(), **change}}}
    write_json(run / "decisions.json", content)
    from leaf_files.errors import UserError

    with pytest.raises(UserError, match="cannot read how to decide in .*decisions"):
        open_source(str(run))
