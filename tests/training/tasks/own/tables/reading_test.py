import json
import os

import pytest

from leaf_files.errors import UserError
from training.tasks.own.tables.columns import Columns
from training.tasks.own.tables.reading import read_table


@pytest.fixture
def table(tmp_path):
    """table(text) reads it as clips.csv beside a.wav, b.wav, c.wav and d.wav."""
    for name in "abcd":
        (tmp_path / f"{name}.wav").touch()

    def read(text, name="clips.csv", **columns):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_table(path, Columns(**columns))

    return read


def labels_of(table, column=None):
    return {entry.path.name: entry.labels for entry in table.entries(column)}


def test_one_table_serves_several_tasks(table):
    read = table(
        "path,family,pitch,program\na.wav,keyboard,100,p1\nb.wav,guitar,31,p2\n",
        label=("family", "pitch"),
        group="program",
    )
    assert read.columns["family"].labels == ("guitar", "keyboard")
    assert read.columns["pitch"].labels == ("31", "100")
    assert labels_of(read, "pitch") == {"a.wav": ("100",), "b.wav": ("31",)}
    assert [clip.group for clip in read.clips] == ["p1", "p2"]
    assert not read.faults + read.bad + read.notes + read.warnings


def test_the_table_that_a_run_writes_is_read_as_it_is(table):
    read = table("file,label\na.wav,wren|owl\nb.wav,\nc.wav,owl\n")
    assert labels_of(read) == {"a.wav": ("wren", "owl"), "b.wav": (), "c.wav": ("owl",)}
    assert read.columns["label"].multi_label
    assert read.notes[0].endswith(
        "1 of 3 clips have several labels in the column 'label' (line 2: 'wren|owl'): "
        "it is learned as a multi-label task"
    )


def test_a_row_for_each_label_is_one_clip(table):
    read = table(
        "path,start,end,label\na.wav,0,1,wren\na.wav,0,1,owl\na.wav,1,2,owl\n"
        "./a.wav,,1,owl\n"
    )
    assert [(c.labels, c.start or 0, c.end) for c in read.entries()] == [
        (("wren", "owl"), 0, 1),
        (("owl",), 1, 2),
    ]
    assert "1 of its 4 rows say nothing that an earlier one" in "".join(read.notes)


def test_lists_of_json_are_several_labels(table):
    lines = [{"path": "a.wav", "label": ["x"]}, {"path": "b.wav", "label": None}]
    read = table("\n".join(map(json.dumps, lines)), "clips.jsonl")
    assert labels_of(read) == {"a.wav": ("x",), "b.wav": ()}
    assert read.columns["label"].multi_label


def test_every_fault_is_counted_and_named_by_its_line(table):
    read = table(
        "path,label,start,end,weight,split\n"
        "a.wav,x,nan,1,1,train\n"
        'b.wav,"x",2,"1,5",1,train\n'
        "\n"
        "c.wav,,3,3,-1,fold1\n"
        "gone.wav,x,-1,,1,test\n"
        "nowhere.wav,x,-2,,1,test\n"
        "d.wav,x,0,1,1,test,left,over\n"
    )
    assert read.faults == [
        "1 row with a start that is no number (line 2: 'nan'): leave the cell empty "
        "where nothing is known",
        "1 row with an end that is no number (line 3: '1,5'): write a point before "
        "decimals: 1.5",
        "1 row with an end that isn't after the start (line 5: 3 to 3)",
        "1 row with an unknown split (line 5: 'fold1'): splits are train, validation "
        "(or valid, val, dev) and test",
        "1 row with a weight below 0 (line 5: -1)",
        "2 rows with a start before 0 (line 6: -1, line 7: -2)",
        "1 row with more fields than the header's 6 (line 8: 8): put texts that hold a "
        "separator into quotes",
        "1 row with no label in the column 'label' (line 5): fill it in, or remove the "
        "row",
    ]
    assert read.bad == [
        "line 6: there is no file 'gone.wav' (paths are relative to the table's "
        f"folder, {read.folder})",
        "line 7: there is no file 'nowhere.wav'",
    ]


@pytest.mark.parametrize("role", ["group", "split", "weight"])
def test_rows_of_a_clip_that_contradict_each_other(table, role):
    values = {"group": "xyz", "split": ("train", "test", "dev"), "weight": "123"}[role]
    rows = [f"{role},path,label", *(f"{value},a.wav,wren" for value in values)]
    [fault] = table("\n".join(rows)).faults
    assert fault.startswith(f"2 rows with another {role} than an earlier row")
    assert "as in line 2" in fault


def test_clips_without_a_split_train_where_others_have_one(table):
    read = table("path,label,split\na.wav,x,\nb.wav,y,Test\n")
    assert [clip.split for clip in read.clips] == ["train", "test"]
    assert read.notes == [
        f"{read.source}: 1 of 2 clips have no split, and train (line 2)"
    ]
    assert table("path,label,split\na.wav,x,\n").clips[0].split is None


def test_weights_that_are_all_zero(table):
    assert table("path,label,weight\na.wav,x,0\nb.wav,y,0\n").faults == [
        "all clips have the weight 0: nothing would be learned"
    ]


def test_segments_are_grouped_by_their_recordings(table):
    rows = [f"{name}.wav,x,{start},{start + 1}\n" for name in "abc" for start in (0, 1)]
    read = table("path,label,start,end\n" + "".join(rows))
    assert [c.group for c in read.clips] == [f"{n}.wav" for n in "aabbcc"]


def test_links_and_copies(table, tmp_path):
    (tmp_path / "link.wav").symlink_to("a.wav")
    (tmp_path / "hard.wav").hardlink_to(tmp_path / "a.wav")
    read = table("path,label\na.wav,x\nlink.wav,x\nhard.wav,y\n")
    assert labels_of(read) == {"a.wav": ("x",), "hard.wav": ("y",)}


def test_a_file_is_named_alike_however_its_path_is_spelled(table, tmp_path):
    (tmp_path / "ann").mkdir()
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to("far/away")
    for name in ("ann/a.wav", "far/b.wav"):
        (tmp_path / name).touch()
    spelled = ("link/../b.wav", "ann/../a.wav", "./ann/a.wav", "far/../ann/../b.wav")
    read = table("path,label\n" + "".join(f"{text},x\n" for text in spelled))
    names = [entry.path.relative_to(tmp_path).as_posix() for entry in read.clips]
    assert names == ["link/../b.wav", "a.wav", "ann/a.wav", "b.wav"]


def test_what_cannot_be_read_twice_is_refused(table, tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    read = table("path,label\npipe.wav,x\n/dev/zero,x\n")
    assert read.bad == [
        "line 2: there is no file 'pipe.wav' (a pipe or a device, which can't be read "
        "twice)",
        "line 3: there is no file '/dev/zero'",
    ]
    with pytest.raises(UserError, match="is a pipe or a device, which can't be read"):
        read_table(tmp_path / "pipe.wav")


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", "is empty; its first line must name the columns"),
        (b" \n\n", "is empty"),
        (b"path,label\n", "has a header and no rows"),
        (b'{"path": "a.w', "names no columns: 1 row with no JSON object (line 1 holds"),
        (b"{}\n", "names no columns"),
        (b"a.wav,dog\nb.wav,cat\n", "has no header: its first line must name"),
        (b"path,lable\na.wav,x\n", "no column 'label' (did you mean lable?): name it"),
        (b"path,label,label\na.wav,x,y\n", "has the column 'label' 2 times"),
        (b"path,label\na.wav,x\0y\n", "holds NUL bytes, the first in line 2"),
        (
            "path,label\na.wav,grün".encode("cp1252"),
            "CSV UTF-8; of a file from Windows",
        ),
        (b"PK\x03\x04..", "a spreadsheet or an archive, not text: save it as CSV"),
        (b'path,label\n"a.wav,x\nb.wav,y\n', "from line 2 on: unexpected end of data"),
        (b'path,label\n\na.wav,"x"y\n', "from line 3 on"),
    ],
)
def test_what_is_no_table_is_refused_in_a_line(table, content, words):
    with pytest.raises(UserError) as error:
        table(content)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_column_that_is_asked_for_must_be_there(table):
    with pytest.raises(UserError) as error:
        table("path,label,speaker\na.wav,x,s1\n", group="speakers", label=("family",))
    assert str(error.value).endswith(
        "clips.csv has no column 'family': name it by --label-column, and no column "
        "'speakers' (did you mean speaker?): name it by --group-column; its columns "
        "are path, label, speaker"
    )


def test_lines_of_json_that_are_no_objects(table):
    read = table('{"path": "a.wav", "label": "x"}\n[1]\n{"path"\n', "clips.jsonl")
    [fault] = read.faults
    assert fault.startswith("2 rows with no JSON object (line 2 holds a list, line 3 ")
    assert labels_of(read) == {"a.wav": ("x",)}
