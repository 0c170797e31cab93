import numpy as np

import leaf_tf
from tests.leaf_tf.parameters import numbers


def test_known_values():
    waveform = np.array([[[1.0], [2.0], [4.0]]], "float32")
    outputs = numbers(leaf_tf.PreEmphasis()(waveform))
    # x[t + 1] - 0.97 x[t], with a zero after the end.
    np.testing.assert_allclose(outputs, [[[1.03], [2.06], [-3.88]]], rtol=1e-6)
