import pytest

from export.runtimes.table import RUNTIMES, kind_of, runtime_named
from leaf_files.errors import UserError


def test_kinds_are_told_by_name_and_content(exported, tmp_path):
    assert kind_of(exported / "model.tflite") == "tflite"
    assert kind_of(exported / "saved_model" / "1") == "SavedModel"
    assert kind_of(exported) is None  # it only holds one
    assert kind_of(tmp_path / "nothing.onnx") == "onnx"
    assert kind_of(exported / "labels.txt") is None


def test_an_unknown_runtime_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="no runtime 'openvno'.*did you mean openvino"):
        runtime_named("openvno")


def test_a_missing_package_is_named_with_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    message = "OpenVINO is not installed; install it: python -m pip install openvino"
    with pytest.raises(UserError, match=message):
        RUNTIMES["openvino"].load(tmp_path / "model.onnx")
