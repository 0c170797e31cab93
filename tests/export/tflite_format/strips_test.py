import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from export.tflite_format.building import Builder, Values, new_model
from export.tflite_format.model import operator_name, read_model, write_model
from export.tflite_format.sharing import write_shared
from export.tflite_format.strips import run_in_strips, strip_plans

IMAGE = Values("int8", 0.1, 3)
SHAPE = (1, 13, 10, 2)


def network():
    """Two convolutions of an image of odd height, each with pooling behind it."""
    model = new_model()
    builder = Builder(model)
    rng = np.random.default_rng(0)
    source = image = builder.tensor(SHAPE, IMAGE)
    _, rows, columns, before = SHAPE
    for channels in (6, 4):
        weights = rng.integers(-127, 128, (channels, 3, 3, before))
        scales = tuple(rng.uniform(0.0005, 0.003, channels).tolist())
        bias = Values("int32", tuple(0.1 * scale for scale in scales))
        inputs = [
            image,
            builder.constant(weights, Values("int8", scales)),
            builder.constant(rng.integers(-999, 999, channels), bias),
        ]
        step = {"padding": 0, "strideH": 1, "strideW": 1}
        dilation = {"dilationHFactor": 1, "dilationWFactor": 1}
        shape = (1, rows, columns, channels)
        image = builder.operator("CONV_2D", inputs, shape, IMAGE, **step, **dilation)
        rows, columns, before = -(-rows // 2), -(-columns // 2), channels
        step = {"padding": 0, "strideH": 2, "strideW": 2}
        size = {"filterHeight": 2, "filterWidth": 2}
        shape = (1, rows, columns, channels)
        image = builder.operator("MAX_POOL_2D", [image], shape, IMAGE, **step, **size)
    builder.name_ends({"image": source}, {"answer": image})
    return model


def answer(content):
    image = np.random.default_rng(1).integers(-128, 128, SHAPE).astype(np.int8)
    interpreter = Interpreter(model_content=content)
    return interpreter.get_signature_runner()(image=image)["answer"]


PLANS = strip_plans(network())


@pytest.mark.parametrize("plan", PLANS, ids=str)
def test_strips_give_the_same_numbers(plan):
    model = network()
    expected = answer(write_model(network()))
    assert len(np.unique(expected)) > 20
    run_in_strips(model, plan)
    names = [operator_name(model, op) for op in model.subgraphs[0].operators]
    assert names.count("CONCATENATION") == 1
    np.testing.assert_array_equal(answer(write_model(model)), expected)


def test_strips_go_through_one_convolution_or_both():
    assert {plan.depth for plan in PLANS} == {1, 2, 3, 4} - {1, 3}
    assert {plan.n_strips for plan in PLANS} == {2, 3, 4, 5, 6, 7}


def test_equal_parts_are_written_once_and_constants_are_aligned():
    from ai_edge_litert.schema_py_generated import Model

    plain, shared = write_model(network()), write_shared(network())
    assert len(shared) < len(plain)
    np.testing.assert_array_equal(answer(shared), answer(plain))
    read = Model.GetRootAs(bytearray(shared), 0)
    buffers = [read.Buffers(i) for i in range(read.BuffersLength())]
    starts = [b._tab.Vector(b._tab.Offset(4)) for b in buffers if b.DataLength()]
    assert len(starts) == 4 and {start % 16 for start in starts} == {0}
    # It reads as what was written.
    tensors = read_model(shared).subgraphs[0].tensors
    scales = [tensor.quantization.scale for tensor in tensors if tensor.type == 9]
    expected = network().subgraphs[0].tensors
    for scale, tensor in zip(scales, (t for t in expected if t.type == 9)):
        np.testing.assert_array_equal(scale, tensor.quantization.scale)
