"""Masks of samples become masks of frames."""

import keras
import numpy as np
import pytest

from leaf_tf.layers.masks import FrameMask, mask_lengths
from tests.leaf_tf.parameters import numbers

MASKS = np.array(
    [
        [1, 1, 1, 1, 1, 1, 1],
        [1, 0, 0, 1, 1, 0, 0],  # zeros within a sound belong to it
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    bool,
)


def test_a_mask_is_as_long_as_its_last_true():
    assert numbers(mask_lengths(MASKS)).tolist() == [7, 5, 3, 0]
    assert numbers(mask_lengths(MASKS[..., None])).tolist() == [7, 5, 3, 0]
    assert numbers(mask_lengths(np.zeros((2, 0), bool))).tolist() == [0, 0]


@pytest.mark.parametrize(
    "arguments, counts",
    [
        ({"strides": 2}, [4, 3, 2, 0]),
        ({"strides": 2, "window": 3}, [3, 2, 1, 1]),
        ({"strides": 2, "window": 9}, [1, 1, 1, 1]),
    ],
    ids=str,
)
def test_frames_of_a_mask(arguments, counts):
    layer = FrameMask(**arguments)
    frames = numbers(layer(MASKS))
    assert frames.sum(axis=1).tolist() == counts
    # From the start on.
    assert (np.sort(frames, axis=1)[:, ::-1] == frames).all()
    known, unknown = keras.KerasTensor((4, 7)), keras.KerasTensor((None, None))
    assert layer(known).shape == frames.shape
    assert layer(unknown).shape == (None, None)
    assert layer(unknown).dtype == "bool"
