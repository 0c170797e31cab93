import keras
import numpy as np
import pytest
from keras import ops

from leaf_tf.dsp import smoothing
from tests.reference import leaf as reference


@pytest.mark.parametrize("frames", [1, 2, 3, 100, 127, 128, 129, 300, 16385, 40000])
def test_equals_the_recurrence(frames, rng):
    energies = rng.exponential(size=(2, frames, 3))
    smooth_coef = np.array([0.04, 0.5, 0.001])
    outputs = smoothing.exponential_moving_average(
        ops.convert_to_tensor(energies, "float64"),
        ops.convert_to_tensor(smooth_coef, "float64"),
    )
    outputs = ops.convert_to_numpy(outputs)
    # JAX has no float64 unless told so.
    tolerance = 1e-12 if outputs.dtype == np.float64 else 1e-4
    for clip in range(2):
        expected = reference.moving_average(energies[clip], smooth_coef)
        np.testing.assert_allclose(outputs[clip], expected, rtol=tolerance)


def test_limits(rng):
    energies = rng.exponential(size=(1, 200, 2)).astype("float32")
    outputs = smoothing.exponential_moving_average(
        ops.convert_to_tensor(energies), ops.convert_to_tensor([0.0, 1.0])
    )
    outputs = ops.convert_to_numpy(outputs)
    # s = 0 never leaves the first frame; s = 1 follows the input.
    np.testing.assert_array_equal(outputs[0, :, 0], energies[0, 0, 0])
    np.testing.assert_allclose(outputs[0, :, 1], energies[0, :, 1], rtol=1e-6)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow traces None"
)
@pytest.mark.parametrize("frames", [1, 128, 129, 20000])
def test_unknown_number_of_frames(frames, rng):
    import tensorflow as tf

    average = tf.function(
        smoothing.exponential_moving_average,
        input_signature=[
            tf.TensorSpec((None, None, 2), tf.float64),
            tf.TensorSpec((2,), tf.float64),
        ],
    )
    energies = rng.exponential(size=(1, frames, 2))
    outputs = average(energies, [0.04, 0.3])
    expected = reference.moving_average(energies[0], [0.04, 0.3])
    np.testing.assert_allclose(outputs[0], expected, rtol=1e-12)


@pytest.mark.parametrize("frames", [1, 100, 129, 300])
def test_loudness_equals_its_definition(frames, rng):
    energies = rng.exponential(size=(2, frames, 3))
    energies[:, : frames // 3] = 0.0  # silence first
    outputs = smoothing.loudness(
        ops.convert_to_tensor(energies, "float64"),
        ops.convert_to_tensor([0.02], "float64"),
    )
    outputs = ops.convert_to_numpy(outputs)
    tolerance = 1e-12 if outputs.dtype == np.float64 else 1e-4
    for clip in range(2):
        expected = reference.loudness(energies[clip], 0.02)
        np.testing.assert_allclose(outputs[clip, :, 0], expected, rtol=tolerance)
