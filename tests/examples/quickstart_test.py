"""The quickstart as a newcomer runs it, in a new folder, but for few epochs."""

import csv
import json
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.slow
def test_quickstart(tmp_path):
    result = subprocess.run(
        [sys.executable, ROOT / "examples" / "quickstart.py", "--epochs", "2"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    output = tmp_path / "quickstart_output"
    for frontend in ("leaf", "mel"):
        metrics = json.loads((output / frontend / "metrics.json").read_text())
        assert metrics["tasks"]["synthetic"]["n_examples"] == 240
        with open(output / frontend / "history.csv", newline="") as file:
            losses = [float(epoch["loss"]) for epoch in csv.DictReader(file)]
        assert len(losses) == 2 and losses[-1] < losses[0]
    report = json.loads((output / "phone" / "report.json").read_text())
    for name, artifact in report["artifacts"].items():
        if name.startswith("tflite_"):  # quantized
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
