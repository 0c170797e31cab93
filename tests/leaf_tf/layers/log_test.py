import numpy as np

import leaf_tf
from tests.leaf_tf.parameters import numbers


def test_known_values():
    outputs = numbers(
        leaf_tf.LogCompression()(np.array([[[0.0, 1.0 - 1e-5, -3.0]]], "float32"))
    )
    np.testing.assert_allclose(
        outputs, [[[np.log(1e-5), 0.0, np.log(1e-5)]]], atol=1e-6
    )
