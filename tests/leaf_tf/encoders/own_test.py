"""Your own Keras model as the encoder."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

from leaf_tf import encoders
from tests.leaf_tf.encoders.networks import is_frame, masked
from tests.leaf_tf.parameters import numbers


def recurrent(n_filters=8):
    return keras.Sequential([keras.Input((None, n_filters)), layers.GRU(5)])


def image_network(n_filters=8):
    image = keras.Input((None, n_filters, 1))
    outputs = layers.Conv2D(3, 3, activation="relu")(image)
    return keras.Model(image, layers.GlobalMaxPooling2D()(outputs), name="mine")


def test_a_name_is_one_of_ours():
    assert encoders.get("small", 8).name == "small"
    assert encoders.get("bc_resnet", 8).input_shape == (None, None, 8)


@pytest.mark.parametrize("network", [recurrent, image_network])
def test_a_file_answers_as_the_model_in_it(network, rng, tmp_path):
    mine = network()
    mine.save(tmp_path / "mine.keras")
    features = rng.normal(size=(2, 9, 8)).astype("float32")
    expected = numbers(mine(features.reshape(2, 9, *mine.input_shape[2:])))
    for given in (mine, tmp_path / "mine.keras", str(tmp_path / "mine.keras")):
        encoder = encoders.get(given, 8)
        assert encoder.input_shape == (None, None, 8)
        np.testing.assert_allclose(numbers(encoder(features)), expected, atol=1e-6)


def test_it_learns_and_is_saved_inside_another_model(rng, tmp_path):
    mine = image_network()
    start = mine.get_weights()[0].copy()
    encoder = encoders.get(mine, 8)
    model = keras.Sequential([encoder, layers.Dense(2)])
    model.compile("sgd", "mse", jit_compile=False)
    features = rng.normal(size=(4, 9, 8)).astype("float32")
    model.train_on_batch(features, np.ones((4, 2), "float32"))
    assert np.any(mine.get_weights()[0] != start)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        numbers(loaded(features)), numbers(model(features)), atol=1e-6
    )


def test_a_mask_reaches_its_layers(rng):
    features = rng.normal(size=(2, 9, 8)).astype("float32")
    for given in (recurrent(), layers.GRU(5)):
        encoder = encoders.get(given, 8)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            together = masked(encoder, 8)([features, is_frame([9, 4], 9)])
        alone = numbers(encoder(features[1:, :4]))
        np.testing.assert_allclose(numbers(together)[1:], alone, atol=1e-6)


def test_an_image_network_says_that_it_ignores_a_mask(rng):
    features = rng.normal(size=(2, 9, 8)).astype("float32")
    with pytest.warns(UserWarning, match="'mine' takes padded frames for silence"):
        masked(encoders.get(image_network(), 8), 8)([features, is_frame([9, 4], 9)])


def two_inputs():
    inputs = [keras.Input((None, 8)), keras.Input((3,))]
    pooled = layers.GlobalMaxPooling1D()(inputs[0])
    return keras.Model(inputs, layers.Concatenate()([pooled, inputs[1]]))


def two_outputs():
    inputs = keras.Input((None, 8))
    pooled = layers.GlobalMaxPooling1D()(inputs)
    return keras.Model(inputs, [pooled, layers.Dense(2)(pooled)])


@pytest.mark.parametrize(
    "encoder, message",
    [
        (lambda: "huge", r"`encoder` must be one of \('small', .*Received: 'huge'"),
        (lambda: 3, "a Keras model or layer, or the path of a .keras file. .*: 3"),
        (lambda: "no/such.keras", "must be a file that exists. Received: no/such.ker"),
        (lambda: recurrent(9), r"frames, 8\) or .*, 8, 1\), but takes \(any, any, 9\)"),
        (
            lambda: keras.Sequential([keras.Input((16000,)), layers.Dense(2)]),
            r"but takes \(any, 16000\)",
        ),
        (
            lambda: keras.Sequential([keras.Input((98, 8)), layers.Flatten()]),
            r"any number of frames, but takes 98 only: .*keras.Input\(\(None, 8\)\)",
        ),
        (
            lambda: layers.GRU(5, return_sequences=True),
            r"must give one embedding a clip, .* but gives \(any, any, 5\)",
        ),
        (lambda: layers.Conv2D(3, 3), r"doesn't take features \(any, any, 8\): "),
        (two_inputs, "must have one input, the features, but has 2"),
        (two_outputs, "one embedding a clip, .* but gives 2 outputs"),
    ],
)
def test_what_does_not_fit_is_one_sentence(encoder, message):
    with pytest.raises(ValueError, match=message) as error:
        encoders.get(encoder(), 8)
    assert "\n" not in str(error.value)


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "mine.keras"
    path.write_bytes(b"no zip archive")
    with pytest.raises(ValueError, match="mine.keras doesn't load as a Ker") as error:
        encoders.get(path, 8)
    assert "\n" not in str(error.value)
