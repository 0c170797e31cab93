"""Files by litert-converter and litert-quantizer, beside those by TensorFlow's own.

`.ci/run converter` installs both.
"""

import numpy as np
import pytest

from export.contract.probes import probe_windows
from export.runners.litert import LiteRTRunner
from export.runners.stream import StreamRunner
from export.source.opening import open_source
from export.tflite_format.graph import read_graph
from export.writers import quantization
from export.writers.converting import LITERT, TF_LITE, VARIABLE
from export.writers.stream import StreamModel
from export.writers.tflite import TFLiteFiles
from tests.export.models import SAMPLE_RATE

for package in ("litert_converter", "litert_quantizer"):
    pytest.importorskip(
        package, reason="litert-converter comes with the extra `litert`"
    )


@pytest.fixture(scope="module")
def both(run, windows, tmp_path_factory):
    """{converter: {kind: path}} of the files of `run`."""
    source = open_source(str(run.folder))
    paths = {}
    for converter in (TF_LITE, LITERT):
        folder = tmp_path_factory.mktemp("files")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(VARIABLE, converter)
            if converter == LITERT:
                patch.setattr(quantization, "PACKAGES", ("litert_quantizer",))
            files = TFLiteFiles(source)
            contents = {
                "float32": files.float32(),
                "float16": files.float16(),
                "dynamic": files.dynamic(),
                "int8": files.int8(windows),
                "stream": StreamModel(source).tflite(),
            }
        paths[converter] = {kind: folder / f"{kind}.tflite" for kind in contents}
        for kind, content in contents.items():
            paths[converter][kind].write_bytes(content)
    return paths


@pytest.mark.parametrize(
    "kind, most", [("float32", 1e-6), ("float16", 1e-6), ("dynamic", 1e-2)]
)
def test_both_answer_alike(both, windows, kind, most):
    one, other = (
        LiteRTRunner(both[converter][kind]).probabilities(windows)[""]
        for converter in (TF_LITE, LITERT)
    )
    np.testing.assert_allclose(other, one, atol=most)


def test_integers_answer_alike(both, windows, expected):
    found = LiteRTRunner(both[LITERT]["int8"]).probabilities(windows)[""]
    assert 0 < np.abs(found - expected).max() < 0.05
    assert read_graph(both[LITERT]["int8"]).float_encoder_ops == {}


def test_streams_answer_alike(both):
    windows = probe_windows(SAMPLE_RATE, SAMPLE_RATE // 2)
    one, other = (
        StreamRunner(both[converter]["stream"]).run(windows)[""]
        for converter in (TF_LITE, LITERT)
    )
    np.testing.assert_allclose(other, one, atol=1e-6)


def test_operators_are_builtin_and_folded(both):
    for kind in ("float32", "stream"):
        graph = read_graph(both[LITERT][kind])
        assert graph.unfolded_ops == {} and graph.n_subgraphs == 1
        assert all(name.isupper() for name in graph.ops)
