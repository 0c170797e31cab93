import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers
from tests.reference import leaf as reference


@pytest.mark.parametrize("samples", [1, 159, 160, 161, 400, 16000, 12345])
def test_equals_reference_at_any_length(samples, rng):
    energies = rng.exponential(size=(samples, 5))
    layer = leaf_tf.GaussianLowpass()
    layer.build((None, None, 5))
    widths = [0.4, 0.0001, 0.9, 0.1, 0.25]
    layer.widths.assign(widths)
    outputs = numbers(layer(energies[None].astype("float32")))
    expected = reference.pooled(energies, widths, 401, 160)
    np.testing.assert_allclose(outputs[0], expected, rtol=1e-5)


def test_constant_energy_gives_the_sum_of_the_window():
    layer = leaf_tf.GaussianLowpass()
    outputs = numbers(layer(np.ones((1, 16000, 1), "float32")))[0, :, 0]
    # The integral of a Gaussian of deviation 0.4 * 200 samples, 2.5 deviations a side.
    expected = 80 * np.sqrt(2 * np.pi) * 0.98758
    np.testing.assert_allclose(outputs[2:-2], expected, rtol=1e-3)
    # The first frame is centered on sample 80: 120 samples of it are padding.
    assert outputs[0] < 0.9 * expected


def test_bad_arguments():
    with pytest.raises(ValueError, match="`strides` must be an integer of at least 1"):
        leaf_tf.GaussianLowpass(strides=0)
    with pytest.raises(ValueError, match="`kernel_size` must be at least 4"):
        leaf_tf.GaussianLowpass(kernel_size=3)
