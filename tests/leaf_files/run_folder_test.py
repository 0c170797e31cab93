import json

import pytest

from leaf_files.errors import UserError
from leaf_files.run_folder import (
    CLIPS_TABLE,
    SIGMOID,
    Head,
    RunPaths,
    digest_of,
    notes,
    read_heads,
    require_same_labels,
    tasks_json,
    write_clips_table,
)
from leaf_files.text import read_table
from tests.rooms import ROOT


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


HEADS = (
    Head("folder:/data/birds", "birds", ("blackbird", "wren")),
    Head("frogs", "frogs", ("ä|b", "c,d"), SIGMOID),
)


def test_heads_survive_tasks_json(tmp_path):
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks_json(HEADS)))
    assert read_heads(path) == HEADS
    assert [head.multi_label for head in HEADS] == [False, True]


@pytest.mark.parametrize("key", ["task", "head", "labels", "activation"])
def test_an_entry_of_tasks_json_is_whole(key):
    entry = HEADS[0].to_dict()
    del entry[key]
    with pytest.raises(KeyError, match=key):
        Head.from_dict(entry)
    with pytest.raises(TypeError):
        Head.from_dict({**entry, key: 1})


def test_a_table_of_clips_gives_their_labels(tmp_path):
    write_clips_table(tmp_path, [("0.flac", ["a", "b"]), ("1.flac", []), ("2", ["ä,"])])
    rows = read_table(tmp_path / "clips.csv")
    assert [row["file"] for row in rows] == ["0.flac", "1.flac", "2"]
    assert [row["label"] for row in rows] == ["a|b", "", "ä,"]


def test_the_page_of_the_run_folder_names_each_file():
    page = (ROOT / "docs/reference/run_folder.md").read_text()
    paths = {
        name: path for name, path in vars(RunPaths("RUN")).items() if name != "path"
    }
    for path in [*paths.values(), paths["evaluation_clips"] / CLIPS_TABLE]:
        assert f"`{path.name}" in page
