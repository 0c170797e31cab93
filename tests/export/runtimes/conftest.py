"""An ONNX file of the run of all tests."""

import pytest

from export.source.opening import open_source


@pytest.fixture(scope="session")
def onnx_path(run, tmp_path_factory):
    """`run` as an ONNX file, where the packages that write one are."""
    for name in ("onnx", "onnxruntime", "tf2onnx"):
        pytest.importorskip(name, reason="needs the packages of the extra `onnx`")
    from export.writers.onnx import write_onnx

    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    write_onnx(open_source(run.folder), path)
    return path
