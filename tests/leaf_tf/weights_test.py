import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers, parameters_of


def official(n=40):
    """Official variables with values that tell them apart."""
    return {
        "kernel": np.stack([np.linspace(0.1, 3, n), np.linspace(5, 90, n)], axis=1),
        "leaf/learnable_pooling/kernel": np.linspace(0.1, 0.5, n).reshape(1, 1, n, 1),
        "leaf/PCEN/alpha": np.linspace(0.5, 0.9, n),
        "leaf/PCEN/delta": np.linspace(1, 3, n),
        "leaf/PCEN/root": np.linspace(1, 4, n),
        "leaf/PCEN/EMA/smooth": np.linspace(0.02, 0.4, n),
    }


def built(**arguments):
    layer = leaf_tf.Leaf(**arguments)
    layer.build((None, None))
    return layer


def test_each_variable_finds_its_place():
    layer, arrays = built(), official()
    leaf_tf.import_weights(layer, {f"{name}:0": a for name, a in arrays.items()})
    values = parameters_of(layer)
    np.testing.assert_allclose(
        values["center_freqs"], arrays["kernel"][:, 0], rtol=1e-6
    )
    np.testing.assert_allclose(values["sigmas"], arrays["kernel"][:, 1], rtol=1e-6)
    np.testing.assert_allclose(values["widths"], np.linspace(0.1, 0.5, 40), rtol=1e-6)
    np.testing.assert_allclose(values["alpha"], np.linspace(0.5, 0.9, 40), rtol=1e-6)
    np.testing.assert_allclose(values["delta"], np.linspace(1, 3, 40), rtol=1e-6)
    np.testing.assert_allclose(values["root"], np.linspace(1, 4, 40), rtol=1e-6)
    np.testing.assert_allclose(
        values["smooth_coef"], np.linspace(0.02, 0.4, 40), rtol=1e-6
    )


@pytest.mark.parametrize("kind", ["one for all", "fixed"])
def test_other_forms_of_the_moving_average(kind):
    layer, arrays = built(), official()
    del arrays["leaf/PCEN/EMA/smooth"]
    if kind == "one for all":
        arrays["leaf/PCEN/EMA/smooth"] = np.array([0.25])
    else:
        cell = "leaf/PCEN/simple_rnn/simple_rnn_cell"
        arrays[f"{cell}/kernel"] = 0.25 * np.eye(40)
        arrays[f"{cell}/recurrent_kernel"] = 0.75 * np.eye(40)
    leaf_tf.import_weights(layer, arrays)
    np.testing.assert_allclose(
        numbers(layer.compressing.smooth_coef), np.full(40, 0.25)
    )


@pytest.mark.parametrize(
    "change, message",
    [
        ({"leaf/PCEN/alpha": None}, "missing: PCEN/alpha"),
        ({"leaf/extra": np.zeros(3)}, "unknown: leaf/extra"),
        ({"kernel": np.zeros((39, 2))}, r"kernel: expected shape \(40, 2\)"),
        ({"leaf/PCEN/root": np.zeros(7)}, "leaf/PCEN/root: expected 40 values or 1"),
        ({"other/PCEN/delta": np.ones(40)}, "given 2 times: PCEN/delta"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_set(change, message):
    layer, arrays = built(), {**official(), **change}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    before = parameters_of(layer)
    with pytest.raises(ValueError, match=message):
        leaf_tf.import_weights(layer, arrays)
    after = parameters_of(layer)
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


def test_other_mistakes():
    with pytest.raises(ValueError, match="`source` must be one of"):
        leaf_tf.import_weights(built(), official(), source="torch")
    with pytest.raises(ValueError, match="must be a leaf_tf.Leaf"):
        leaf_tf.import_weights(leaf_tf.MelFilterbanks(), official())
    with pytest.raises(ValueError, match="has no weights yet"):
        leaf_tf.import_weights(leaf_tf.Leaf(), official())
