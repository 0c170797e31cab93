import keras
import numpy as np
import pytest
from keras import ops

from leaf_tf import encoders
from leaf_tf.layers import fake_quantize_weights
from tests.leaf_tf.parameters import numbers


@pytest.fixture
def features(rng):
    return rng.uniform(0, 3, (2, 11, 8)).astype("float32")


def with_head(name, features):
    """An encoder that was trained, as it were, and a head, built."""
    keras.utils.set_random_seed(0)
    encoder, head = encoders.get(name, 8), keras.layers.Dense(5)
    random = np.random.default_rng(1)
    for weight in encoder.weights:
        if "conv" not in weight.path and "embedding" not in weight.path:
            weight.assign(weight + random.uniform(0.0, 0.5, weight.shape))
    head(encoder(features))
    return encoder, head


@pytest.mark.parametrize("name", ["small", "cnn6"])
def test_of_many_bits_it_is_the_encoder(name, features):
    encoder, head = with_head(name, features)
    model = encoders.fake_quantized(encoder, head, weight_bits=16)
    expected = numbers(head(encoder(features)))
    np.testing.assert_allclose(numbers(model(features)), expected, rtol=1e-3, atol=1e-3)
    assert encoder.layers[1].output is encoder.layers[2].input  # as before


def test_weights_on_the_grid_are_what_is_computed_with(features):
    encoder, head = with_head("small", features)
    head.kernel.assign(fake_quantize_weights(head.kernel))
    for block in range(1, 5):
        conv, norm = (encoder.get_layer(f"{kind}{block}") for kind in ("conv", "norm"))
        scale = norm.gamma / ops.sqrt(norm.moving_variance + norm.epsilon)
        conv.kernel.assign(fake_quantize_weights(conv.kernel * scale) / scale)
    model = encoders.fake_quantized(encoder, head)
    expected = numbers(head(encoder(features)))
    np.testing.assert_allclose(numbers(model(features)), expected, rtol=1e-4, atol=1e-5)
    # Others aren't.
    conv.kernel.assign(
        conv.kernel * np.linspace(1, 1.3, conv.kernel.shape[-2])[:, None]
    )
    assert np.abs(numbers(model(features)) - head(encoder(features))).max() > 1e-4


def test_all_that_the_encoder_learns_learns(features):
    encoder, head = with_head("small", features)
    model = encoders.fake_quantized(encoder, head)
    learned = {id(w) for w in (*encoder.trainable_weights, *head.trainable_weights)}
    assert {id(w) for w in model.trainable_weights} == learned
    averages = [w.numpy() for w in encoder.non_trainable_weights]
    before = [w.numpy() for w in model.trainable_weights]
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(features, np.ones((2, 5)), epochs=1, verbose=0)
    moved = [
        (old != new.numpy()).any() for old, new in zip(before, model.trainable_weights)
    ]
    assert all(moved)
    for old, new in zip(averages, encoder.non_trainable_weights):
        np.testing.assert_array_equal(old, new.numpy())


def test_the_norm_of_an_activated_convolution_is_not_folded(features):
    inputs = keras.Input((None, 8))
    outputs = keras.layers.Reshape((-1, 8, 1))(inputs)
    outputs = keras.layers.Conv2D(3, 3, activation="relu")(outputs)
    norm = keras.layers.BatchNormalization()
    outputs = keras.layers.GlobalAveragePooling2D()(norm(outputs))
    encoder, head = keras.Model(inputs, outputs), keras.layers.Dense(2)
    norm.moving_mean.assign([0.3, -0.5, 1.0])
    expected = numbers(head(encoder(features)))
    model = encoders.fake_quantized(encoder, head, weight_bits=16)
    np.testing.assert_allclose(numbers(model(features)), expected, atol=1e-4)


def test_other_encoders_are_refused():
    head = keras.layers.Dense(2)
    with pytest.raises(ValueError, match="a BroadcastedBlock, block1_1"):
        encoders.fake_quantized(encoders.bc_resnet(8), head)
    inputs = keras.Input((None, 8))
    both = keras.layers.Add(name="both")([inputs, inputs])
    residual = keras.Model(inputs, both, name="residual")
    with pytest.raises(ValueError, match="residual, whose layer both takes 2 inputs"):
        encoders.fake_quantized(residual, head)
    recurrent = keras.Model(inputs, keras.layers.GRU(4)(inputs))
    with pytest.raises(ValueError, match="chain of convolutions.* a GRU, gru"):
        encoders.fake_quantized(recurrent, head)
