"""What `.tflite` files say about themselves; each variant, and those of before."""

import json

import pytest

from export.contract.layout import OUTPUT
from export.runners.stream import StreamRunner
from export.source.opening import open_source
from export.tflite_format.entries import add_entry, read_entry
from export.tflite_format.model import read_model, write_model
from export.tflite_format.words import read_words
from export.writers.stream import StreamModel
from leaf_files.errors import UserError
from tests.export.conftest import LABELS, WINDOW_SAMPLES
from tests.export.models import SAMPLE_RATE

ENTRY = b"LEAF_TF_MODEL"


@pytest.fixture(scope="module")
def content(exported):
    return (exported / "model.tflite").read_bytes()


@pytest.fixture
def changed(content, tmp_path):
    """A file whose metadata and labels are changed; returns what it says."""

    def read(change=lambda model: None, labels=b""):
        model = read_model(content)
        change(model)
        path = tmp_path / "changed.tflite"
        path.write_bytes(write_model(model) + labels)
        return read_words(path, [OUTPUT])

    return read


def labels_behind(content):
    return content[content.index(b"PK\3\4") :]


def without(name):
    def change(model):
        model.metadata = [entry for entry in model.metadata if entry.name != name]

    return change


@pytest.mark.parametrize("name", ["model.tflite", "model_float16.tflite"])
def test_a_classifier_says_all(exported, name):
    words = read_words(exported / name, [OUTPUT])
    assert (words.sample_rate, words.window_samples) == (SAMPLE_RATE, WINDOW_SAMPLES)
    (head,) = words.heads
    assert (head.name, head.labels, head.activation) == ("", LABELS, "softmax")
    assert words.made_by.startswith("leaf_tf ")


def test_quantized_ones_do_too(files, windows, tmp_path, int8_weights):
    path = tmp_path / "model.tflite"
    for content in (files.dynamic(), files.int8(windows)):
        path.write_bytes(content)
        (head,) = read_words(path, [OUTPUT]).heads
        assert (head.labels, head.activation) == (LABELS, "softmax")


def test_a_part_says_its_rate_and_has_no_labels(exported):
    words = read_words(exported / "frontend.tflite", ["features"])
    assert (words.sample_rate, words.heads) == (SAMPLE_RATE, ())


def test_a_streaming_file_says_all(run, tmp_path):
    path = tmp_path / "stream.tflite"
    path.write_bytes(StreamModel(open_source(str(run.folder))).tflite())
    words = StreamRunner(path).own_words()
    assert (words.sample_rate, words.window_samples) == (SAMPLE_RATE, WINDOW_SAMPLES)
    assert (words.heads[0].labels, words.heads[0].activation) == (LABELS, "softmax")
    # A tool may cut off what lies behind the model.
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"PK\3\4")])
    assert StreamRunner(path).own_words() == words


def test_files_of_before_say_it_by_metadata_and_last_operator(changed, content):
    words = changed(without(ENTRY), labels_behind(content))
    assert words.sample_rate == SAMPLE_RATE and words.made_by == ""
    assert (words.heads[0].labels, words.heads[0].activation) == (LABELS, "softmax")


def test_the_activation_is_not_guessed(changed, content):
    """A maximum over frames of sigmoids ends in no sigmoid."""

    def sigmoid(model):
        told = json.loads(read_entry(content, ENTRY))
        told["heads"][0]["activation"] = "sigmoid"
        add_entry(model, ENTRY, json.dumps(told).encode())

    assert changed(sigmoid, labels_behind(content)).heads[0].activation == "sigmoid"


def test_labels_survive_a_tool_that_cuts_them_off(changed):
    assert changed().heads[0].labels == LABELS
    assert changed(without(b"TFLITE_METADATA")).heads[0].labels == LABELS
    assert changed(without(ENTRY)).heads[0].labels == ()


def test_what_is_cut_in_two_is_damaged(changed, content):
    with pytest.raises(UserError, match="what it says about itself can't be read"):
        changed(labels=labels_behind(content)[:-1])


def test_what_is_not_ours_says_nothing(changed):
    assert changed(lambda model: setattr(model, "metadata", [])) is None


@pytest.mark.parametrize("told", [b"{", b"[]", b"{}", b'{"sample_rate": -1}'])
def test_words_that_are_none_are_damage(changed, told):
    with pytest.raises(UserError, match="what it says about itself can't be read"):
        changed(lambda model: add_entry(model, ENTRY, told))
