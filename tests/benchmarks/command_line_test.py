import json
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import contestants, few_filters, speed, tflite, training
from benchmarks.timing import Times
from leaf_files import command_line
from leaf_files.clips import write_clip
from tests.docstrings import run_examples


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


def test_the_cost_of_few_filters_is_beside_that_of_mel(capsys, tmp_path, monkeypatch):
    # What converts and runs a file is tested by the export, and takes seconds.
    monkeypatch.setattr(tflite, "convert", lambda layer, samples: b"x" * samples)
    monkeypatch.setattr(tflite, "call", lambda *_: lambda: None)
    times = {"mel/2": 2.0, "mel/4": 4.0, "leaf:compression=log/2": 3.0}
    times["leaf:compression=log/4"] = 5.0
    monkeypatch.setattr(
        few_filters,
        "interleave",
        lambda calls, seconds: {
            name: Times(np.array([times[name] / 1e3])) for name in calls
        },
    )
    numbers = tmp_path / "tflite.json"
    argv = ("--frontends", "mel,leaf:compression=log", "--n-filters", "2,4")
    assert not run("tflite", *argv, "--sample-rate", 4000, "--json", numbers)
    rows = json.loads(numbers.read_text())["rows"]
    names = ("frontend", "n_filters", "median_ms", "ratio", "bytes")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("mel", 2, 2.0, 1.0, 4000),
        ("leaf:compression=log", 2, 3.0, 1.5, 4000),
        ("mel", 4, 4.0, 1.0, 4000),
        ("leaf:compression=log", 4, 5.0, 1.25, 4000),
    ]
    # Two more bands: a multiplication of each of 257 bins, each hop of 40 samples.
    more = rows[2]["multiplications"] - rows[0]["multiplications"]
    assert more == pytest.approx(2 * 257 / 40)
    table = capsys.readouterr().out
    assert "1 x 1 s at 4000 Hz, TFLite, 1 thread, 4 filters" in table
    assert "1.25 x mel" in table


def named_times(milliseconds):
    """A stand-in for `interleave`: so many milliseconds a call, by name."""

    def interleave(calls, *_, **__):
        return {name: Times(np.array([milliseconds[name] / 1e3])) for name in calls}

    return interleave


def test_other_filters_and_rates_are_beside_mel(capsys, tmp_path, monkeypatch):
    made = []
    engine = SimpleNamespace(
        modes=("graph", "XLA"), forward=lambda *_: None, frozen=lambda *_: None
    )
    monkeypatch.setattr(speed, "current_engine", lambda: engine)
    monkeypatch.setattr(contestants, "make", lambda *which: made.append(which))
    times = dict.fromkeys(contestants.names(), 2.0)
    times |= {"fast LEAF": 3.0, "fast LEAF, frozen": 1.0}
    monkeypatch.setattr(speed, "interleave", named_times(times))
    numbers = tmp_path / "settings.json"
    assert not run("frontends", "--settings", "pann,perch_50ms", "--json", numbers)
    rows = json.loads(numbers.read_text())["rows"]
    ratios = [
        (r["setting"], r["ratio"]) for r in rows if r["contestant"] == "fast LEAF"
    ]
    assert ratios == [("pann", 1.5), ("perch_50ms", 1.5)]
    assert (
        "4 x 1 s, graph, forward, 64 filters, 32 kHz (pann)" in capsys.readouterr().out
    )
    # Exact LEAF is of the paper's filters alone.
    assert {name for name, _ in made} == {*times} - {"exact LEAF", "fast LEAF, frozen"}


def test_settings_that_are_not_known_are_told(capsys):
    assert run("frontends", "--settings", "pann,pan") == 1
    assert (
        "there are no settings pan; there are leaf, yamnet" in capsys.readouterr().err
    )


@pytest.mark.parametrize("shapes", ["32", "32x1x1", "0x1", "ax1"])
def test_shapes_that_are_none_are_told(capsys, shapes):
    with pytest.raises(SystemExit):
        run("frontends", "--shapes", shapes)
    assert "--shapes: must be" in capsys.readouterr().err


def test_the_steps_of_a_training_are_beside_the_first(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(
        training, "interleave", named_times({"mel": 4.0, "mel:compression=none": 5.0})
    )
    numbers = tmp_path / "training.json"
    argv = ("--frontends", "mel,mel:compression=none", "--sample-rate", 4000)
    assert not run("training", *argv, "--batch-size", 2, "--json", numbers)
    rows = json.loads(numbers.read_text())["rows"]
    assert [(row["part"], row["ratio"]) for row in rows] == [
        (part, ratio)
        for part in ("whole step", "frontend, both ways", "frontend, forward")
        for ratio in (1.0, 1.25)
    ]
    assert "1.25 x mel" in capsys.readouterr().out


@pytest.mark.slow
def test_steps_of_a_training_are_timed(tmp_path):
    numbers = tmp_path / "training.json"
    argv = ("--batch-size", 2, "--sample-rate", 4000, "--seconds", 0.01)
    assert not run("training", *argv, "--json", numbers)
    rows = json.loads(numbers.read_text())["rows"]
    assert len(rows) == 6 and all(row["median_ms"] > 0 for row in rows)


def test_the_example_of_a_cost():
    run_examples("benchmarks.few_filters")


@pytest.mark.slow
def test_frontends_are_timed_as_tflite_files(tmp_path):
    numbers = tmp_path / "tflite.json"
    argv = ("--n-filters", "2,3", "--sample-rate", 4000, "--seconds", 0.01)
    assert not run("tflite", *argv, "--json", numbers)
    rows = json.loads(numbers.read_text())["rows"]
    assert len(rows) == 4
    for row in rows:
        assert 0 < row["quartiles_ms"][0] <= row["median_ms"] <= row["quartiles_ms"][1]


@pytest.mark.parametrize(
    "argv, code, line",
    [
        (["accuracy", "--clips", "nowhere"], 2, "there is no folder nowhere"),
        (["accuracy", "--clips", "."], 1, "holds no audio files"),
        (["accuracy", "--banks", "-1"], 2, "at least 0"),
        (["frontends", "--seconds", "nan"], 2, "above 0"),
        (["input", "--n-clips", "0"], 2, "at least 1"),
        (["input", "--clips", "."], 1, "holds no audio files"),
        (["tflite", "--frontends", "laef"], 1, "did you mean leaf?"),
        (["tflite", "--frontends", "mel:n_filters=8"], 1, "are given by --n-filters"),
        (["tflite", "--frontends", "mel", "--sample-rate", "99"], 1, "can't be made"),
        (["tflite", "--n-filters", "8,x"], 2, "at least 1. Received: x"),
        (["tflite", "--n-filters", "8,8"], 2, "different"),
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
