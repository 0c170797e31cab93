"""Users' own models, as their files answer: what the model itself gives."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from export.__main__ import dispatch
from export.report.measuring import Measurer
from export.report.parity import keras_probabilities
from export.source.clips import synthetic_clips
from export.source.opening import open_source
from export.writers.serving import serving_function
from leaf_files.clips import read_clip, write_clip
from leaf_files.errors import UserError
from tests.export.conftest import WINDOW_SAMPLES
from tests.export.models import N_CLASSES, SAMPLE_RATE, classifier, mel


def framewise(end):
    """A model that answers each frame, and pools the answers."""
    one = classifier(layer=mel())
    frames = layers.Conv1D(N_CLASSES, 3, kernel_initializer="random_normal")
    return keras.Model(one.input, end(10 * frames(one.layers[1].output)))


def yes_or_no():
    return classifier(head=layers.Dense(1, "sigmoid", name="alarm"), layer=mel())


OWN = {
    "frames' maximum": lambda: framewise(
        lambda x: layers.GlobalMaxPooling1D()(keras.ops.sigmoid(x))
    ),
    "mixed precision": lambda: keras.Model(
        (one := classifier(head=layers.Dense(N_CLASSES, "softmax"))).input,
        layers.Activation("linear", dtype="float32")(one.output),
    ),
}


@pytest.mark.parametrize("make", OWN.values(), ids=OWN)
def test_probabilities_stay_what_the_model_gives(make, keras_file, windows):
    model = make()
    source = open_source(keras_file(model))
    assert not source.heads[0].gives_logits
    itself = np.array(model(windows))
    served = serving_function(source, None, None)(windows)["probabilities"]
    np.testing.assert_allclose(served, itself, atol=1e-6)
    np.testing.assert_allclose(
        keras_probabilities(source, windows)[""], itself, atol=1e-5
    )


def test_the_loss_in_the_file_is_taken(keras_file, windows):
    model = classifier()
    model.compile("sgd", keras.losses.BinaryCrossentropy(from_logits=True))
    path = keras_file(model)
    source = open_source(path)
    (head,) = source.heads
    assert (head.activation, head.gives_logits) == ("sigmoid", True)
    assert head.activation_from.endswith("BinaryCrossentropy(from_logits=True)")
    assert source.notes == ()
    served = serving_function(source, None, None)(windows)["probabilities"]
    expected = keras.ops.sigmoid(model(windows))
    np.testing.assert_allclose(served, expected, atol=1e-6)
    (head,) = open_source(path, activations=["softmax"]).heads
    assert head.activation == "softmax"


def test_each_head_has_its_own_activation(keras_file):
    one = classifier()
    taken = one.layers[-1].input
    model = keras.Model(
        one.input,
        {
            "winds": layers.Dense(3, name="of_winds")(taken),
            "points": layers.Dense(4, "softmax")(taken),
            "alarm": layers.Dense(1)(taken),
        },
    )
    losses = {"winds": keras.losses.BinaryCrossentropy(from_logits=True)}
    model.compile("sgd", {**losses, "points": "kl_divergence", "alarm": None})
    path = keras_file(model)
    source = open_source(path)
    found = {h.name: (h.activation, h.gives_logits) for h in source.heads}
    assert found == {
        "winds": ("sigmoid", True),
        "points": ("softmax", False),
        "alarm": ("sigmoid", True),
    }
    (note,) = source.notes
    assert "what the outputs of alarm are" in note
    with pytest.raises(UserError, match="points of .* are probabilities already"):
        open_source(path, activations=["points=sigmoid"])
    assert open_source(path, activations=["points=softmax"]).heads == source.heads
    heads = open_source(path, activations=["winds=softmax"]).heads
    assert {h.name: h.activation for h in heads}["winds"] == "softmax"
    with pytest.raises(UserError, match="HEAD one of .*; received rain=none"):
        open_source(path, activations=["rain=none"])


def test_what_is_taken_for_probabilities_is_checked_on_the_clips(keras_file):
    """A clip that the probe clips are not like: what it reaches is not hidden."""
    model = framewise(lambda x: layers.GlobalMaxPooling1D()(keras.ops.sigmoid(x)))
    source = open_source(keras_file(model))
    twice = keras.Model(source.model.input, {"": 2 * source.model.output[""]})
    object.__setattr__(source, "model", twice)
    clips = [synthetic_clips(SAMPLE_RATE, WINDOW_SAMPLES)]
    with pytest.raises(UserError, match="taken for probabilities, but on the clips"):
        Measurer(source, clips, 1.0)


def test_a_model_that_fails_on_its_window_is_one_line(keras_file):
    def whole(features):
        return layers.Conv1D(4, 200)(features)

    path = keras_file(classifier(features=whole))
    with pytest.raises(UserError, match="fails on a waveform of 800 samples: "):
        open_source(path, 0.1)


def test_yes_or_no_from_the_file_to_predictions(keras_file, tmp_path, capsys):
    path, out = keras_file(yes_or_no()), tmp_path / "out"
    labels = tmp_path / "labels.txt"
    labels.write_text("alarm\n")
    options = ["--formats", "tflite", "--quantize", "none", "--window", "0.5"]
    argv = [path, "--output", out, "--labels", labels, *options]
    assert not dispatch([str(argument) for argument in argv])
    written = capsys.readouterr()
    assert "of 1 label (sigmoid)." in written.out and written.err == ""
    report = json.loads((out / "report.json").read_text())
    assert report["heads"][0]["activation_from"] == "the model's last step, sigmoid"
    assert report["notes"] == []
    sound = 0.3 * np.random.default_rng(0).standard_normal(WINDOW_SAMPLES)
    write_clip(tmp_path / "clip.wav", sound.clip(-1, 1), SAMPLE_RATE)
    predict = ["predict", str(out), str(tmp_path / "clip.wav"), "--json"]
    assert not dispatch(predict)
    (answer,) = json.loads(capsys.readouterr().out)
    (only,) = answer["labels"]
    model = keras.saving.load_model(path)
    heard = read_clip(tmp_path / "clip.wav")[0][None]
    assert only["label"] == "alarm"
    assert only["probability"] == pytest.approx(float(model(heard)[0, 0]), abs=1e-4)


def test_what_is_assumed_is_said(keras_file, tmp_path, capsys):
    out = tmp_path / "out"
    options = ["--formats", "tflite", "--quantize", "none", "--window", "0.1"]
    path = str(keras_file(classifier(layer=mel())))
    assert not dispatch([path, "--output", str(out), *options])
    written = capsys.readouterr()
    said = "nothing in the file says what its outputs are"
    assert written.err.startswith(f"python -m export: note: {said}")
    assert written.err.count("\n") == 1
    assert f"Note: {said}" in written.out
    assert f"Note: {said}" in (out / "report.md").read_text()
    report = json.loads((out / "report.json").read_text())
    assert report["notes"][0].startswith(said)
