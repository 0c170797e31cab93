import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from export.tflite_format.graph_edits import (
    averaging_products,
    drop_remarks,
    halve_constants,
    keep_outputs,
    name_parts,
    part_of,
    pool_maxima,
)
from export.tflite_format.model import (
    operator_name,
    outputs_of,
    read_model,
    write_model,
)
from leaf_files.quiet import native_logs_hidden

KERNEL = np.random.default_rng(0).normal(size=(40, 30)).astype(np.float32)
AVERAGES = np.abs(np.random.default_rng(1).normal(size=(30, 10))).astype(np.float32)


def converted(function, shape, name="x"):
    """The `ModelT` of a function that returns a dict of tensors."""
    module = tf.Module()
    module.serve = tf.function(function, [tf.TensorSpec(shape, tf.float32, name=name)])
    concrete = module.serve.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    with native_logs_hidden():
        return read_model(converter.convert())


def answers(model, x):
    interpreter = Interpreter(model_content=write_model(model))
    return interpreter.get_signature_runner()(x=x)


def a_frontend_and_more(x):
    features = tf.matmul(tf.square(tf.matmul(x, KERNEL)), AVERAGES)
    embedding = tf.tanh(tf.matmul(features, AVERAGES.T))
    return {"features": features, "embedding": embedding, "y": tf.nn.softmax(embedding)}


@pytest.fixture
def model():
    return converted(a_frontend_and_more, (1, 40))


@pytest.fixture
def x(rng):
    return rng.normal(size=(1, 40)).astype(np.float32)


def names(model):
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


def test_what_is_written_computes_what_was_read(model, x):
    expected = a_frontend_and_more(x)
    found = answers(model, x)
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-6)


def test_outputs_are_kept_in_order_with_what_they_need(model, x):
    before = answers(model, x)
    keep_outputs(model, ["embedding", "features"])
    assert list(outputs_of(model)) == ["embedding", "features"]
    assert "SOFTMAX" not in names(model)
    keep_outputs(model, ["features"])
    assert names(model) == ["FULLY_CONNECTED", "SQUARE", "FULLY_CONNECTED"]
    found = answers(model, x)
    assert set(found) == {"features"}
    np.testing.assert_allclose(found["features"], before["features"])


def test_tensors_and_buffers_of_nothing_are_dropped(model):
    whole = len(write_model(model))
    keep_outputs(model, ["features"])
    # The product behind has a constant of its own.
    assert len(write_model(model)) < whole - AVERAGES.nbytes
    buffers = [b for b in model.buffers if b.data is not None and len(b.data) > 500]
    assert sorted(len(b.data) for b in buffers) == [AVERAGES.nbytes, KERNEL.nbytes]


def test_parts_are_named_by_the_features(model):
    features = outputs_of(model)["features"]
    keep_outputs(model, ["y"])
    name_parts(model, features)
    graph = model.subgraphs[0]
    parts = [part_of(graph, op) for op in graph.operators]
    assert parts == ["frontend"] * 3 + ["encoder"] * 2 + ["output"]
    assert graph.tensors[graph.outputs[0]].name == b"output/y"


def test_only_products_behind_energies_average(model):
    name_parts(model, outputs_of(model)["features"])
    assert averaging_products(model) == ["frontend/features"]
    name_parts(model, outputs_of(model)["embedding"])
    products = [i for i, name in enumerate(names(model)) if name == "FULLY_CONNECTED"]
    expected = ["frontend/features", f"frontend/{products[2]}.0"]
    assert averaging_products(model) == expected


def test_halved_constants_are_rounded_to_float16(model, x):
    whole = len(write_model(model))
    halve_constants(model)
    # One of the averages is transposed.
    assert names(model)[:4] == ["DEQUANTIZE"] * 3 + ["FULLY_CONNECTED"]
    half_kernel = KERNEL.astype(np.float16).astype(np.float32)
    half_averages = AVERAGES.astype(np.float16).astype(np.float32)
    features = np.square(x @ half_kernel) @ half_averages
    np.testing.assert_allclose(answers(model, x)["features"], features, rtol=1e-5)
    assert len(write_model(model)) < 0.7 * whole


def test_without_remarks_a_file_is_smaller_and_computes_the_same(model, x):
    name_parts(model, outputs_of(model)["features"])
    before, whole = answers(model, x), len(write_model(model))
    drop_remarks(model)
    assert len(write_model(model)) < whole
    for name, values in answers(model, x).items():
        np.testing.assert_array_equal(values, before[name])
    graph = model.subgraphs[0]
    assert part_of(graph, graph.operators[0]) == "frontend"


def test_small_constants_stay_as_they_are(x):
    model = converted(lambda x: {"y": x * KERNEL[:, 0]}, (1, 40))
    halve_constants(model)
    assert names(model) == ["MUL"]


@pytest.mark.parametrize("factor", [1e5, 1e-7])
def test_what_float16_cannot_hold_stays_as_it_is(factor, x):
    kernel = np.float32(factor) * KERNEL
    model = converted(lambda x: {"y": tf.matmul(x, kernel)}, (1, 40))
    expected = answers(model, x)["y"]
    halve_constants(model)
    assert names(model) == ["FULLY_CONNECTED"]
    np.testing.assert_array_equal(answers(model, x)["y"], expected)


@pytest.mark.parametrize(
    "shape, axes, is_pooled",
    [
        ((1, 4, 3, 5), (1, 2), True),
        ((1, 7, 5), (1,), True),
        ((1, 2, 3, 4, 5), (2, 3), True),
        ((2, 4, 5), (1,), True),
        ((1, 2, 3, 5), (1, 3), False),
        ((1, 4, 5), (2,), False),
        ((1, 4, 5), (0, 1), False),
    ],
)
@pytest.mark.parametrize("keepdims", [False, True])
def test_maxima_over_neighbouring_axes_become_pooling(
    shape, axes, is_pooled, keepdims, rng
):
    model = converted(
        lambda x: {"y": tf.abs(tf.reduce_max(tf.sin(x), axes, keepdims=keepdims))},
        shape,
    )
    x = rng.normal(size=shape).astype(np.float32)
    pool_maxima(model)
    assert ("MAX_POOL_2D" in names(model)) == is_pooled
    assert ("REDUCE_MAX" in names(model)) != is_pooled
    expected = np.abs(np.sin(x).max(axis=axes, keepdims=keepdims))
    np.testing.assert_allclose(answers(model, x)["y"], expected, atol=1e-6)
