"""Halves of pooling windows."""

import numpy as np
import pytest
from keras import ops

from leaf_tf.dsp.impulse_responses import gaussian_lowpass
from leaf_tf.dsp.multirate.windows import Windows, folded


@pytest.mark.parametrize("size", [1, 2, 276, 401])
def test_halves_are_whole_windows_mirrored(size, rng):
    widths = ops.convert_to_tensor([0.02, 0.4, 1.0])
    whole = ops.convert_to_numpy(gaussian_lowpass(widths, size))
    windows = Windows(widths, size)
    for n_samples in {1, size // 3, size // 2, size // 2 + 1, size} - {0}:
        found = ops.convert_to_numpy(windows.first(n_samples))
        np.testing.assert_allclose(found, whole[:n_samples], rtol=1e-6, atol=1e-9)
    matrix = rng.normal(size=(3, size))
    halves = ops.convert_to_numpy(windows.half)
    found, expected = folded(matrix) @ halves, matrix @ whole
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
