import numpy as np

from export.calibration import read_calibration_windows
from files.clips import write_clip


def test_clips_at_any_depth_are_cut_into_windows(tmp_path):
    (tmp_path / "task" / "a").mkdir(parents=True)
    write_clip(tmp_path / "task" / "a" / "long.wav", np.full(250, 0.5), 8000)
    write_clip(tmp_path / "short.flac", np.full(50, 0.25), 8000)
    (tmp_path / "notes.txt").write_text("none")
    windows = read_calibration_windows(tmp_path, 8000, 100)
    assert windows.shape == (4, 100)
    np.testing.assert_allclose(sorted(windows.max(axis=1)), [0.25, 0.5, 0.5, 0.5])


def test_many_are_thinned_evenly(tmp_path):
    for index in range(3):
        clip = np.arange(100 * 100) // 100 / 1000 + 0.2 * index
        write_clip(tmp_path / f"{index}.wav", clip, 8000)
    windows = read_calibration_windows(tmp_path, 8000, 100)
    assert windows.shape == (200, 100)
    assert windows[0, 0] == 0 and abs(windows[-1, -1] - 0.499) < 1e-4
    assert np.abs(np.diff(windows[:, 0])).max() < 0.11
