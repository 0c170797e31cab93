import numpy as np
import pytest

from export.source.calibration import read_calibration_windows
from leaf_files.clips import write_clip
from leaf_files.errors import UserError


def test_clips_at_any_depth_are_cut_into_windows(tmp_path):
    (tmp_path / "task" / "a").mkdir(parents=True)
    write_clip(tmp_path / "task" / "a" / "long.wav", np.full(250, 0.5), 8000)
    write_clip(tmp_path / "short.flac", np.full(50, 0.25), 8000)
    (tmp_path / "notes.txt").write_text("none")
    windows = read_calibration_windows(tmp_path, 8000, 100)
    assert windows.shape == (4, 100)
    np.testing.assert_allclose(sorted(windows.max(axis=1)), [0.25, 0.5, 0.5, 0.5])


def test_hidden_clips_are_not_heard_and_bad_ones_counted(tmp_path, capsys):
    write_clip(tmp_path / "a" / "1.wav", np.full(100, 0.5), 8000)
    write_clip(tmp_path / "a" / ".Trash-1000" / "2.wav", np.full(100, 0.9), 8000)
    windows = read_calibration_windows(tmp_path, 8000, 100)
    assert windows.shape == (1, 100)
    assert "1 hidden or system folder" in capsys.readouterr().err
    for n in range(2):
        (tmp_path / f"bad{n}.wav").write_text("no sound")
    with pytest.raises(UserError, match="2 of 3 clips can't be used.*bad0.*bad1"):
        read_calibration_windows(tmp_path, 8000, 100)


def test_a_folder_without_clips_is_refused(tmp_path):
    (tmp_path / "1.m4a").write_bytes(b"any")
    with pytest.raises(UserError, match=r"to calibrate int8 with.*1 \.m4a"):
        read_calibration_windows(tmp_path, 8000, 100)


def test_many_are_thinned_evenly(tmp_path):
    for index in range(3):
        clip = np.arange(100 * 100) // 100 / 1000 + 0.2 * index
        write_clip(tmp_path / f"{index}.wav", clip, 8000)
    windows = read_calibration_windows(tmp_path, 8000, 100)
    assert windows.shape == (200, 100)
    assert windows[0, 0] == 0 and abs(windows[-1, -1] - 0.499) < 1e-4
    assert np.abs(np.diff(windows[:, 0])).max() < 0.11
