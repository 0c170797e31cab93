"""The quickstart as a newcomer runs it, in a new folder, but for few epochs."""

import csv
import json
import pathlib
import re
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
    # What is shown of the clips is what was measured on all of them.
    shown = {kind: int(n) for kind, n in re.findall(r"#   (\w+): (\d+)", result.stdout)}
    assert shown["right"] + shown["wrong"] == 240
    assert shown["right"] == round(240 * report["artifacts"]["tflite"]["accuracy"])
    for kind, is_right in (("right", True), ("wrong", False)):
        if not shown[kind]:
            continue
        [word] = re.findall(rf"{kind}.wav, the word '(\w+)'", result.stdout)
        [first] = re.findall(rf"{kind}.wav \(1 s\)\n +(\w+) ", result.stdout)
        assert (first == word) == is_right
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
