import keras
import numpy as np
import pytest
from keras import ops

import leaf_tf
from tests.leaf_tf.parameters import numbers
from tests.reference import leaf as reference


def test_equals_reference(rng):
    energies = rng.exponential(size=(300, 4))
    layer = leaf_tf.PCEN()
    layer.build((None, None, 4))
    values = {
        "alpha": [0.5, 0.96, 1.0, 1.3],
        "delta": [0.1, 1.0, 2.0, 4.0],
        "root": [0.5, 1.0, 2.0, 4.0],
        "smooth_coef": [0.0, 0.04, 0.5, 1.0],
    }
    for name, value in values.items():
        getattr(layer, name).assign(value)
    outputs = numbers(layer(energies[None].astype("float32")))
    np.testing.assert_allclose(
        outputs[0], reference.pcen(energies, **values), rtol=2e-5, atol=2e-6
    )


def test_constant_input_is_known_on_paper():
    # M = E = c, so the output is (c^(1 - alpha) + delta)^(1/root) - delta^(1/root).
    layer = leaf_tf.PCEN(alpha=0.5, delta=7.0, root=2.0)
    outputs = numbers(layer(np.full((1, 50, 2), 4.0, "float32")))
    np.testing.assert_allclose(outputs, 3.0 - np.sqrt(7.0), rtol=1e-5)


def test_alpha_1_forgets_the_level(rng):
    energies = rng.exponential(size=(1, 100, 3)).astype("float32")
    layer = leaf_tf.PCEN(alpha=1.0)
    np.testing.assert_allclose(
        numbers(layer(energies)),
        numbers(layer(1000.0 * energies)),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "energies",
    [np.zeros((1, 20, 2)), np.full((1, 20, 2), 1e12), -np.ones((1, 20, 2))],
    ids=["silence", "loud", "negative"],
)
def test_finite_where_the_official_code_is_not(energies):
    layer = leaf_tf.PCEN()
    layer.build((None, None, 2))
    layer.delta.assign([-1.0, 0.0])
    outputs = numbers(layer(energies.astype("float32")))
    assert np.all(np.isfinite(outputs))


def test_half_precision_policies_compute_in_float32(rng):
    energies = rng.exponential(size=(1, 100, 3)).astype("float32")
    exact = numbers(leaf_tf.PCEN()(energies))
    for policy in ("mixed_float16", "mixed_bfloat16", "float16", "bfloat16"):
        layer = leaf_tf.PCEN(dtype=policy)
        outputs = numbers(layer(energies))
        assert keras.backend.standardize_dtype(outputs.dtype) in policy
        assert keras.backend.standardize_dtype(layer.alpha.dtype) == "float32"
        # One rounding, of the output, of 2^-9 in bfloat16.
        outputs = numbers(ops.cast(outputs, "float32"))
        np.testing.assert_allclose(outputs, exact, rtol=2.0**-8, atol=1e-6)


def test_fixed_smoothing_is_not_trained():
    layer = leaf_tf.PCEN(learn_smooth_coef=False)
    layer.build((None, None, 2))
    assert [w.name for w in layer.trainable_weights] == ["alpha", "delta", "root"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"alpha": 1.5}, r"`alpha` must be in \[0.0, 1.0\]. Received: 1.5"),
        ({"smooth_coef": -0.1}, "`smooth_coef` must be in"),
        ({"delta": 0.0}, "`delta` must be in"),
        ({"root": 0.5}, "`root` must be in"),
        ({"floor": 0.0}, "`floor` must be greater than 0. Received: 0.0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        leaf_tf.PCEN(**arguments)
