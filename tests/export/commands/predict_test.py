import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from export.__main__ import dispatch
from export.source.opening import open_source
from export.tflite_format.model import read_model, write_model
from export.writers.tflite import write_tflite
from leaf_files import command_line
from tests.export.conftest import LABELS, WINDOW_SAMPLES
from tests.export.models import SAMPLE_RATE, classifier, softmax
from tests.export.runners.litert_test import converted


def predict(*argv):
    return command_line.run(dispatch, ["predict", *map(str, argv)], "python -m export")


@pytest.fixture
def clip(tmp_path, rng):
    """Writes a WAV file of float samples; returns its path."""

    def write(name, waveform, sample_rate=SAMPLE_RATE):
        soundfile.write(tmp_path / name, waveform, sample_rate, subtype="FLOAT")
        return tmp_path / name

    return write


def keras_answer(run, windows):
    """[(label, probability)], the most probable first, by Keras and NumPy."""
    probabilities = softmax(run.model(np.float32(windows)).numpy().mean(axis=0))
    order = np.argsort(-probabilities)
    return [(LABELS[i], probabilities[i]) for i in order]


def json_answers(capsys):
    return [
        [(entry["label"], entry["probability"]) for entry in answer["labels"]]
        for answer in json.loads(capsys.readouterr().out)
    ]


def same(answer, expected):
    assert [label for label, _ in answer] == [label for label, _ in expected]
    np.testing.assert_allclose(
        [p for _, p in answer], [p for _, p in expected], atol=1e-4
    )


@pytest.mark.parametrize(
    "artifact", ["", "model.tflite", "saved_model", "saved_model/1"]
)
def test_a_long_clip_is_answered_as_keras_does(
    exported, run, clip, windows, capsys, artifact
):
    tones = windows[:3]
    path = clip("tones.wav", tones.ravel())
    assert predict(exported / artifact, path, "--top", 4, "--json") == 0
    same(json_answers(capsys)[0], keras_answer(run, tones))


def test_a_stereo_clip_of_another_rate(exported, run, clip, capsys):
    def tones(rate, seconds=0.5):
        t = np.arange(int(rate * seconds)) / rate
        return 0.3 * np.sin(2 * np.pi * 500 * t), 0.3 * np.sin(2 * np.pi * 1500 * t)

    path = clip("stereo.wav", np.stack(tones(44100), axis=1), 44100)
    assert predict(exported, path, "--top", 4, "--json") == 0
    (answer,) = json_answers(capsys)
    expected = keras_answer(run, np.mean(tones(SAMPLE_RATE), axis=0)[None])
    # Resampling differs a little from sampling the tones at the other rate.
    assert answer[0][0] == expected[0][0]
    assert dict(answer) == pytest.approx(dict(expected), abs=0.02)


def test_odd_sound_is_answered_and_named(exported, clip, rng, capsys):
    noise = rng.uniform(-0.5, 0.5, WINDOW_SAMPLES)
    opposite = clip("opposite.wav", np.stack([noise, -noise], 1))
    unscaled = clip("unscaled.wav", 32768 * noise)
    fine = clip("fine.wav", noise)
    assert predict(exported, fine, opposite, unscaled, "--json") == 0
    output = capsys.readouterr()
    assert len(json.loads(output.out)) == 3
    first, second = output.err.splitlines()
    assert first.startswith(f"warning: {opposite} holds channels of opposite phase")
    assert second.startswith(f"warning: {unscaled} holds samples that are not scaled")


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_pipe_is_a_clip(exported, clip, rng, capsys):
    path = clip("clip.wav", rng.uniform(-0.5, 0.5, WINDOW_SAMPLES))
    assert predict(exported, path, "--json") == 0
    expected = json_answers(capsys)
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        assert predict(exported, f"/dev/fd/{cat.stdout.fileno()}", "--json") == 0
    assert json_answers(capsys) == expected


def test_ten_samples_and_silence_are_answered(exported, run, clip, rng, capsys):
    ten = rng.uniform(-0.5, 0.5, 10).astype(np.float32)
    paths = [clip("ten.wav", ten), clip("silence.wav", np.zeros(WINDOW_SAMPLES))]
    assert predict(exported, *paths, "--top", 4, "--json") == 0
    padded = np.pad(ten, (WINDOW_SAMPLES - 10) // 2)
    answers = json_answers(capsys)
    same(answers[0], keras_answer(run, padded[None]))
    same(answers[1], keras_answer(run, np.zeros((1, WINDOW_SAMPLES))))


def test_the_text_is_aligned(exported, run, clip, windows, capsys):
    path = clip("tone.wav", windows[0])
    assert predict(exported, path, path, "--top", 2) == 0
    (first, p), (second, q) = keras_answer(run, windows[:1])[:2]
    width = max(len(first), len(second))
    group = (
        f"{path} (0.5 s)\n  {first:<{width}}  {p:.4f}\n  {second:<{width}}  {q:.4f}\n"
    )
    assert capsys.readouterr().out == group * 2


def test_one_broken_clip_does_not_keep_the_others_from_an_answer(
    exported, clip, windows, tmp_path, capsys
):
    (tmp_path / "broken.wav").write_text("hello")
    good = clip("tone.wav", windows[0])
    assert predict(exported, tmp_path / "broken.wav", good, "--top", 1) == 1
    output = capsys.readouterr()
    assert output.out.startswith(str(good)) and output.out.count("\n") == 2
    assert output.err.count("\n") == 1 and "broken.wav" in output.err


def test_a_folder_is_walked(exported, clip, windows, tmp_path, capsys):
    clip("tone.wav", windows[0])
    folder = tmp_path / "clips"
    (folder / "deep").mkdir(parents=True)
    (folder / ".Trash-1").mkdir()
    paths = [folder / "b.wav", folder / "deep" / "a.WAVE"]
    for path in [*paths, folder / ".Trash-1" / "x.wav", folder / "._b.wav"]:
        shutil.copy(tmp_path / "tone.wav", path)
    (folder / "y.m4a").write_bytes(b"any")
    empty = tmp_path / "empty"
    empty.mkdir()
    argv = (tmp_path / "tone.wav", folder, "--top", 1, "--json")
    assert predict(exported, *argv) == 0
    output = capsys.readouterr()
    answered = [answer["clip"] for answer in json.loads(output.out)]
    assert answered == [str(path) for path in [tmp_path / "tone.wav", *paths]]
    assert "1 of formats that can't be read (1 .m4a" in output.err
    assert output.err.count("\n") == 1
    assert predict(exported, empty, *argv) == 1
    output = capsys.readouterr()
    assert len(json.loads(output.out)) == 3
    assert "error: the folder" in output.err and "holds no clips" in output.err


@pytest.mark.skipif(os.name != "posix", reason="names of files can't hold these")
def test_names_that_cannot_be_printed_are_escaped(
    exported, clip, windows, tmp_path, capsys
):
    names = ("two\nlines.wav", "\x1b[2J.wav")
    clip("tone.wav", windows[0])
    for name in names:
        shutil.copy(tmp_path / "tone.wav", tmp_path / name)
    assert predict(exported, *(tmp_path / name for name in names), "--top", 1) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and r"two\nlines.wav'" in lines[0]
    assert all(line.isprintable() for line in lines)


def test_standard_input_has_a_name(exported, capsys):
    assert predict(exported, "-") == 1
    assert "audio file -; standard input is /dev/stdin" in capsys.readouterr().err


def test_a_tflite_file_runs_where_tensorflow_is_not_installed(exported, clip, windows):
    program = """
import sys
for name in ("tensorflow", "keras", "leaf_tf", "jax", "torch"):
    sys.modules[name] = None  # importing it fails
from export.__main__ import dispatch
sys.exit(dispatch(["predict", *sys.argv[1:]]))
"""
    command = [sys.executable, "-c", program, exported, clip("tone.wav", windows[0])]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.splitlines()[1].split()[0] in LABELS


@pytest.fixture
def silent(exported, tmp_path):
    """`model.tflite` alone, and without what it says about itself."""
    model = read_model((exported / "model.tflite").read_bytes())
    model.metadata = []
    path = tmp_path / "silent.tflite"
    path.write_bytes(write_model(model))
    return path


@pytest.mark.parametrize(
    "artifact",
    ["model.tflite", "model_float16.tflite", "saved_model", "saved_model/1"],
)
def test_a_lone_artifact_says_all_itself(
    exported, clip, windows, tmp_path, capsys, artifact
):
    """Its rate, its window, its labels; wherever it is, and whatever its name."""
    folder = tmp_path / "my models"
    folder.mkdir()
    source = exported / artifact
    copy = shutil.copytree if source.is_dir() else shutil.copy
    lone = copy(source, folder / f"7{source.suffix}")
    path = clip("tone.wav", windows.ravel())
    assert predict(exported / artifact, path, "--json") == 0
    expected = json_answers(capsys)
    assert predict(lone, path, "--json") == 0
    output = capsys.readouterr()
    (answer,) = json.loads(output.out)
    labels = [(entry["label"], entry["probability"]) for entry in answer["labels"]]
    assert labels == expected[0]
    assert (answer["windows"], output.err) == (len(windows), "")
    wrong = ("--sample-rate", 2 * SAMPLE_RATE)
    assert predict(lone, path, *wrong) == 1
    assert f"takes {SAMPLE_RATE} Hz; received" in capsys.readouterr().err


@pytest.mark.parametrize("artifact", ["model.tflite", "saved_model"])
def test_an_artifact_is_believed_before_the_report_beside_it(
    exported, clip, windows, tmp_path, capsys, artifact
):
    """A report that tells of other files, or that somebody has edited."""
    source = exported / artifact
    copy = shutil.copytree if source.is_dir() else shutil.copy
    copy(source, tmp_path / artifact)
    report = json.loads((exported / "report.json").read_text())
    report["heads"][0]["labels"] = ["a", "b", "c", "d"]
    (tmp_path / "report.json").write_text(json.dumps(report))
    path = clip("tone.wav", windows[0])
    assert predict(exported / artifact, path, "--json") == 0
    expected = json_answers(capsys)
    assert predict(tmp_path / artifact, path, "--json") == 0
    output = capsys.readouterr()
    assert json.loads(output.out)[0]["labels"][0]["label"] == expected[0][0][0]
    assert output.err.startswith("python -m export predict: note: ")
    assert "says of itself: label 1 north, not a as report.json" in output.err
    assert output.err.count("\n") == 1
    # What isn't needed may be broken.
    (tmp_path / "report.json").write_text("{}")
    assert predict(tmp_path / artifact, path) == 0
    assert capsys.readouterr().err == ""
    # Labels that are edited beside it change nothing, which is said.
    (tmp_path / "labels.txt").write_text("north\nb\nc\nd\n")
    assert predict(tmp_path / artifact, path, "--top", 1) == 0
    output = capsys.readouterr()
    assert expected[0][0][0] in output.out
    assert "names label 2 south itself, other than labels.txt beside it" in output.err
    assert output.err.count("\n") == 1
    (tmp_path / "labels.txt").write_text("of\nanother model\n")
    assert predict(tmp_path / artifact, path) == 0
    assert capsys.readouterr().err == ""


def test_a_lone_tflite_file_of_several_labels_says_all_itself(
    keras_file, clip, windows, tmp_path, capsys
):
    """Logits of sigmoids are averaged in another way than those of a softmax."""
    head = keras.layers.Dense(4, activation="sigmoid")
    model = classifier(head=head)
    (tmp_path / "labels.txt").write_text("\n".join(LABELS))
    source = open_source(keras_file(model), 0.5, [tmp_path / "labels.txt"])
    (tmp_path / "alone").mkdir()
    write_tflite(source, tmp_path / "alone" / "model.tflite")
    path = clip("tone.wav", windows.ravel())
    assert predict(tmp_path / "alone" / "model.tflite", path, "--json", "--top", 4) == 0
    odds = model(windows).numpy()
    expected = np.exp(np.mean(np.log(odds / (1 - odds)), axis=0))
    expected = dict(zip(LABELS, expected / (1 + expected)))
    assert dict(json_answers(capsys)[0]) == pytest.approx(expected, abs=1e-4)


def test_where_nothing_tells_the_rate_it_is_asked_for(
    silent, run, clip, windows, capsys
):
    path = clip("tone.wav", windows[0])
    assert predict(silent, path) == 1
    assert "pass --sample-rate HZ" in capsys.readouterr().err
    assert (
        predict(silent, path, "--sample-rate", SAMPLE_RATE, "--json", "--top", 1) == 0
    )
    ((label, _),) = json_answers(capsys)[0]
    expected, _ = keras_answer(run, windows[:1])[0]
    assert label == f"class_{LABELS.index(expected)}"


def test_labels_as_windows_writes_them(silent, clip, windows, tmp_path, capsys):
    text = "\ufeff" + "\r\n".join(LABELS)
    (tmp_path / "labels.txt").write_bytes(text.encode())
    path = clip("tone.wav", windows[0])
    argv = ("--sample-rate", SAMPLE_RATE, "--json", "--top", 4)
    assert predict(silent, path, *argv) == 0
    assert {label for label, _ in json_answers(capsys)[0]} == set(LABELS)


def test_the_highest_version_is_taken(exported, clip, windows, tmp_path, capsys):
    for version, labels in ((9, "abcd"), (10, "efgh")):
        folder = tmp_path / "served" / str(version)
        shutil.copytree(exported / "saved_model" / "1", folder)
        (folder / "assets" / "labels.txt").write_text("\n".join(labels))
    path = clip("tone.wav", windows[0])
    assert predict(tmp_path / "served", path, "--sample-rate", 8000, "--json") == 0
    assert json_answers(capsys)[0][0][0] in "efgh"


@pytest.fixture
def refused(clip, windows, capsys):
    """Asserts that predicting with `argv` is one line of complaint."""
    path = clip("tone.wav", windows[0])

    def check(message, artifact, *argv):
        assert predict(artifact, path, *argv) == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert output.err.startswith("python -m export: error: ")
        assert output.err.count("\n") == 1
        assert message in output.err

    return check


def test_what_is_no_artifact_is_refused(refused, tmp_path):
    refused("there is no artifact at", tmp_path / "missing")
    refused("there is no artifact at", tmp_path)
    (tmp_path / "text.tflite").write_text("hello")
    refused("not a TFLite model", tmp_path / "text.tflite", "--sample-rate", 8000)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "saved_model.pb").write_text("hello")
    refused("not a SavedModel", tmp_path / "bad", "--sample-rate", 8000)


@pytest.mark.parametrize(
    "function, shape, received",
    [
        # Of the form of YAMNet.
        (lambda x: {"scores": x[None]}, (9,), "waveform (9) to scores (1, 9)"),
        (lambda x: {"probabilities": x}, (9,), "waveform (9) to probabilities (9)"),
    ],
)
def test_a_tflite_file_of_another_program_is_refused(
    refused, tmp_path, function, shape, received
):
    path = converted(tmp_path / "other.tflite", function, shape)
    refused(f"it; received one from {received}", path, "--sample-rate", 8000)


def test_a_tflite_file_without_a_signature_is_refused(refused, silent):
    model = read_model(silent.read_bytes())
    model.signatureDefs = []
    silent.write_bytes(write_model(model))
    refused("must be a model from waveform to probabilities", silent)


@pytest.mark.parametrize("name, received", [("y", "y (?, 4)"), (None, "nothing")])
def test_a_saved_model_of_another_program_is_refused(refused, tmp_path, name, received):
    module = tf.Module()
    spec = tf.TensorSpec((None, 4), tf.float32, name="x")
    serve = tf.function(lambda x: {name: x}, [spec])
    signatures = {"serving_default": serve} if name else None
    tf.saved_model.save(module, tmp_path / "other", signatures=signatures)
    refused(f"to {received}", tmp_path / "other")


def test_labels_that_were_changed_must_be_as_many(refused, exported, tmp_path):
    copy = shutil.copytree(exported / "saved_model" / "1", tmp_path / "copy")
    (copy / "assets" / "labels.txt").write_text("a\nb\n")
    refused("the labels inside it are 2 classes, they were changed", copy)


def test_a_report_that_does_not_fit_is_refused(refused, exported, silent, tmp_path):
    refused("takes 8000 Hz", exported, "--sample-rate", 16000)
    (tmp_path / "report.json").write_text("{}")
    refused("report.json is not a report of python -m export", silent)
    (tmp_path / "report.json").unlink()
    (tmp_path / "labels.txt").write_text("a\nb\n")
    refused("has 4 classes, but the labels", silent, "--sample-rate", 8000)
