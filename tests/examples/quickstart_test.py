"""The quickstart as a newcomer runs it, in a new folder."""

import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.slow
def test_quickstart(tmp_path):
    result = subprocess.run(
        [sys.executable, ROOT / "examples" / "quickstart.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    output = tmp_path / "quickstart_output"
    for frontend in ("leaf", "mel"):
        metrics = json.loads((output / frontend / "metrics.json").read_text())
        # Eight words: chance is 0.125.
        assert metrics["tasks"]["synthetic"]["accuracy"] > 0.5
    report = json.loads((output / "phone" / "report.json").read_text())
    for name, artifact in report["artifacts"].items():
        if name.startswith("tflite_"):  # quantized, may lose a point
            assert artifact["accuracy"] >= report["keras"]["accuracy"] - 0.01, name
            continue
        assert artifact["max_difference"] <= 1e-4, name
        if "accuracy" in artifact:  # of classifiers
            assert artifact["accuracy"] == report["keras"]["accuracy"]
    assert (output / "leaf_and_mel.png").stat().st_size > 5000
    assert (output / "leaf" / "figures" / "filters.png").stat().st_size > 5000


@pytest.mark.slow
def test_quickstart_refuses_a_folder_that_is_there(tmp_path):
    result = subprocess.run(
        [sys.executable, ROOT / "examples" / "quickstart.py", "--output", tmp_path],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("quickstart: error: ")
    assert result.stderr.count("\n") == 1
