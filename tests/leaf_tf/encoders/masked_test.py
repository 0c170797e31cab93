import numpy as np
import pytest

from leaf_tf.encoders.masked import (
    AveragePool2x2,
    MaxPool2x2,
    MeanPlusMaxPool,
    MeanPool,
)
from tests.leaf_tf.parameters import numbers

# Two clips of 5 frames and 1 row; the second has 3, and 90s behind.
IMAGE = np.float32([[1, 2, 3, 4, 5], [10, 20, 30, 90, 90]])[:, :, None, None]
MASK = np.array([[True] * 5, [True] * 3 + [False] * 2])


@pytest.mark.parametrize(
    "layer, unmasked, masked",
    [
        (MeanPool, [3, 48], [3, 20]),
        (MeanPlusMaxPool, [8, 138], [8, 50]),
        (AveragePool2x2, [[1.5, 3.5, 5], [15, 60, 90]], [[1.5, 3.5, 5], [15, 30, 0]]),
        (MaxPool2x2, [[2, 4, 5], [20, 90, 90]], [[2, 4, 5], [20, 30, 0]]),
    ],
)
def test_pooling_by_hand(layer, unmasked, masked):
    pool = layer()
    np.testing.assert_allclose(numbers(pool(IMAGE)).squeeze(), unmasked, rtol=1e-6)
    outputs = numbers(pool(IMAGE, mask=MASK)).squeeze()
    np.testing.assert_allclose(outputs, masked, rtol=1e-6)


@pytest.mark.parametrize("frames, rows", [(1, 6), (6, 1), (1, 1)])
def test_averages_of_a_single_frame_or_row(frames, rows, rng):
    # Of many images and channels: there XLA on CPUs sums up wrongly.
    image = rng.normal(size=(3, frames, rows, 64)).astype("float32")
    quads = image.reshape(3, -(-frames // 2), min(frames, 2), -1, min(rows, 2), 64)
    outputs = numbers(AveragePool2x2()(image))
    np.testing.assert_allclose(outputs, quads.mean(axis=(2, 4)), atol=1e-6)
