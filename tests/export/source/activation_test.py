import keras
import pytest

from export.source.activation import output_activation


@pytest.mark.parametrize(
    "head, expected",
    [
        (keras.layers.Dense(3), None),
        (keras.layers.Dense(3, activation="relu"), None),
        (keras.layers.Dense(3, activation="softmax"), "softmax"),
        (keras.layers.Dense(3, activation="sigmoid"), "sigmoid"),
        (keras.layers.Softmax(), "softmax"),
        (keras.layers.Activation("sigmoid"), "sigmoid"),
        (keras.ops.softmax, "softmax"),
        (keras.ops.sigmoid, "sigmoid"),
        (keras.layers.Activation("softmax", dtype="float32"), "softmax"),
        (keras.ops.exp, None),
    ],
)
def test_the_last_step_is_found(head, expected):
    inputs = keras.Input((3,))
    assert output_activation(keras.Model(inputs, head(inputs)).outputs[0]) == expected


def test_the_last_step_is_found_in_a_model_within():
    inner = keras.Sequential([keras.Input((3,)), keras.layers.Softmax()])
    inputs = keras.Input((3,))
    model = keras.Model(inputs, inner(inputs))
    assert output_activation(model.outputs[0]) == "softmax"


def test_each_output_of_a_model_within_has_its_own_last_step():
    inputs = keras.Input((3,))
    outputs = [keras.layers.Softmax()(inputs), keras.layers.Dense(2)(inputs)]
    inner = keras.Model(inputs, outputs)
    model = keras.Model(inputs, inner(inputs))
    assert [output_activation(output) for output in model.outputs] == ["softmax", None]
