import pytest
import tensorflow as tf

from export.runners.litert import Delegation, LiteRTModel, LiteRTRunner
from leaf_files.errors import UserError
from leaf_files.quiet import native_logs_hidden


def converted(path, function, shape=(1, 16)):
    module = tf.Module()
    window = tf.TensorSpec(shape, tf.float32, name="waveform")
    module.serve = tf.function(function, [window])
    concrete = module.serve.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    with native_logs_hidden():
        path.write_bytes(converter.convert())
    return path


@pytest.mark.parametrize(
    "function, expected",
    [
        (lambda x: {"features": tf.exp(tf.abs(x))}, Delegation(1, 0)),
        # XNNPACK can't sort: a piece before, a piece behind.
        (
            lambda x: {"features": tf.exp(tf.math.top_k(tf.exp(x), 16).values)},
            Delegation(2, 1),
        ),
        (lambda x: {"features": tf.math.top_k(x, 16).values}, Delegation(0, 1)),
    ],
)
def test_partitions_are_counted(tmp_path, function, expected):
    path = converted(tmp_path / "model.tflite", function)
    assert LiteRTModel(path).delegation() == expected


def test_all_outputs_are_answered(exported, windows):
    model = LiteRTModel(exported / "frontend.tflite")
    assert model.outputs == {"features": (1, 50, 6)}
    assert model.run(windows)["features"].shape == (len(windows), 50, 6)


def test_threads_change_nothing(exported, windows):
    path = exported / "model.tflite"
    one, two = (LiteRTRunner(path, n).probabilities(windows)[""] for n in (1, 2))
    assert abs(one - two).max() < 1e-6


def test_features_alone_are_no_classifier(exported):
    with pytest.raises(UserError, match="from waveform to probabilities.*features"):
        LiteRTRunner(exported / "frontend.tflite")
