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


def test_the_width_it_says_is_that_of_its_window():
    layer = leaf_tf.GaussianLowpass(1601)
    layer.build((None, None, 3))
    layer.widths.assign([0.1, 0.25, 0.7])  # of which 0.5 are allowed
    for window, width in zip(numbers(layer.taps()).T, layer.pooling_widths()):
        [above] = np.nonzero(window >= 0.5)
        assert above[-1] - above[0] == pytest.approx(width, abs=2)


@pytest.mark.parametrize("samples", [1, 160, 161, 200, 700])
@pytest.mark.parametrize("kernel_size", [401, 400])
def test_symmetric_frames_are_centered_on_whole_strides(samples, kernel_size, rng):
    energies = rng.exponential(size=(samples, 3))
    layer = leaf_tf.GaussianLowpass(kernel_size, padding="symmetric")
    layer.build((None, None, 3))
    outputs = numbers(layer(energies[None].astype("float32")))
    # An even window has its center between two samples.
    centers = np.arange(0, samples, 160)[:, None] + 0.5 * (1 - kernel_size % 2)
    times = np.arange(samples) - centers
    windows = np.exp(-0.5 * (times / (0.4 * (kernel_size - 1) / 2)) ** 2)
    windows[np.abs(times) > kernel_size / 2] = 0
    np.testing.assert_allclose(outputs[0], windows @ energies, rtol=1e-5)
    assert outputs.shape == layer.compute_output_shape((1, samples, 3))


def test_bias_is_added_to_each_channel(rng):
    energies = rng.exponential(size=(1, 900, 3)).astype("float32")
    without, layer = leaf_tf.GaussianLowpass(), leaf_tf.GaussianLowpass(use_bias=True)
    layer.build((None, None, 3))
    np.testing.assert_array_equal(numbers(layer.bias), np.ones(3))
    layer.bias.assign([-1.0, 0.5, 7.0])
    expected = numbers(without(energies)) + [-1.0, 0.5, 7.0]
    np.testing.assert_allclose(numbers(layer(energies)), expected, rtol=1e-6)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`padding` must be one of \('same', 'symm"):
        leaf_tf.GaussianLowpass(padding="valid")
    with pytest.raises(ValueError, match="`strides` must be an integer of at least 1"):
        leaf_tf.GaussianLowpass(strides=0)
    with pytest.raises(ValueError, match="`kernel_size` must be at least 4"):
        leaf_tf.GaussianLowpass(kernel_size=3)
