"""`python -m benchmarks runtimes`."""

import json
import shutil

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.runtimes import browser, rows, text
from export.report.parity import TOLERANCE
from leaf_files import command_line
from tests.docs_test import ROOT


def command(*argv):
    words = ["runtimes", *(str(word) for word in argv), "--seconds", "0.05"]
    return command_line.run(benchmarks.dispatch, words, "python -m benchmarks")


def test_each_runtime_has_a_row_by_name_or_with_how_to_get_it(
    light_run, light_artifacts, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    numbers = tmp_path / "runtimes.json"
    only = "litert,litert-compiled,openvino"
    assert not command(
        light_run.folder, light_artifacts, "--only", only, "--json", numbers
    )
    results = json.loads(numbers.read_text())
    found = {(row["runtime"], row["file"]): row for row in results["rows"]}
    for name in ("litert", "litert-compiled"):
        for file in ("model.tflite", "model_streaming.tflite"):
            row = found.pop((name, file))
            assert row["max_difference"] < TOLERANCE
            assert row["median_ms"] > 0 and row["version"]
            if name == "litert":
                assert row["ratio"] == 1
    (row,) = found.values()
    assert row["absent"].endswith("install it: python -m pip install openvino")
    table = capsys.readouterr().out
    assert (
        "| `model.tflite` | OpenVINO as it comes | `openvino` | OpenVINO is not"
        in table
    )


def test_unknown_names_are_refused(light_run, light_artifacts, capsys):
    assert command(light_run.folder, light_artifacts, "--only", "tensorrt") == 1
    assert "no runtime tensorrt; known: keras, litert, " in capsys.readouterr().err


def test_differences_beyond_the_tolerance_stand_out():
    row = {"runtime": "litert", "title": "LiteRT", "file": "model.tflite"}
    row |= {"version": "2", "median_ms": 1.0, "ratio": 1.0}
    machine = {"date": "", "processor": "", "keras": ""}
    told = {"machine": machine, "n_windows": 4, "window_samples": 8}
    for difference, cell in ((9e-5, " 9.0e-05 "), (2e-4, " **2.0e-04** ")):
        rows_ = [{**row, "max_difference": difference}]
        assert cell in text.markdown({**told, "rows": rows_})
    rows_ = [{**row, "max_difference": float("nan")}]
    assert " **nan** " in text.markdown({**told, "rows": rows_})


def test_docs_have_the_table_of_the_committed_numbers():
    results = json.loads((ROOT / "docs" / "runtimes.json").read_text())
    assert text.markdown(results) in (ROOT / "docs" / "runtimes.md").read_text()
    assert {row["runtime"] for row in results["rows"]} == set(rows.NAMES)
    assert set(rows.LIMITS) == set(rows.NAMES)


def test_a_c_program_answers_as_keras_does(run, exported):
    pytest.importorskip("openvino", reason="runs where all are: .ci/run runtimes")
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler, and finds no cc")
    assert differences(run, exported, "tensorflow-c")[0] < TOLERANCE


@pytest.mark.browser
@pytest.mark.parametrize("name", ["litert-js", "litert-js-worklet", "onnxruntime-web"])
def test_browsers_answer_as_keras_does(run, exported, onnx_path, tmp_path, name):
    if not (browser.WEB / "node_modules").is_dir():
        pytest.skip("needs npm ci --prefix benchmarks/runtimes/web")
    pytest.importorskip("playwright", reason="needs playwright, of the extra `browser`")
    if not any(map(shutil.which, browser.CHROMIUM)):
        pytest.skip("needs Chromium, e.g. Debian's package chromium")
    folder = shutil.copytree(exported, tmp_path / "sounds")
    shutil.copy(onnx_path, folder / "model.onnx")
    assert differences(run, folder, name)[0] < TOLERANCE


def differences(of_run, folder, name):
    from benchmarks.runtimes.measuring import measure

    results = measure(of_run.folder, folder, seconds_each=0.01, only=[name])
    return [row.get("max_difference", row.get("absent")) for row in results["rows"]]
