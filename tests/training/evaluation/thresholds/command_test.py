"""`python -m training thresholds` on a finished run."""

import csv
import json
import shutil

import numpy as np
import pytest

from leaf_files import command_line
from leaf_files.clips import write_clip
from leaf_files.decisions import read_decisions
from tests import pages
from tests.training.runs import SAMPLE_RATE, noise
from training.__main__ import dispatch
from training.decisions.alarms import LEVELS


def thresholds(*argv):
    """`python -m training thresholds ...`; returns the exit code."""
    try:
        words = ["thresholds", *map(str, argv)]
        return command_line.run(dispatch, words, "python -m training")
    except SystemExit as error:
        return error.code


@pytest.fixture
def run(finished, tmp_path):
    """A copy of the finished run; two clips of each label are enough."""
    return shutil.copytree(finished.path, tmp_path / "run")


@pytest.fixture
def two_are_enough(monkeypatch):
    monkeypatch.setattr("training.decisions.targets.LEAST_CLIPS", 2)


def decisions_of(run):
    [decisions] = read_decisions(run / "decisions.json").values()
    return decisions


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_they_are_written_to_the_run(run, two_are_enough, capsys):
    before = decisions_of(run)
    assert thresholds(run, "--recall", "0.5") == 0
    out = capsys.readouterr().out
    assert "thresholds for a recall of 50 %, chosen on 4 validation clips" in out
    after = decisions_of(run)
    assert after.temperature == before.temperature
    assert set(after.thresholds) == {"high", "low"}
    rows = read(run / "thresholds.csv")
    assert {row["label"]: float(row["threshold"]) for row in rows} == after.thresholds
    names = pages.named("run_folder.md", "thresholds.csv")
    columns = [column for column in rows[0] if not column.endswith(("_low", "_high"))]
    assert [column for column in columns if column not in names] == []
    assert (run / "figures" / "precision_recall.png").exists()
    names = pages.named("run_folder.md", "decisions.json")
    content = json.loads((run / "decisions.json").read_text())
    assert pages.unnamed(content, names) == []
    report = (run / "report.md").read_text()
    assert report.count("## Thresholds") == 1
    assert thresholds(run, "--keep", "0.9", "--task", own_task(run)) == 0
    assert (run / "report.md").read_text().count("## Thresholds") == 1


def own_task(run):
    return json.loads((run / "tasks.json").read_text())["tasks"][0]["task"]


def test_a_run_of_an_older_version_has_no_decisions_yet(run, two_are_enough):
    (run / "decisions.json").unlink()
    assert thresholds(run, "--keep", "0.5") == 0
    decisions = decisions_of(run)
    assert decisions.temperature == 1.0 and decisions.none_below > 0.5


def test_a_dry_run_writes_nothing(run, two_are_enough, capsys):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert thresholds(run, "--recall", "0.5", "--none-below", "--dry-run") == 0
    assert "one threshold for a recall of 50 %" in capsys.readouterr().out
    after = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert after == before


def test_two_clips_cannot_tell(run, capsys):
    before = (run / "decisions.json").read_text()
    assert thresholds(run, "--precision", "0.9") == 0
    out = capsys.readouterr().out
    assert "high, low keep none of their own: 2 validation clips with it, and" in out
    assert json.loads((run / "decisions.json").read_text()) == json.loads(before)


def test_false_alarms_in_recordings_without_any_label(run, tmp_path, capsys):
    """Of a recording that changes from low to high noise and back each is found."""
    random = np.random.default_rng(0)
    parts = [noise(random, 2.0, high) for high in (False, True, False)]
    write_clip(tmp_path / "street" / "a" / "0.wav", np.concatenate(parts), SAMPLE_RATE)
    words = ["--false-alarms-per-hour", "700", "--negatives", tmp_path / "street"]
    assert thresholds(run, *words) == 0
    out = capsys.readouterr().out
    assert "thresholds for at most 700 false alarms an hour, chosen on 0.00167 h" in out
    assert "0.00167 h are too short to show 700 false alarms an hour" in out
    high, low = read(run / "thresholds.csv")
    # One an hour is 600 in six seconds; low noise comes twice, where it is sure.
    assert (high["label"], int(high["false_alarms"])) == ("high", 1)
    assert float(high["threshold"]) == LEVELS[0]
    assert float(low["per_hour"]) <= 700
    assert float(low["threshold"]) > 0.9
    assert low["note"] == ""
    assert (run / "figures" / "det.png").exists()
    names = pages.named("run_folder.md", "thresholds.csv")
    columns = [column for column in high if not column.endswith(("_low", "_high"))]
    assert [column for column in columns if column not in names] == []
    names = pages.named("run_folder.md", "decisions.json")
    content = json.loads((run / "decisions.json").read_text())
    assert pages.unnamed(content, names) == []


@pytest.mark.parametrize(
    "words, code, expected",
    [
        (("--precision", "0.9", "--recall", "0.5"), 2, "not allowed with argument"),
        (("--precision", "1.5"), 2, "must be a number above 0, at most 1"),
        ((), 2, "one of the arguments --precision --recall"),
        (("--keep", "0.9", "--task", "folder:other"), 1, "there is no folder"),
        (("--false-alarms-per-hour", "1"), 1, "name a folder of them by --negatives"),
        (("--false-alarms-per-hour", "0"), 2, "must be a finite number above 0"),
        (("--keep", "0.9", "--negatives", "x"), 1, "are of --false-alarms-per-hour"),
        (
            ("--false-alarms-per-hour", "1", "--negatives", "gone"),
            1,
            "there is no folder gone; name folders of recordings without any",
        ),
    ],
)
def test_mistakes_are_one_line(finished, capsys, words, code, expected):
    assert thresholds(finished.path, *words) == code
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and expected in error


def test_an_unknown_run_is_one_line(tmp_path, capsys):
    assert thresholds(tmp_path / "gone", "--keep", "0.9") == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "holds no finished run" in error


def test_clips_of_others_are_no_validation_clips(finished, make_folder, capsys):
    folder = make_folder({"high": 2, "low": 2}, samples=2000)
    code = thresholds(finished.path, "--keep", "0.9", "--task", f"folder:{folder}")
    assert code == 1
    error = capsys.readouterr().err
    assert "isn't the data that" in error and error.count("\n") == 1
