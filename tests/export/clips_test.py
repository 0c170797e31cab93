import numpy as np
import pytest

from export.clips import read_clips, synthetic_clips
from files.clips import write_clip
from files.errors import UserError

LABELS = ("cat", "dog")


@pytest.fixture
def folder(tmp_path):
    """dog/a.wav of 25 samples, cat/b.flac of 10, at 100 Hz."""
    for name, samples in (("dog/a.wav", 25), ("cat/b.flac", 10)):
        (tmp_path / name).parent.mkdir()
        write_clip(tmp_path / name, np.full(samples, samples / 100), 8000)
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


def test_other_folders_leave_the_clips_unlabelled(folder):
    assert read_clips(folder, 8000, 10, ("cat", "horse")).targets is None


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
