import json

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import contestants, tflite
from leaf_files import command_line
from leaf_files.clips import write_clip


def run(*argv):
    return command_line.run(
        benchmarks.dispatch, [str(word) for word in argv], "python -m benchmarks"
    )


def test_accuracy_prints_a_table_and_writes_files(capsys, tmp_path):
    clips = tmp_path / "clips"
    clips.mkdir()
    write_clip(
        clips / "a.flac", np.random.default_rng(0).uniform(-0.5, 0.5, 8000), 16000
    )
    numbers, figure = tmp_path / "accuracy.json", tmp_path / "accuracy.png"
    assert not run(
        "accuracy",
        "--banks",
        1,
        "--clips",
        clips,
        "--json",
        numbers,
        "--figure",
        figure,
    )
    table = capsys.readouterr().out
    results = json.loads(numbers.read_text())
    assert {row["signal"] for row in results["signals"]} >= {"silence", "clips"}
    silent = [row for row in results["signals"] if row["signal"] == "silence"]
    assert all(row["max"] == 0 for row in silent)
    assert f"{results['banks'][0]['predicted']:.1e}" in table
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_frontends_prints_ratios_to_mel_and_writes_files(capsys, tmp_path, monkeypatch):
    # Exact LEAF takes most of the time, and is a contestant as the others.
    monkeypatch.delitem(contestants.MAKERS, "exact LEAF")
    monkeypatch.setattr(tflite, "NAMES", (contestants.BASELINE, "fast LEAF"))
    numbers, figure = tmp_path / "speed.json", tmp_path / "speed.png"
    assert not run(
        "frontends",
        *("--quick", "--seconds", 0.1, "--json", numbers, "--figure", figure),
    )
    table = capsys.readouterr().out
    rows = json.loads(numbers.read_text())["rows"]
    for row in rows:
        assert row["quartiles_ms"][0] <= row["median_ms"] <= row["quartiles_ms"][1]
    baselines = [row for row in rows if row["contestant"] == "tf.signal log-mel"]
    assert all(row["ratio"] == 1 for row in baselines)
    comparisons = {row["comparison"] for row in rows}
    assert len(baselines) == len(comparisons) == 6
    assert all(title in table for title in comparisons)
    assert figure.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "argv, code, line",
    [
        (["accuracy", "--clips", "nowhere"], 2, "there is no folder nowhere"),
        (["accuracy", "--clips", "."], 1, "holds no audio files"),
        (["accuracy", "--banks", "-1"], 2, "at least 0"),
        (["frontends", "--seconds", "nan"], 2, "above 0"),
        (["input", "--n-clips", "0"], 2, "at least 1"),
        (["input", "--clips", "."], 1, "holds no audio files"),
        (["sing"], 2, "sing"),
    ],
)
def test_mistakes_are_one_line(argv, code, line, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    try:
        found = run(*argv)
    except SystemExit as exit:
        found = exit.code
    assert found == code
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
