import json

import pytest

from leaf_files.errors import UserError
from leaf_files.run_files import digest_of, notes, require_same_labels


def write(folder, name, labels):
    (folder / name).write_text(json.dumps({"tasks": [{"head": "h", "labels": labels}]}))


@pytest.fixture
def run(tmp_path):
    write(tmp_path, "tasks.json", ["high", "low"])
    write(tmp_path, "data.json", ["high", "low"])
    (tmp_path / "labels.txt").write_text("high\nlow\n")
    return tmp_path


def test_files_that_belong_together(run):
    require_same_labels(run)
    (run / "labels.txt").write_bytes(b"\xef\xbb\xbfhigh\r\nlow\r\n")  # by an editor
    require_same_labels(run)
    (run / "labels.txt").write_text("high\nlow\n", encoding="utf-16")
    require_same_labels(run)
    (run / "data.json").unlink()
    require_same_labels(run)
    (run / "labels.txt").unlink()
    require_same_labels(run)


@pytest.mark.parametrize(
    "text, said",
    [
        ("high\nlow\n\n", "labels.txt has 3 classes, tasks.json 2"),
        ("low\nhigh\n", "labels.txt has class number 1 as 'low', tasks.json as 'high'"),
        ("high\nLow\n", "labels.txt has class number 2 as 'Low', tasks.json as 'low'"),
        ("high\n", "labels.txt has 1 classes, tasks.json 2"),
    ],
)
def test_labels_that_were_edited_are_refused(run, text, said):
    (run / "labels.txt").write_text(text)
    with pytest.raises(UserError, match=said):
        require_same_labels(run)


def test_labels_that_were_edited_alike_are_refused(run):
    """data.json still knows them as they were."""
    (run / "labels.txt").write_text("low\nhigh\n")
    write(run, "tasks.json", ["low", "high"])
    said = "tasks.json has class number 1 as 'low', data.json as 'high'"
    with pytest.raises(UserError, match=said):
        require_same_labels(run)


def test_each_head_has_a_file(run):
    tasks = [{"head": head, "labels": ["a", "b"]} for head in ("x", "y")]
    (run / "tasks.json").write_text(json.dumps({"tasks": tasks}))
    (run / "labels_x.txt").write_text("a\nb\n")
    (run / "labels_y.txt").write_text("b\na\n")
    with pytest.raises(UserError, match="labels_y.txt has class number 1 as 'b'"):
        require_same_labels(run)


def test_what_is_damaged_others_say(run):
    (run / "labels.txt").write_text("low\n")
    for content in ("{", "[]", '{"tasks": [1]}', '{"tasks": 1}'):
        (run / "tasks.json").write_text(content)
        require_same_labels(run)
    (run / "data.json").write_text("[]")
    assert notes(run) == []


def test_a_file_that_is_not_as_it_was_written_is_noted(tmp_path):
    clips = tmp_path / "evaluation_clips"
    clips.mkdir()
    (clips / "clips.csv").write_text("file,label\n")
    (clips / "0.flac").write_bytes(b"sound")
    (tmp_path / "model.keras").write_bytes(b"model")
    names = ("model.keras", "evaluation_clips")
    marks = {name: digest_of(tmp_path / name) for name in names}
    (tmp_path / "data.json").write_text(json.dumps({"tasks": [], "files": marks}))
    (clips / ".DS_Store").touch()  # of a program that looked
    assert notes(tmp_path) == []
    (tmp_path / "model.keras").write_bytes(b"other")
    [note] = notes(tmp_path)
    assert "model.keras isn't as training wrote it" in note and "other classes" in note
    (clips / "0.flac").rename(clips / "1.flac")
    assert "evaluation_clips isn't as training wrote it" in notes(tmp_path)[1]
    (tmp_path / "model.keras").unlink()
    assert len(notes(tmp_path)) == 1
