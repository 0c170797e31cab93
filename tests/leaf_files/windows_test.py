import numpy as np
import pytest

from leaf_files.windows import cut_windows


def test_a_short_clip_is_centred_between_zeros():
    np.testing.assert_array_equal(
        cut_windows(np.array([1, 2, 3]), 6), [[0, 1, 2, 3, 0, 0]]
    )


def test_a_clip_of_the_window_is_the_window():
    np.testing.assert_array_equal(cut_windows(np.arange(4), 4), [[0, 1, 2, 3]])


def test_windows_of_a_long_clip_are_evenly_spread():
    # 10 samples in windows of 4: 3 of them, starts round(0, 3, 6).
    np.testing.assert_array_equal(
        cut_windows(np.arange(10), 4),
        [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]],
    )


def test_one_sample_too_many_gives_a_second_window():
    np.testing.assert_array_equal(
        cut_windows(np.arange(5), 4), [[0, 1, 2, 3], [1, 2, 3, 4]]
    )


@pytest.mark.parametrize("window_samples", [1, 7, 16, 100, 333])
@pytest.mark.parametrize("samples", [1, 15, 16, 17, 100, 999])
def test_every_sample_is_heard_and_no_long_clip_is_padded(samples, window_samples):
    waveform = np.arange(1, samples + 1)
    windows = cut_windows(waveform, window_samples)
    assert windows.shape == (-(-samples // window_samples), window_samples)
    assert set(waveform) == set(windows.ravel()) - {0}
    if samples >= window_samples:
        assert windows.all()


def test_dtype_is_kept():
    assert cut_windows(np.ones(3, np.float32), 5).dtype == np.float32


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"Received shape: \(0,\)"):
        cut_windows(np.zeros(0), 4)
    with pytest.raises(ValueError, match=r"Received shape: \(2, 3\)"):
        cut_windows(np.zeros((2, 3)), 4)
    with pytest.raises(ValueError, match="at least 1. Received: 0"):
        cut_windows(np.zeros(3), 0)
