import os

import numpy as np
import pytest

from export.source.clips import read_clips, synthetic_clips
from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from training.tasks.own.folder import FolderTask

LABELS = ("cat", "dog")


@pytest.fixture
def folder(tmp_path):
    """dog/a.wav of 25 samples, cat/b.flac of 10, at 100 Hz."""
    for name, samples in (("dog/a.wav", 25), ("cat/b.flac", 10)):
        (tmp_path / name).parent.mkdir()
        sound = np.full(samples, samples / 100)
        sound[-1] = 0  # no silence
        write_clip(tmp_path / name, sound, 8000)
    return tmp_path


def test_subfolders_label_the_clips(folder):
    clips = read_clips(folder, 8000, 10, LABELS)
    assert clips.n_clips == 2
    np.testing.assert_array_equal(clips.targets, [[True, False], [False, True]])
    np.testing.assert_array_equal(clips.clip_of_window, [0, 1, 1, 1])
    np.testing.assert_allclose(clips.windows[:, 0], [0.1, 0.25, 0.25, 0.25], atol=1e-4)


def test_clips_csv_names_the_clips_and_their_labels(folder):
    (folder / "clips.csv").write_text("file,label\ncat/b.flac,dog\n")
    clips = read_clips(folder, 8000, 10, LABELS)
    np.testing.assert_array_equal(clips.targets, [[False, True]])


def test_a_clip_that_clips_csv_names_twice_is_heard_once(folder, capsys):
    (folder / "clips.csv").write_text("file,label\n" + 2 * "cat/b.flac,cat\n")
    assert read_clips(folder, 8000, 10, LABELS).n_clips == 1
    assert "names a clip again in 1 of its 2 rows" in capsys.readouterr().err


def test_clips_at_depth_are_of_the_class_of_their_folder(folder):
    deep = folder / "dog" / "session 1" / "cat"
    deep.mkdir(parents=True)
    (folder / "dog" / "a.wav").rename(deep / "a.wav")
    (deep / "._a.wav").write_bytes(b"\0\5\x16\7")
    (folder / ".Trash-1" / "cat").mkdir(parents=True)
    (folder / ".Trash-1" / "cat" / "b.wav").write_bytes(b"any")
    clips = read_clips(folder, 8000, 10, LABELS)
    np.testing.assert_array_equal(clips.targets, [[True, False], [False, True]])


def test_labels_and_clips_are_those_of_evaluate(folder):
    write_clip(folder / "loose.wav", np.ones(10), 8000)
    (folder / "more").mkdir()
    write_clip(folder / "more" / "y.AIF.wav", np.ones(10), 8000)
    os.symlink(folder / "more", folder / "cat" / "session")
    (folder / "more").rename(folder / "dog" / "more")
    os.symlink(folder / "dog" / "more", folder / "cat" / "other")
    os.unlink(folder / "cat" / "session")
    evaluated = FolderTask(folder).load_all(LABELS)
    exported = read_clips(folder, 8000, 10, LABELS)
    assert exported.n_clips == evaluated.n_examples == 4
    np.testing.assert_array_equal(
        exported.targets.argmax(axis=1), evaluated.read_labels()
    )


def test_other_folders_leave_the_clips_unlabelled(folder, capsys):
    assert read_clips(folder, 8000, 10, ("cat", "horse")).targets is None
    [line] = capsys.readouterr().err.splitlines()
    assert "1 of its 2 subfolders of clips (dog) are no labels" in line
    assert "(cat, horse)" in line


def test_clips_beside_each_other_have_no_labels_and_need_none(folder, capsys):
    assert read_clips(folder / "dog", 8000, 10, LABELS).targets is None
    assert capsys.readouterr().err == ""


def test_what_is_passed_over_is_said(folder, capsys):
    (folder / "cat" / "x.m4a").write_bytes(b"any")
    read_clips(folder, 8000, 10, LABELS)
    assert "1 of formats that can't be read (1 .m4a" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_a_table_of_windows(folder, encoding, separator):
    table = f"file{separator}label\r\ncat\\b.flac{separator}dog\r\n"
    (folder / "clips.csv").write_bytes(table.encode(encoding))
    clips = read_clips(folder, 8000, 10, LABELS)
    np.testing.assert_array_equal(clips.targets, [[False, True]])


def test_a_clip_of_a_multi_label_head_has_any_number_of_labels(folder):
    table = "file,label\ncat/b.flac,dog|cat\ndog/a.wav,\ncat/b.flac,cat\n"
    (folder / "clips.csv").write_text(table)
    clips = read_clips(folder, 8000, 10, LABELS, multi_label=True)
    np.testing.assert_array_equal(clips.targets, [[1, 1], [0, 0], [1, 0]])
    (folder / "clips.csv").write_text("file,label\ncat/b.flac,cat|cow\n")
    with pytest.raises(UserError, match="the label cow"):
        read_clips(folder, 8000, 10, LABELS, multi_label=True)


@pytest.mark.parametrize(
    "table, message",
    [
        (
            "file,label\ncat/b.flac,cow\n",
            "the label cow, which the model does not know",
        ),
        ("path,label\ncat/b.flac,cat\n", "must have the columns file,label"),
        ("file,label\nmissing.wav,cat\n", "there is no audio file"),
        ("file,label\n", "holds no clips"),
        (
            "file,label\ncat/b.flac,cat\ncat/b.flac,dog\n",
            "gives b.flac the labels cat and dog; a clip has one",
        ),
    ],
)
def test_a_wrong_table_is_refused(folder, table, message):
    (folder / "clips.csv").write_text(table)
    with pytest.raises(UserError, match=message):
        read_clips(folder, 8000, 10, LABELS)


def test_a_missing_or_empty_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no clips"):
        read_clips(tmp_path, 8000, 10, LABELS)
    with pytest.raises(UserError, match="there is no folder of clips"):
        read_clips(tmp_path / "missing", 8000, 10, LABELS)


def test_synthetic_clips_are_loud_quiet_and_silent():
    clips = synthetic_clips(8000, 1000)
    peaks = np.abs(clips.windows).max(axis=1)
    assert peaks.max() <= 1.0 and peaks.max() > 0.5
    assert peaks.min() == 0.0
    assert ((peaks > 0) & (peaks < 0.02)).any()
    assert clips.windows.dtype == np.float32
    np.testing.assert_array_equal(clips.windows, synthetic_clips(8000, 1000).windows)
