import flatbuffers
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema

from export.tflite_format.graph import read_activations, read_graph
from leaf_files.quiet import native_logs_hidden
from tests.export.runners.litert_test import converted


@pytest.fixture
def graph_of(tmp_path):
    """Converts a function of (1, 4); returns what `read_graph` reads of it."""

    def convert(function, ops=tf.lite.OpsSet.TFLITE_BUILTINS):
        traced = tf.function(
            function, [tf.TensorSpec((1, 4), tf.float32)], autograph=False
        )
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [traced.get_concrete_function()], tf.Module()
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, ops]
        path = tmp_path / "model.tflite"
        with native_logs_hidden():
            path.write_bytes(converter.convert())
        return read_graph(path)

    return convert


def test_operators_are_counted(graph_of):
    graph = graph_of(lambda x: tf.sin(tf.exp(x)) + tf.exp(-x))
    assert graph.ops == {"ADD": 1, "EXP": 2, "NEG": 1, "SIN": 1}
    assert graph.unfolded_ops == {}
    assert graph.n_subgraphs == 1


def test_a_select_tf_operator_keeps_its_name(graph_of):
    graph = graph_of(tf.tan, tf.lite.OpsSet.SELECT_TF_OPS)
    assert graph.ops == {"FlexTan": 1}


def test_work_on_constants_is_seen(tmp_path):
    # Tensors: 0 the input, 1 a constant, 2 = exp(1), 3 = neg(2), 4 = 0 + 3.
    operators = [
        ("EXP", [1], [2]),
        ("NEG", [2], [3]),
        ("ADD", [0, 3], [4]),
        ("EXP", [4], [5]),
    ]
    graph = read_graph(write_model(tmp_path / "model.tflite", [0], operators))
    assert graph.ops == {"ADD": 1, "EXP": 2, "NEG": 1}
    assert graph.unfolded_ops == {"EXP": 1, "NEG": 1}


@pytest.mark.parametrize(
    "function, expected",
    [
        (lambda x: tf.reshape(tf.sigmoid(x), (2, 8)), "sigmoid"),
        (lambda x: tf.reshape(tf.nn.softmax(x), (2, 8)), "softmax"),
        (tf.exp, "softmax"),
        (lambda x: x, "softmax"),
    ],
)
def test_what_keeps_values_hides_no_activation(tmp_path, function, expected):
    path = converted(tmp_path / "a.tflite", lambda x: {"probabilities": function(x)})
    content = path.read_bytes()
    assert read_activations(content) == {"probabilities": expected}


def write_model(path, inputs, operators):
    """A `.tflite` file of (name, inputs, outputs); it has no shapes or values."""
    model, subgraph = schema.ModelT(), schema.SubGraphT()
    model.buffers = [schema.BufferT()]
    subgraph.tensors = [schema.TensorT() for _ in range(6)]
    for number, tensor in enumerate(subgraph.tensors):
        tensor.name = f"tensor/{number}".encode()
    model.operatorCodes, subgraph.operators = [], []
    for name, takes, gives in operators:
        code, operator = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = getattr(schema.BuiltinOperator, name)
        operator.opcodeIndex = len(model.operatorCodes)
        operator.inputs, operator.outputs = takes, gives
        model.operatorCodes.append(code)
        subgraph.operators.append(operator)
    subgraph.inputs, model.subgraphs = inputs, [subgraph]
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return path


def test_control_flow_has_subgraphs_of_its_own(graph_of):
    graph = graph_of(
        lambda x: tf.while_loop(
            lambda y: tf.reduce_sum(y) < 9, lambda y: (y + tf.exp(y),), (x,)
        )
    )
    assert graph.n_subgraphs == 3
    assert graph.ops["EXP"] == 1 and graph.ops["WHILE"] == 1
