"""A run of several tasks, from its folder to predictions of each artifact."""

import csv
import json
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile

from export.__main__ import dispatch
from export.contract.heads import Head, heads_of_outputs
from export.source.opening import open_source
from leaf_files import command_line
from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from tests.cards import run_block
from tests.export.conftest import LABELS
from tests.export.models import SAMPLE_RATE, classifier, mel, softmax, two_heads

WINDS = ("breeze", "gale", "storm")
TASKS = [
    {
        "task": "points",
        "head": "points",
        "labels": list(LABELS),
        "activation": "softmax",
    },
    {
        "task": "folder:winds",
        "head": "winds",
        "labels": list(WINDS),
        "activation": "sigmoid",
    },
]


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


@pytest.fixture(scope="module")
def tasks_run(tmp_path_factory, windows):
    """A run of two tasks; `points` is right on 2 of 3 clips, `winds` on all."""
    folder = tmp_path_factory.mktemp("tasks_run") / "weather"
    model = two_heads(layer=mel())
    logits = {h: np.array(x) for h, x in model(windows[:3]).items()}
    points = np.argmax(logits["points"], axis=-1) + [0, 0, 1]
    labels = {
        "points": [LABELS[i % len(LABELS)] for i in points],
        "winds": ["|".join(np.array(WINDS)[row > 0]) for row in logits["winds"]],
    }
    for head, column in labels.items():
        clips = folder / "evaluation_clips" / head
        for index, window in enumerate(windows[:3]):
            clips.mkdir(parents=True, exist_ok=True)
            write_clip(clips / f"{index}.wav", window, SAMPLE_RATE)
        with open(clips / "clips.csv", "w", newline="") as file:
            rows = [(f"{i}.wav", label) for i, label in enumerate(column)]
            csv.writer(file).writerows([("file", "label"), *rows])
    model.save(folder / "model.keras")
    (folder / "tasks.json").write_text(json.dumps({"tasks": TASKS}))
    for task in TASKS:
        lines = "".join(f"{label}\n" for label in task["labels"])
        (folder / f"labels_{task['head']}.txt").write_text(lines)
    config = {"sample_rate": SAMPLE_RATE, "window_seconds": 0.5}
    (folder / "config.json").write_text(json.dumps(config))
    return SimpleNamespace(folder=folder, model=model)


@pytest.fixture(scope="module")
def exported_tasks(tasks_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports") / "weather"
    options = ["--output", str(folder), "--quantize", "none,float16"]
    assert not dispatch([str(tasks_run.folder), *options])
    return folder


def test_a_run_of_two_tasks_tells_their_heads(tasks_run):
    clips = tasks_run.folder / "evaluation_clips"
    assert open_source(tasks_run.folder).heads == (
        Head("points", LABELS, "softmax", True, str(clips / "points")),
        Head("winds", WINDS, "sigmoid", True, str(clips / "winds")),
    )


def test_the_report_measures_each_head(exported_tasks):
    report = json.loads((exported_tasks / "report.json").read_text())
    assert [h["name"] for h in report["heads"]] == ["points", "winds"]
    assert [h["output"] for h in report["heads"]] == [
        "points_probabilities",
        "winds_probabilities",
    ]
    assert report["clips"]["n_clips"] == 6
    frontend = report["artifacts"].pop("frontend")
    assert "heads" not in frontend
    for measured in (report["keras"], *report["artifacts"].values()):
        points, winds = measured["heads"]
        assert points["accuracy"] == pytest.approx(2 / 3)
        assert winds["mean_average_precision"] == 1.0
    for name, most in (
        ("saved_model", 1e-5),
        ("tflite", 1e-5),
        ("tflite_float16", 1e-2),
    ):
        artifact = report["artifacts"][name]
        assert 0 < artifact["max_difference"] < most
        assert artifact["points_lost"] == pytest.approx(0)
        assert "accuracy" not in artifact
    text = (exported_tasks / "report.md").read_text()
    assert "points accuracy" in text and "winds mean average precision" in text
    assert "4 labels of points (softmax), 3 labels of winds (sigmoid)" in text
    assert (exported_tasks / "labels_winds.txt").read_text().split() == list(WINDS)


def test_the_code_of_its_card_prints_the_label_of_each_head(
    exported_tasks, tasks_run, windows, tmp_path, capsys, monkeypatch
):
    soundfile.write(tmp_path / "clip.wav", windows[0], SAMPLE_RATE, subtype="FLOAT")
    for name in ("model.tflite", "labels_points.txt", "labels_winds.txt"):
        shutil.copy(exported_tasks / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    run_block((exported_tasks / "README.md").read_text(), "LiteRT, Python")
    logits = tasks_run.model(windows[:1])
    assert capsys.readouterr().out.splitlines() == [
        f"points: {LABELS[np.argmax(logits['points'])]}",
        f"winds: {WINDS[np.argmax(logits['winds'])]}",
    ]


@pytest.mark.parametrize("artifact", ["model.tflite", "saved_model"])
def test_predict_answers_each_task_as_keras_does(
    exported_tasks, tasks_run, windows, tmp_path, capsys, artifact
):
    path = tmp_path / "clip.wav"
    soundfile.write(path, windows[:2].ravel(), SAMPLE_RATE, subtype="FLOAT")
    argv = ["predict", str(exported_tasks / artifact), str(path), "--top", "4"]
    assert dispatch([*argv, "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    logits = tasks_run.model(windows[:2])
    expected = {
        "points": dict(zip(LABELS, softmax(np.mean(logits["points"], axis=0)))),
        "winds": dict(zip(WINDS, sigmoid(np.mean(logits["winds"], axis=0)))),
    }
    for head, labels in answer["heads"].items():
        probabilities = {e["label"]: e["probability"] for e in labels}
        assert probabilities == pytest.approx(expected[head], abs=1e-4)
        values = list(probabilities.values())
        assert values == sorted(values, reverse=True)
    assert dispatch([*argv, "--top", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "  points:" and lines[3] == "  winds:"
    assert lines[4].split()[0] in WINDS


def test_a_keras_file_names_its_heads_by_key_or_layer(keras_file):
    model = two_heads(layer=mel())
    heads = open_source(keras_file(model)).heads
    assert {h.name: len(h.labels) for h in heads} == {"points": 4, "winds": 3}
    listed = keras.Model(model.input, [model.output["winds"], model.output["points"]])
    heads = open_source(keras_file(listed)).heads
    assert [h.name for h in heads] == ["logits_winds", "logits_points"]


def test_labels_are_given_by_head(keras_file, tmp_path):
    path = keras_file(two_heads(layer=mel()))
    file = tmp_path / "winds.txt"
    file.write_text("\n".join(WINDS))
    heads = {h.name: h for h in open_source(path, None, [f"winds={file}"]).heads}
    assert heads["winds"].labels == WINDS
    assert heads["points"].labels[0] == "class_0"
    for given in (str(file), f"rain={file}"):
        message = f"HEAD=FILE, HEAD one of points, winds; received {given}"
        with pytest.raises(UserError, match=message):
            open_source(path, None, [given])


def test_a_single_task_takes_its_activation_from_the_run(run, tmp_path):
    copy = shutil.copytree(run.folder, tmp_path / "copy")
    task = {"task": "t", "head": "t", "labels": list(LABELS), "activation": "sigmoid"}
    (copy / "tasks.json").write_text(json.dumps({"tasks": [task]}))
    (head,) = open_source(copy).heads
    assert (head.name, head.activation, head.gives_logits) == ("", "sigmoid", True)


@pytest.mark.parametrize(
    "text, message",
    [
        ("{", "does not list the tasks of a run"),
        ('{"tasks": [{"head": "points"}]}', "does not list the tasks .*'labels'"),
        (json.dumps({"tasks": TASKS[:1]}), "heads points, the model has points, winds"),
        (
            json.dumps({"tasks": [TASKS[0], {**TASKS[1], "activation": "relu"}]}),
            "activation relu; it must be softmax or sigmoid",
        ),
    ],
)
def test_tasks_of_another_run_are_refused(tasks_run, tmp_path, text, message):
    copy = shutil.copytree(tasks_run.folder, tmp_path / "copy")
    (copy / "tasks.json").write_text(text)
    with pytest.raises(UserError, match=message):
        open_source(copy)


def test_outputs_that_share_a_name_are_refused(keras_file):
    model = two_heads(layer=mel())
    wrong = keras.Model(model.input, {"a b": model.outputs[0], "c": model.outputs[1]})
    with pytest.raises(UserError, match="letters, digits and _.* received a b, c"):
        open_source(keras_file(wrong))


def test_a_head_named_as_another_ones_top_labels_is_refused(keras_file):
    model = two_heads(layer=mel())
    wrong = keras.Model(model.input, dict(zip(("a", "a_top"), model.outputs)))
    with pytest.raises(UserError, match="a has an answer a_top_probabilities itself"):
        open_source(keras_file(wrong))


def test_heads_are_read_from_the_outputs():
    assert heads_of_outputs(["probabilities"]) == [""]
    assert heads_of_outputs(["b_probabilities", "a_probabilities"]) == ["a", "b"]
    assert heads_of_outputs(["logits"]) == []
    served = ["a_probabilities", "a_top_labels", "a_top_probabilities"]
    assert heads_of_outputs(served) == ["a"]
    assert heads_of_outputs(["a_top_probabilities"]) == ["a_top"]


def test_the_labels_of_another_model_are_refused(exported_tasks, tmp_path, capsys):
    report = json.loads((exported_tasks / "report.json").read_text())
    report["heads"][1]["labels"].pop()
    (tmp_path / "report.json").write_text(json.dumps(report))
    lone = shutil.copytree(exported_tasks / "saved_model", tmp_path / "saved_model")
    argv = ["predict", str(lone), "clip.wav"]
    assert command_line.run(dispatch, argv, "python -m export") == 1
    assert "4 classes of points, 2 classes of winds" in capsys.readouterr().err


def test_one_head_of_a_model_that_gives_a_dict(keras_file, windows):
    model = classifier(layer=mel())
    named = keras.Model(model.input, {"only": model.output})
    source = open_source(keras_file(named))
    assert [head.name for head in source.heads] == [""]
