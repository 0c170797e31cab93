import keras
import numpy as np
import pytest

from leaf_tf.layers.median_subtraction import MedianSubtraction
from tests.leaf_tf.layers.conversion import run_tflite
from tests.leaf_tf.parameters import numbers

TENSORFLOW = keras.backend.backend() == "tensorflow"


@pytest.mark.parametrize("frames", [1, 2, 7, 100])
def test_subtracts_the_lower_median(frames, rng):
    inputs = rng.normal(size=(3, frames, 4)).astype("float32")
    medians = np.percentile(inputs, 50, axis=1, keepdims=True, method="lower")
    outputs = numbers(MedianSubtraction()(inputs))
    np.testing.assert_array_equal(outputs, inputs - medians)


def test_a_steady_background_disappears():
    inputs = np.full((1, 9, 2), 3.0, "float32")
    inputs[0, 4] = 10.0
    outputs = numbers(MedianSubtraction()(inputs))
    np.testing.assert_array_equal(outputs[0, :, 0], 7.0 * (np.arange(9) == 4))


def test_frames_left_out_do_not_count(rng):
    inputs = rng.normal(size=(4, 20, 3)).astype("float32")
    lengths = [20, 8, 1, 0]
    mask = np.arange(20)[None] < np.array(lengths)[:, None]
    spoilt = np.where(mask[:, :, None], inputs, -1e6).astype("float32")
    outputs = numbers(MedianSubtraction()(spoilt, mask=mask))
    for clip, length in enumerate(lengths[:3]):
        alone = MedianSubtraction()(inputs[clip : clip + 1, :length])
        np.testing.assert_array_equal(outputs[clip, :length], numbers(alone)[0])
    assert np.all(np.isfinite(outputs))


@pytest.mark.skipif(not TENSORFLOW, reason="takes gradients by TensorFlow")
@pytest.mark.parametrize("is_masked", [False, True])
def test_finite_gradients_where_all_are_equal(is_masked):
    import tensorflow as tf

    inputs = tf.zeros((2, 10, 3))
    mask = np.arange(10)[None] < np.array([[10], [3]]) if is_masked else None
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(tf.square(MedianSubtraction()(inputs, mask=mask)))
    assert np.all(np.isfinite(tape.gradient(loss, inputs)))


@pytest.mark.skipif(not TENSORFLOW, reason="takes gradients by TensorFlow")
def test_the_gradient_goes_to_the_frame_of_the_median():
    import tensorflow as tf

    inputs = tf.constant([[[5.0], [1.0], [2.0]]])
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        first = MedianSubtraction()(inputs)[0, 0, 0]
    np.testing.assert_array_equal(tape.gradient(first, inputs)[0, :, 0], [1, 0, -1])


@pytest.mark.skipif(not TENSORFLOW, reason="tests TensorFlow's own converter")
def test_tflite_without_other_operators(rng):
    inputs = rng.normal(size=(1, 100, 4)).astype("float32")
    layer = MedianSubtraction()
    np.testing.assert_allclose(
        run_tflite(layer, inputs), numbers(layer(inputs)), atol=1e-6
    )
