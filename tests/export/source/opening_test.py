import json
import shutil
import zipfile

import keras
import numpy as np
import pytest

from export.contract.heads import Head
from export.source.opening import open_source
from export.writers.serving import serving_function
from leaf_files.errors import UserError
from tests.export.models import N_CLASSES, SAMPLE_RATE, classifier, softmax


@pytest.fixture
def copy(run, tmp_path):
    """A copy of the run, to break."""
    return shutil.copytree(run.folder, tmp_path / "copy")


def test_a_run_tells_all(run):
    source = open_source(run.folder)
    assert source.name == "compass"
    assert source.sample_rate == SAMPLE_RATE
    assert source.window_samples == SAMPLE_RATE // 2
    labels = ("north", "south", "east", "west")
    assert source.heads == (Head("", labels, "softmax", True, str(run.clips)),)


def test_a_keras_file_gets_a_second_and_numbered_classes(keras_file):
    source = open_source(keras_file(classifier()))
    assert source.window_samples == SAMPLE_RATE
    labels = ("class_0", "class_1", "class_2", "class_3")
    assert source.heads == (Head("", labels, "softmax", True, None),)


def test_what_is_given_comes_first(run, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("a\nb\nc\nd\n")
    source = open_source(run.folder, 0.25, [labels], "clips")
    assert source.window_samples == SAMPLE_RATE // 4
    (head,) = source.heads
    assert head.labels == ("a", "b", "c", "d")
    assert head.clips_folder == "clips"


def test_a_sequential_model_with_the_frontend_inside_another(keras_file, windows):
    inner = classifier()
    model = keras.Sequential([keras.Input((None,)), inner, keras.layers.Softmax()])
    source = open_source(keras_file(model))
    assert source.sample_rate == SAMPLE_RATE
    answers = serving_function(source, None, None)(windows)["probabilities"]
    np.testing.assert_allclose(answers, softmax(inner(windows).numpy()), atol=1e-6)


def test_half_precision_leaves_as_float32(keras_file, windows):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        source = open_source(keras_file(classifier()))
    finally:
        keras.config.set_dtype_policy("float32")
    answers = serving_function(source, None, None)(windows)["probabilities"]
    assert answers.dtype == "float32"
    np.testing.assert_allclose(np.sum(answers, axis=-1), 1.0, atol=1e-6)


def refused(message, *arguments):
    with pytest.raises(UserError, match=message):
        open_source(*arguments)


def test_what_is_no_model_is_refused(tmp_path):
    refused("there is no .*; name a run folder", tmp_path / "missing")
    refused("is not a run folder: it holds no model.keras", tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    refused("neither a run folder nor a .keras file", tmp_path / "notes.txt")
    (tmp_path / "broken.keras").write_text("hello")
    refused("broken.keras is damaged, or no .keras file", tmp_path / "broken.keras")
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("notes.txt", "hello")
    refused("other.keras does not load as a Keras model", tmp_path / "other.keras")


def test_a_model_that_is_no_classifier_of_waveforms_is_refused(keras_file):
    image = keras.Input((8, 8, 3))
    flat = keras.layers.Dense(2)(keras.layers.Flatten()(image))
    refused(
        r"\(batch, samples\) -> \(batch, classes\)",
        keras_file(keras.Model(image, flat)),
    )
    frames = keras.Input((100,))
    model = keras.Model(frames, keras.layers.Dense(N_CLASSES)(frames))
    refused("no layer of .* has a sample_rate", keras_file(model))


def test_labels_must_be_one_per_class(copy):
    (copy / "labels.txt").write_text("north\nsouth\n")
    refused("each of the model's 4 classes; received 2 lines", copy)


def test_labels_that_cannot_be_read_are_refused(run, tmp_path):
    refused("cannot read the labels in", run.folder, None, [tmp_path / "missing.txt"])


def test_labels_of_windows_and_labels_that_cannot_be_meant(run, tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes("a\r\nb\r\nc\r\nd\r\n".encode("utf-8-sig"))
    [head] = open_source(run.folder, 0.25, [path], "clips").heads
    assert head.labels == ("a", "b", "c", "d")
    path.write_text("a\n\nc\nd\n")
    refused(r"received 1 blank \(number 2\)", run.folder, None, [path])


def test_a_config_of_another_run_is_refused(copy):
    (copy / "config.json").write_text(json.dumps({"sample_rate": 44100}))
    refused("config.json says 44100 Hz, the model's frontend 8000 Hz", copy)
    (copy / "config.json").write_text("{")
    refused("config.json holds no settings of a run", copy)
    for config in ("3", "[" * 99999, json.dumps({"window_seconds": [1]})):
        (copy / "config.json").write_text(config)
        refused("config.json holds no settings of a run", copy)


def test_a_window_the_model_cannot_take_is_refused(run, keras_file):
    refused("at least one sample", run.folder, 1e-5)
    refused("takes 0.5 s .* received --window 2", keras_file(classifier((4000,))), 2.0)
