import numpy as np
import pytest

from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from training.tasks.own.tables.columns import Columns
from training.tasks.own.tables.reading import read_table

RAVEN = """\
Selection\tView\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tBegin File\tSpecies
1\tWaveform 1\t0.5\t1.0\t0.0\tdawn.wav\twren
1\tSpectrogram 1\t0.5\t1.0\t900.0\tdawn.wav\twren
2\tSpectrogram 1\t1.5\t1.75\t900.0\tdawn.wav\t"owl
"""
AUDACITY = '0.500000\t1.000000\twren\n\\\t900.0\t1200.0\n1.5\t1.75\t"owl\n'
EVENTS = [("wren", 0.5, 1.0), ('"owl', 1.5, 1.75)]


@pytest.fixture
def recording(tmp_path):
    """The path of dawn.wav, 2.03 s."""
    path = tmp_path / "dawn.wav"
    write_clip(path, np.zeros(16240), 8000)
    return path


def events(table):
    assert not table.faults + table.bad
    assert {entry.path.name for entry in table.clips} == {"dawn.wav"}
    return [(*entry.labels, entry.start, entry.end) for entry in table.entries()]


@pytest.mark.parametrize("text", [RAVEN, AUDACITY])
@pytest.mark.parametrize("name", ["dawn.txt", "dawn.Table.1.selections.txt"])
def test_annotations_are_read_by_themselves_and_beside(recording, text, name):
    table = recording.with_name(name)
    table.write_text(text)
    assert events(read_table(table)) == EVENTS
    recording.with_name("dusk.wav").touch()
    beside = read_table(recording.parent)
    assert events(beside) == EVENTS
    assert "1 of its 2 recordings have no label file, and aren't used (dusk.wav)" in (
        " ".join(beside.notes)
    )
    assert "passed over" not in " ".join(beside.notes)


def test_raven_says_which_column_the_labels_are_of(recording):
    table = recording.with_name("any.txt")
    table.write_text(RAVEN.replace("Low Freq (Hz)", "Call Type"))
    assert (
        read_table(table).notes[0].endswith("labels are those of the column 'Species'")
    )
    by_type = read_table(table, Columns(label=("Call Type",)))
    assert by_type.columns["Call Type"].labels == ("0.0", "900.0")
    table.write_text(RAVEN.replace("Species", "Bird"))
    with pytest.raises(UserError, match="--label-column: Selection, View, .*, Bird$"):
        read_table(table)


def test_selections_in_a_row_of_files_are_located_by_their_offset(recording):
    table = recording.with_name("all.txt")
    table.write_text(
        "Begin Time (s)\tEnd Time (s)\tBegin Path\tFile Offset (s)\tAnnotation\n"
        "3600.5\t3601.0\tD:\\field\\2026\\dawn.wav\t0.5\twren\n"
    )
    assert events(read_table(table)) == EVENTS[:1]


def test_labels_that_are_points(recording):
    table = recording.with_name("dawn.txt")
    table.write_text("0.5\t0.5\twren\n")
    assert read_table(table).faults == [
        "1 label with no length (line 1: 0.5 s): drag it to a region in Audacity, or "
        "remove it"
    ]


def test_a_label_file_of_no_recording_and_of_two(recording):
    table = recording.with_name("Label Track.txt")
    table.write_text(AUDACITY)
    with pytest.raises(UserError, match=r"no audio file Label Track\.\* beside it"):
        read_table(table)
    table = table.rename(recording.with_name("dawn.txt"))
    recording.with_name("dawn.flac").touch()
    with pytest.raises(UserError, match=r"may be of any of dawn\.flac, dawn\.wav"):
        read_table(table)
    [fault] = read_table(recording.parent).faults
    assert "dawn.txt of dawn.flac and dawn.wav" in fault


def test_folders_without_recordings_or_label_files(tmp_path):
    with pytest.raises(UserError, match="holds no recordings; put beside each"):
        read_table(tmp_path)
    (tmp_path / "wren").mkdir()
    (tmp_path / "wren" / "a.wav").touch()
    with pytest.raises(UserError, match="none of the 1 recordings .*as folder:"):
        read_table(tmp_path)


def test_what_nobody_annotated_is_background(recording):
    table = recording.with_name("dawn.txt")
    table.write_text(AUDACITY)
    found = read_table(table, background="noise", window_seconds=0.4)
    expected = [(0.0, 0.4), (0.4, 0.5), (1.0, 1.4), (1.4, 1.5), (1.75, 2.03)]
    np.testing.assert_allclose([e[1:] for e in events(found)[2:]], expected)
    assert found.columns["label"].labels == ('"owl', "noise", "wren")
    recording.with_name("quiet.wav").write_bytes(recording.read_bytes())
    recording.with_name("quiet.txt").touch()
    beside = read_table(recording.parent, background="noise", window_seconds=10.0)
    quiet = [e for e in beside.entries() if e.path.name == "quiet.wav"]
    assert [(e.labels, e.start, e.end) for e in quiet] == [(("noise",), 0.0, 2.03)]


def test_background_follows_the_annotation_beside_it(recording):
    table = recording.with_name("clips.csv")
    table.write_text(
        "path,start,end,label,group,split,weight\n"
        "dawn.wav,0.5,1,a,x,train,2\ndawn.wav,1.5,2,b,y,test,2\n"
    )
    found = read_table(table, background="noise").clips[2:]
    assert [(c.start, c.group, c.split, c.weight) for c in found] == [
        (0.0, "x", "train", 1),
        (1.0, "x", "train", 1),
    ]
    table.write_text("path,label\ndawn.wav,a\n")
    [fault] = read_table(table, background="noise").faults
    assert fault.startswith("there is nothing for the class 'noise'")
