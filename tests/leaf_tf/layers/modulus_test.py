import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers


def test_pairs_real_and_imaginary_channels():
    inputs = np.array([[[3.0, 4.0, 1.0, -2.0]]], "float32")
    outputs = numbers(leaf_tf.SquaredModulus()(inputs))
    np.testing.assert_array_equal(outputs, [[[25.0, 5.0]]])


def test_refuses_an_odd_number_of_channels():
    with pytest.raises(ValueError, match="even number of channels"):
        leaf_tf.SquaredModulus()(np.zeros((1, 10, 3), "float32"))
