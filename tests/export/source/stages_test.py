import keras
import numpy as np
import pytest

import leaf_tf
from export.source.stages import embeddings, features
from tests.export.models import N_CLASSES, classifier, two_heads


def layer(model, kind):
    return next(layer for layer in model.layers if isinstance(layer, kind))


def values(model, tensor, windows):
    return keras.Model(model.input, tensor)(windows).numpy()


def test_features_and_embeddings_are_what_the_layers_hand_on(windows):
    model = classifier()
    expected = layer(model, leaf_tf.Leaf)(windows).numpy()
    found = values(model, features(model), windows)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    logits = layer(model, keras.layers.Dense)(values(model, embeddings(model), windows))
    np.testing.assert_allclose(logits, model(windows), atol=1e-6)


def test_heads_that_share_an_embedding(windows):
    model = two_heads()
    pooled = layer(model, keras.layers.GlobalAveragePooling1D)
    assert embeddings(model) is pooled.output


def test_embeddings_are_before_activations_and_behind_dropout():
    head = keras.Sequential(
        [keras.Input((12,)), keras.layers.Dense(N_CLASSES), keras.layers.Softmax()]
    )
    dropout = keras.layers.Dropout(0.5)
    model = classifier(head=lambda pooled: head(dropout(pooled)))
    assert embeddings(model) is dropout.output
    model = classifier(
        head=lambda pooled: keras.ops.sigmoid(keras.layers.Dense(3)(pooled))
    )
    assert embeddings(model).shape == (None, 12)


def pooled_alone():
    layers = [keras.Input((None,)), leaf_tf.Leaf(8), keras.layers.GlobalMaxPooling1D()]
    return keras.Sequential(layers)


def heads_of_their_own():
    model = two_heads()
    narrow = keras.layers.Dense(2)(keras.layers.Dense(3)(embeddings(model)))
    return keras.Model(model.inputs, {**model.output, "third": narrow})


@pytest.mark.parametrize("model", [pooled_alone, heads_of_their_own])
def test_there_are_none_where_no_layer_is_a_head_or_heads_take_different_ones(model):
    model = model()
    assert embeddings(model) is None
    assert features(model) is layer(model, leaf_tf.Leaf).output


def test_two_frontends_have_no_features_in_common():
    waveform = keras.Input((None,))
    both = keras.layers.Concatenate()(
        [leaf_tf.Leaf(4, name=name)(waveform) for name in ("fine", "coarse")]
    )
    assert features(keras.Model(waveform, both)) is None


def test_the_features_of_a_loaded_sequential_are_those_of_its_graph(tmp_path):
    layers = [leaf_tf.Leaf(n_filters=4), keras.layers.Flatten(), keras.layers.Dense(2)]
    keras.Sequential([keras.Input((800,)), *layers]).save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    part = keras.Model(model.inputs[0], features(model))
    assert part(np.zeros((1, 800), "float32")).shape == (1, 5, 4)


def test_a_frontend_that_is_called_twice_has_no_features():
    leaf = leaf_tf.Leaf(n_filters=4)
    waveform = keras.Input((800,))
    both = keras.layers.Add()([leaf(waveform), leaf(0.5 * waveform)])
    assert features(keras.Model(waveform, both)) is None
