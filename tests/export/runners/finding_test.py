import os

import pytest

from export.contract.layout import as_reported, is_onnx
from export.runners.finding import find_artifact, find_stream
from leaf_files.errors import UserError

PREFERRED = [
    "model.tflite",
    "model_float16.tflite",
    "saved_model/2/saved_model.pb",
    "saved_model/1/saved_model.pb",
    "saved_model/saved_model.pb",
    "model.onnx",
    "model_dynamic.tflite",
    "model_int8.tflite",
    "my birds.tflite",
]


@pytest.fixture
def folder(tmp_path):
    """Makes empty files in a folder, which it returns."""

    def make(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return make


def found(folder):
    return find_artifact(folder).relative_to(folder).as_posix()


@pytest.mark.parametrize("first", range(len(PREFERRED)))
def test_the_best_of_what_is_there_is_taken(folder, first):
    names = PREFERRED[first:] + ["frontend.tflite", "model_streaming.tflite"]
    assert found(folder(*names)) == PREFERRED[first].removesuffix("/saved_model.pb")


@pytest.mark.parametrize("name", ["Birds.TFLITE", "birds.onnx", "my birds.tflite"])
def test_the_only_one_is_found_whatever_its_name(folder, name):
    assert found(folder(name, "._x.tflite", "labels.txt")) == name


def test_the_only_saved_model_is_found_whatever_its_name(folder):
    assert found(folder("birds/saved_model.pb", "labels.txt")) == "birds"


@pytest.mark.parametrize(
    "names, message",
    [
        ([], "there is no artifact at .*; name a .tflite or .onnx file"),
        (["b.tflite", "a.onnx"], "holds several models, a.onnx, b.tflite; name one"),
        (["b/saved_model.pb", "a/saved_model.pb"], "several models, a, b; name one"),
        (["model_streaming.tflite"], "but model_streaming.tflite.*export listen"),
        (["frontend.tflite"], "no classifier but frontend.tflite, a part of one"),
        (["model.keras"], "model.keras, which is a model of Keras; python -m export"),
    ],
)
def test_what_holds_none_or_several_is_one_line(folder, names, message):
    with pytest.raises(UserError, match=message) as error:
        find_artifact(folder(*names))
    assert "\n" not in str(error.value)


def test_a_file_is_itself_and_saved_model_pb_its_folder(folder):
    place = folder("birds", "1/saved_model.pb", "old.keras")
    assert find_artifact(place / "birds") == place / "birds"
    assert find_artifact(place / "1" / "saved_model.pb") == place / "1"
    assert find_artifact(f"{place}/1/../birds") == place / "birds"
    with pytest.raises(UserError, match="which is a model of Keras"):
        find_artifact(place / "old.keras")


def test_a_link_keeps_its_name_but_has_the_report_beside_what_it_leads_to(folder):
    place = folder("blobs/abc", "snapshot/x", "exported/report.json")
    link = place / "snapshot" / "model.onnx"
    os.symlink("../blobs/abc", link)
    assert as_reported(find_artifact(place / "snapshot")) == link
    (place / "exported" / "model.tflite").touch()
    os.symlink("../exported/model.tflite", place / "snapshot" / "birds.tflite")
    meant = place / "exported" / "model.tflite"
    assert as_reported(place / "snapshot" / "birds.tflite") == meant
    (place / "snapshot" / "report.json").touch()
    beside = place / "snapshot" / "birds.tflite"
    assert as_reported(beside) == beside


def test_onnx_files_are_told_by_name_or_by_how_they_start(tmp_path):
    cases = {
        ("model.ONNX", b""): True,
        ("model.tflite", b"\x08\x08\x12\x07\x00\x00\x00\x00"): False,
        ("abc", b"\x08\x08\x12\x07pytorch"): True,
        ("abd", b"\x08\x00\x00\x00TFL3"): False,
        ("abe", b"\x1c\x00\x00\x00TFL3"): False,
        ("abf", b""): False,
    }
    for (name, content), expected in cases.items():
        (tmp_path / name).write_bytes(content)
        assert is_onnx(tmp_path / name) == expected, name


@pytest.mark.parametrize(
    "names, given, message",
    [
        (["model.tflite"], ".", "holds no model_streaming.tflite; python -m export"),
        (["model.onnx"], "model.onnx", "is an ONNX file, which takes whole windows"),
        (["model.keras"], "model.keras", "which is a model of Keras"),
        ([], "missing", "there is no .*missing; name a model_streaming.tflite"),
    ],
)
def test_what_is_no_stream_is_one_line(folder, names, given, message):
    with pytest.raises(UserError, match=message) as error:
        find_stream(folder(*names) / given)
    assert "\n" not in str(error.value)
