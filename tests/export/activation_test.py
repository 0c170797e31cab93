import keras
import pytest

from export.activation import output_activation


@pytest.mark.parametrize(
    "head, expected",
    [
        (keras.layers.Dense(3), ("softmax", True)),
        (keras.layers.Dense(3, activation="relu"), ("softmax", True)),
        (keras.layers.Dense(3, activation="softmax"), ("softmax", False)),
        (keras.layers.Dense(3, activation="sigmoid"), ("sigmoid", False)),
        (keras.layers.Softmax(), ("softmax", False)),
        (keras.layers.Activation("sigmoid"), ("sigmoid", False)),
        (keras.ops.softmax, ("softmax", False)),
        (keras.ops.sigmoid, ("sigmoid", False)),
        (keras.layers.Activation("softmax", dtype="float32"), ("softmax", False)),
        (keras.ops.exp, ("softmax", True)),
    ],
)
def test_the_last_step_is_found(head, expected):
    inputs = keras.Input((3,))
    assert output_activation(keras.Model(inputs, head(inputs))) == expected


def test_the_last_step_is_found_in_a_model_within():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    inputs = keras.Input((3,))
    assert output_activation(keras.Model(inputs, inner(inputs))) == ("softmax", False)
