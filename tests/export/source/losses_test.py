import json
import zipfile

import keras
import pytest

from export.source.losses import read_losses


def saved(tmp_path, loss, outputs=("a",)):
    inputs = keras.Input((2,))
    made = {name: keras.layers.Dense(2, name=f"of_{name}")(inputs) for name in outputs}
    model = keras.Model(inputs, made if len(made) > 1 else made[outputs[0]])
    model.compile("sgd", loss)
    model.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


@pytest.mark.parametrize(
    "loss, expected",
    [
        (keras.losses.BinaryCrossentropy(from_logits=True), ("sigmoid", True)),
        (keras.losses.BinaryFocalCrossentropy(), ("sigmoid", False)),
        (
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            ("softmax", True),
        ),
        (
            keras.losses.CategoricalFocalCrossentropy(from_logits=True),
            ("softmax", True),
        ),
        (keras.losses.KLDivergence(), ("softmax", False)),
        ("binary_crossentropy", ("sigmoid", False)),
        ("sparse_categorical_crossentropy", ("softmax", False)),
        (keras.losses.categorical_crossentropy, ("softmax", False)),
        ([keras.losses.BinaryCrossentropy(from_logits=True)], ("sigmoid", True)),
        ("mse", (None, False)),
    ],
)
def test_a_loss_of_keras_is_read(tmp_path, loss, expected):
    (found,) = read_losses(saved(tmp_path, loss), [["a"]])
    assert (found.activation, found.takes_logits) == expected
    assert found.is_of_numbers == (loss == "mse")


def test_a_loss_of_the_users_own_says_nothing(tmp_path):
    def focal(targets, outputs):
        return keras.ops.mean(targets - outputs)

    (found,) = read_losses(saved(tmp_path, focal), [["a"]])
    assert found.text == "focal"
    assert (found.activation, found.is_of_numbers) == (None, False)


def test_a_file_without_a_loss_has_none(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    assert read_losses(tmp_path / "model.keras", [["a"], ["b"]]) == [None, None]


def test_each_output_has_its_own_loss(tmp_path):
    losses = {
        "b": keras.losses.BinaryCrossentropy(from_logits=True),
        "a": "sparse_categorical_crossentropy",
    }
    path = saved(tmp_path, losses, ("a", "b"))
    names = [["a", "of_a"], ["b", "of_b"]]
    assert [found.activation for found in read_losses(path, names)] == [
        "softmax",
        "sigmoid",
    ]
    assert [f.takes_logits for f in read_losses(path, names)] == [False, True]


def written(tmp_path, loss):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"compile_config": {"loss": loss}}))
    return tmp_path / "model.keras"


@pytest.mark.parametrize(
    "loss, expected",
    [
        ({"of_b": "bce"}, [None, "sigmoid"]),
        ({"x": {"of_b": "bce", "a": "kld"}}, ["softmax", "sigmoid"]),
        (["kl_divergence", ["binary_crossentropy"]], ["softmax", "sigmoid"]),
        ([None, "binary_crossentropy"], [None, "sigmoid"]),
        ("binary_crossentropy", ["sigmoid", "sigmoid"]),
        (["mse"], [None, None]),
        (3, [None, None]),
        ({"class_name": 7, "module": None, "config": 3}, [None, None]),
        ({"class_name": "mine>BinaryCrossentropy", "module": "mine"}, [None, None]),
    ],
)
def test_nested_and_damaged_losses(tmp_path, loss, expected):
    names = [["a", "of_a"], ["b", "of_b"]]
    found = read_losses(written(tmp_path, loss), names)
    assert [own and own.activation for own in found] == expected


def test_a_file_that_is_no_archive_has_no_losses(tmp_path):
    (tmp_path / "model.keras").write_text("hello")
    assert read_losses(tmp_path / "model.keras", [["a"]]) == [None]
