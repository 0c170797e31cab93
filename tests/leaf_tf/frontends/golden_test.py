"""Against the outputs and gradients of the official implementation."""

import keras
import numpy as np
import pytest

import leaf_tf
from tests.leaf_tf.parameters import numbers, weights_by_name

pytestmark = pytest.mark.shared


def exact(**arguments):
    return leaf_tf.Leaf(method="exact", **arguments)


FRONTENDS = {
    "leaf_default_1s": lambda: exact(),
    "leaf_default_odd": lambda: exact(),
    "leaf_default_short": lambda: exact(),
    "leaf_perturbed_0": lambda: exact(),
    "leaf_perturbed_1": lambda: exact(),
    "leaf_perturbed_2": lambda: exact(),
    # The official fixed PCEN differs in its floor, too.
    "leaf_fixed_pcen": lambda: exact(
        compression=leaf_tf.PCEN(floor=1e-6, learn_smooth_coef=False)
    ),
    "leaf_custom_24k_log_preemp": lambda: exact(
        n_filters=64,
        sample_rate=24000,
        window_len=32.0,
        preemp=True,
        compression="log",
    ),
}
WITH_INITIAL_WEIGHTS = [name for name in FRONTENDS if "perturbed" not in name]


def golden(shared, name):
    """A golden file: the weights by official name, and the other arrays."""
    with np.load(shared / "reference" / f"{name}.npz") as arrays:
        weights = {key[2:]: arrays[key] for key in arrays if key.startswith("w/")}
        return weights, {key: arrays[key] for key in arrays if key[:2] != "w/"}


def assert_close(outputs, expected, tolerance):
    outputs = numbers(outputs)
    assert outputs.shape == expected.shape
    assert np.max(np.abs(outputs - expected) / (1 + np.abs(expected))) <= tolerance


@pytest.mark.parametrize("name", FRONTENDS)
def test_outputs(shared, name):
    weights, arrays = golden(shared, name)
    layer = FRONTENDS[name]()
    layer.build((None, None))
    leaf_tf.import_weights(layer, weights, source="leaf-audio")
    tolerance = 1e-3 if layer.compression == "log" else 1e-4
    assert_close(layer(arrays["x"]), arrays["y"], tolerance)


@pytest.mark.parametrize("name", WITH_INITIAL_WEIGHTS)
def test_official_initial_filters(shared, name):
    weights, _ = golden(shared, name)
    n_filters = len(weights["kernel"])
    layer = leaf_tf.GaborConv1D(
        n_filters,
        kernel_size=401 if n_filters == 40 else 769,
        sample_rate=16000 if n_filters == 40 else 24000,
        initial_filters="official_mel",
    )
    layer.build((None, None, 1))
    np.testing.assert_allclose(
        numbers(layer.center_freqs), weights["kernel"][:, 0], rtol=1e-5
    )
    np.testing.assert_allclose(
        numbers(layer.sigmas), weights["kernel"][:, 1], rtol=1e-5
    )


def test_stages(shared):
    _, arrays = golden(shared, "leaf_default_stages")
    layer = exact(initial_filters="official_mel")
    layer.build((None, None))
    filtered = layer.filtering(arrays["x"][..., None])
    energies = layer.modulus(filtered)
    assert_close(filtered[:1, ::16], arrays["conv"], 1e-6)
    assert_close(energies[:1, ::16], arrays["modulus"], 1e-6)
    assert_close(layer.pooling(energies), arrays["pooled"], 1e-5)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="uses tf.GradientTape"
)
def test_gradients(shared):
    import tensorflow as tf

    _, arrays = golden(shared, "leaf_default_gradients")
    layer = exact(initial_filters="official_mel")
    layer.build((None, None))
    weights = weights_by_name(layer)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(arrays["x"]) * arrays["r"])
    gradients = tape.gradient(
        loss, {name: weight.value for name, weight in weights.items()}
    )
    np.testing.assert_allclose(loss, arrays["loss"], rtol=1e-4)
    expected = {
        "center_freqs": arrays["g/kernel"][:, 0],
        "sigmas": arrays["g/kernel"][:, 1],
        "widths": arrays["g/leaf/learnable_pooling/kernel"].ravel(),
        "alpha": arrays["g/leaf/PCEN/alpha"],
        "delta": arrays["g/leaf/PCEN/delta"],
        "root": arrays["g/leaf/PCEN/root"],
        "smooth_coef": arrays["g/leaf/PCEN/EMA/smooth"],
    }
    assert expected.keys() == gradients.keys()
    for name, gradient in expected.items():
        error = np.linalg.norm(gradients[name] - gradient) / np.linalg.norm(gradient)
        assert error <= 1e-3, name


def test_mel(shared):
    _, arrays = golden(shared, "mel")
    assert_close(leaf_tf.MelFilterbanks()(arrays["x"]), arrays["y"], 1e-3)
