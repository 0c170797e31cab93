"""Pooling windows, which are symmetric: one half of each is computed."""

import numpy as np
from keras import ops

from leaf_tf.dsp.arithmetic import ceil_div
from leaf_tf.dsp.impulse_responses import gaussian_lowpass
from leaf_tf.dsp.slices import cut
from leaf_tf.dsp.types import Tensor


class Windows:
    """The Gaussian pooling windows of a bank.

    Args:
        widths: (n_filters,), relative to half the window.
        size: Samples in a window.

    Attributes:
        half: (ceil(size / 2), n_filters), the windows up to their middle.

    Example:
        >>> windows = Windows(ops.array([0.4]), 5)
        >>> windows.half.shape, windows.first(4)[:, 0].numpy().round(2)
        (TensorShape([3, 1]), array([0.04, 0.46, 1.  , 0.46], dtype=float32))
    """

    def __init__(self, widths: Tensor, size: int):
        self._size = size
        self.half = gaussian_lowpass(widths, size, ceil_div(size, 2))

    def first(self, n_samples: int) -> Tensor:
        """The first samples of each window, counted from either end.

        Args:
            n_samples: How many, at most `size`.

        Returns:
            (n_samples, n_filters).
        """
        n_half = self.half.shape[0]
        if n_samples <= n_half:
            return cut(self.half, 0, 0, n_samples)
        mirrored = ops.flip(cut(self.half, 0, 0, self._size - n_half), axis=0)
        whole = ops.concatenate([self.half, mirrored], axis=0)
        return cut(whole, 0, 0, n_samples)


def folded(matrix: np.ndarray) -> np.ndarray:
    """What a matrix does to whole windows, as one that takes their halves.

    Args:
        matrix: (rows, size), for windows of `size` samples.

    Returns:
        (rows, ceil(size / 2)), for `Windows.half`.

    Example:
        >>> folded(np.array([[1.0, 2.0, 3.0, 4.0, 5.0]]))
        array([[6., 6., 3.]])
    """
    n_mirrored = matrix.shape[1] // 2
    halves = matrix[:, : matrix.shape[1] - n_mirrored].copy()
    halves[:, :n_mirrored] += matrix[:, ::-1][:, :n_mirrored]
    return halves
