import json
import os

import pytest

from leaf_files import atomic
from leaf_files.errors import UserError


def test_replacing_moves_a_complete_file_into_place(tmp_path):
    path = tmp_path / "new" / "model.keras"
    with atomic.replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".keras"
        temporary.write_text("complete")
        assert not path.exists()
    assert path.read_text() == "complete"
    assert os.listdir(path.parent) == ["model.keras"]


def test_a_failure_leaves_the_previous_file_alone(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt):
        with atomic.replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["labels.txt"]


def test_replacing_folder_swaps_in_a_complete_folder(tmp_path):
    path = tmp_path / "artifact"
    path.mkdir()
    (path / "report.json").write_text("old")
    (path / "old_file").write_text("old")
    with atomic.replacing_folder(path, marker="report.json") as temporary:
        (temporary / "report.json").write_text("new")
        assert (path / "report.json").read_text() == "old"
    assert os.listdir(path) == ["report.json"]
    assert (path / "report.json").read_text() == "new"
    assert os.listdir(tmp_path) == ["artifact"]


@pytest.mark.parametrize("there_before", [True, False])
def test_a_failure_leaves_the_previous_folder_alone(tmp_path, there_before):
    path = tmp_path / "artifact"
    if there_before:
        path.mkdir()
        (path / "report.json").write_text("old")
    with pytest.raises(RuntimeError):
        with atomic.replacing_folder(path, marker="report.json") as temporary:
            (temporary / "report.json").write_text("half")
            raise RuntimeError
    assert os.listdir(tmp_path) == (["artifact"] if there_before else [])
    if there_before:
        assert (path / "report.json").read_text() == "old"


def test_a_failed_swap_brings_the_previous_folder_back(tmp_path, monkeypatch):
    path = tmp_path / "artifact"
    path.mkdir()
    (path / "report.json").write_text("old")
    rename = os.rename

    def fail_on_the_new_folder(source, target):
        if (source / "report.json").read_text() == "new":
            raise OSError("no")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_on_the_new_folder)
    with pytest.raises(OSError, match="no"):
        with atomic.replacing_folder(path, marker="report.json") as temporary:
            (temporary / "report.json").write_text("new")
    assert (path / "report.json").read_text() == "old"
    assert os.listdir(tmp_path) == ["artifact"]


def test_a_folder_of_the_users_own_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("dear")
    with pytest.raises(UserError, match="holds other files, and no report"):
        with atomic.replacing_folder(tmp_path, marker="report.json"):
            pytest.fail("entered")
    assert (tmp_path / "thesis.txt").read_text() == "dear"
    with pytest.raises(UserError, match="it is a file"):
        with atomic.replacing_folder(tmp_path / "thesis.txt", marker="x"):
            pytest.fail("entered")


def test_an_empty_folder_is_replaced(tmp_path):
    path = tmp_path / "artifact"
    path.mkdir()
    with atomic.replacing_folder(path, marker="report.json") as temporary:
        (temporary / "report.json").write_text("new")
    assert os.listdir(path) == ["report.json"]


def test_write_json_is_readable_and_whole(tmp_path):
    path = tmp_path / "metrics.json"
    atomic.write_json(path, {"accuracy": 0.5, "labels": ["grün"]})
    text = path.read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert '  "labels": [\n    "grün"' in text
    assert json.loads(text) == {"accuracy": 0.5, "labels": ["grün"]}
    with pytest.raises(ValueError):
        atomic.write_json(path, {"loss": float("nan")})
    assert path.read_text(encoding="utf-8") == text


def test_writable_folder_leaves_no_trace(tmp_path):
    atomic.writable_folder(tmp_path / "runs" / "first")
    assert os.listdir(tmp_path) == []
    (tmp_path / "there").mkdir()
    atomic.writable_folder(tmp_path / "there")
    assert os.listdir(tmp_path) == ["there"]
    assert os.listdir(tmp_path / "there") == []


@pytest.mark.parametrize("check", [atomic.writable_folder, atomic.make_folder])
def test_a_folder_that_cannot_be_made_is_refused(tmp_path, check):
    file = tmp_path / "file"
    file.touch()
    for path in (file, file / "run", "/proc/run", tmp_path / ("a" * 300)):
        with pytest.raises(UserError, match="cannot write to the folder") as e:
            check(path)
        assert str(path) in str(e.value)
    assert os.listdir(tmp_path) == ["file"]


def test_a_table_has_a_header_and_empty_cells(tmp_path):
    atomic.write_csv(tmp_path / "t.csv", [{"a": 1, "b": "x, y"}, {"a": None, "b": "é"}])
    text = (tmp_path / "t.csv").read_text(encoding="utf-8")
    assert text.splitlines() == ["a,b", '1,"x, y"', ",é"]
    with pytest.raises(ValueError):
        atomic.write_csv(tmp_path / "t.csv", [{"a": 1}, {"c": 2}])
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == text
