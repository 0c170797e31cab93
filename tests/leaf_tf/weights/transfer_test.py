import keras
import numpy as np
import pytest

import leaf_tf
from leaf_tf.weights import SOURCES, export_weights
from tests.leaf_tf.parameters import numbers, parameters_of

AS_TORCH = {"pooling_padding": "symmetric", "pooling_bias": True}
ARGUMENTS = {
    "leaf-audio": {"preemp": True, "mean_var_norm": True},
    "leaf-pytorch": AS_TORCH,
    "speechbrain": AS_TORCH,
    "efficientleaf": {"pooling_padding": "symmetric"},
    "audax": {},
}
# All of the source's variables, at 5 filters.
SHAPES = {
    "leaf-audio": {
        "kernel": (5, 2),
        "leaf/learnable_pooling/kernel": (1, 1, 5, 1),
        "leaf/tfbanks_preemp/kernel": (2, 1, 1),
        "leaf/PCEN/alpha": (5,),
        "leaf/PCEN/delta": (5,),
        "leaf/PCEN/root": (5,),
        "leaf/PCEN/EMA/smooth": (5,),
        "leaf/tfbanks_instancenorm/gamma": (5,),
        "leaf/tfbanks_instancenorm/beta": (5,),
    },
    "leaf-pytorch": {
        "_complex_conv._kernel": (5, 2),
        "_pooling.weights": (1, 1, 5, 1),
        "_pooling._bias": (5,),
        "_compression.alpha": (5,),
        "_compression.delta": (5,),
        "_compression.root": (5,),
        "_compression.ema._weights": (5,),
    },
    "speechbrain": {
        "complex_conv.kernel": (5, 2),
        "pooling.weights": (1, 1, 5, 1),
        "pooling._bias": (5,),
        "compression.alpha": (5,),
        "compression.delta": (5,),
        "compression.root": (5,),
        "compression.ema._weights": (5,),
    },
    "efficientleaf": {
        "filterbank.center_freqs": (5,),
        "filterbank.bandwidths": (5,),
        "filterbank.pooling_widths": (5,),
        "compression.s": (5,),
        "compression.alpha": (5,),
        "compression.delta": (5,),
        "compression.r": (5,),
    },
    "audax": {
        "complex_conv/gabor_kernel": (5, 2),
        "pooling/kernel": (1, 1, 5, 1),
        "compression/alpha": (5,),
        "compression/delta": (5,),
        "compression/root": (5,),
        "compression/ExponentialMovingAverage_0/smooth": (5,),
    },
}
SCOPES = {
    "leaf-pytorch": "module.features.",
    "speechbrain": "mods.compute_features.",
    "efficientleaf": "_frontend.",
    "audax": "params/frontend/",
}


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
    layer = leaf_tf.Leaf(**{"method": "exact", **arguments})
    layer.build((None, None))
    return layer


def random(layer, rng):
    """The layer, its weights at random values."""
    for weight in layer.weights:
        weight.assign(rng.uniform(0.1, 5.0, weight.shape))
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


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_exported_is_imported_unchanged(source, rng):
    layer = random(built(n_filters=5, **ARGUMENTS[source]), rng)
    arrays = export_weights(layer, source=source)
    assert {name: array.shape for name, array in arrays.items()} == SHAPES[source]
    expected = parameters_of(layer)
    other = built(n_filters=5, **ARGUMENTS[source])
    leaf_tf.import_weights(other, arrays, source=source)
    values = parameters_of(other)
    assert values.keys() == expected.keys()
    for name in expected:
        np.testing.assert_array_equal(values[name], expected[name])


def test_what_is_exported_is_a_copy():
    layer = built(n_filters=5)
    arrays = export_weights(layer)
    arrays["kernel"][:] = 0
    assert np.all(numbers(layer.filtering.sigmas) > 0)


@pytest.mark.parametrize("source", SCOPES)
def test_names_in_a_scope(source, rng):
    layer = random(built(n_filters=5, **ARGUMENTS[source]), rng)
    arrays = export_weights(layer, source=source)
    other = built(n_filters=5, **ARGUMENTS[source])
    scoped = {SCOPES[source] + name: array for name, array in arrays.items()}
    leaf_tf.import_weights(other, scoped, source=source)
    for ours, theirs in zip(layer.weights, other.weights):
        np.testing.assert_array_equal(numbers(ours), numbers(theirs))


@pytest.mark.shared
@pytest.mark.parametrize("method", ["exact", "fast"])
@pytest.mark.parametrize("source", ["leaf-pytorch", "speechbrain"])
def test_outputs_of_the_source(shared, source, method):
    path = shared / "reference" / f"{source.replace('-', '_')}_state_dict.npz"
    with np.load(path) as arrays:
        weights = {key[3:]: arrays[key] for key in arrays if key.startswith("sd/")}
        waveform, expected = arrays["x"], arrays["y"]
    if source == "leaf-pytorch":
        expected = expected.transpose(0, 2, 1)
    layer = built(method=method, **AS_TORCH)
    leaf_tf.import_weights(layer, weights, source=source)
    outputs = numbers(layer(waveform))
    assert outputs.shape == expected.shape
    assert np.max(np.abs(outputs - expected) / (1 + np.abs(expected))) <= 1e-4
    exported = export_weights(layer, source=source)
    assert exported.keys() == weights.keys()
    for name, array in weights.items():
        np.testing.assert_array_equal(exported[name], array)


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


def test_of_many_unknown_names_some_are_listed():
    encoder = {f"encoder.{i}": np.zeros(1) for i in range(25)}
    message = "unknown: encoder.9; 15 more unknown; give the frontend's variables"
    with pytest.raises(ValueError, match=message):
        leaf_tf.import_weights(built(), {**official(), **encoder})


@pytest.mark.parametrize(
    "source, arguments, message",
    [
        ("leaf-pytorch", {}, "pooling_padding='symmetric', pooling_bias=True"),
        ("speechbrain", {"pooling_bias": True}, "pooling_padding='symmetric'\\)"),
        ("efficientleaf", AS_TORCH, "pooling_bias=False"),
        ("audax", {"preemp": True}, "preemp=False"),
        ("leaf-audio", AS_TORCH, "pooling_padding='same', pooling_bias=False"),
        ("audax", {"mean_var_norm": True}, "mean_var_norm=False"),
    ],
)
def test_a_layer_made_for_another_source_is_told_how(source, arguments, message):
    layer = built(n_filters=5, **arguments)
    call = rf"{source} need a layer made by leaf_tf.Leaf\(..., {message}"
    with pytest.raises(ValueError, match=call):
        leaf_tf.import_weights(layer, {}, source=source)
    with pytest.raises(ValueError, match=call):
        export_weights(layer, source=source)


def test_weights_without_a_place_in_the_source_are_not_dropped():
    layer = built(n_filters=5, compression=keras.layers.Dense(5))
    with pytest.raises(ValueError, match="audax has no place for .*kernel, .*bias"):
        export_weights(layer, source="audax")
    layer = built(n_filters=5, compression="log")
    assert export_weights(layer, "audax").keys() == {
        "complex_conv/gabor_kernel",
        "pooling/kernel",
    }


def test_other_mistakes():
    with pytest.raises(ValueError, match="`source` must be one of"):
        leaf_tf.import_weights(built(), official(), source="torch")
    with pytest.raises(ValueError, match="must be a leaf_tf.Leaf for leaf-audio"):
        leaf_tf.import_weights(leaf_tf.MelFilterbanks(), official())
    with pytest.raises(ValueError, match="leaf_tf.Leaf or leaf_tf.EfficientLeaf"):
        export_weights(leaf_tf.MelFilterbanks(), source="efficientleaf")
    with pytest.raises(ValueError, match="has no weights yet"):
        leaf_tf.import_weights(leaf_tf.Leaf(), official())
