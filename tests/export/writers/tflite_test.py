import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import leaf_tf
from export.runners.litert import LiteRTModel
from export.source.opening import open_source
from export.tflite_format.graph import read_graph
from export.writers.converting import LITERT, converter
from export.writers.tflite import write_tflite
from leaf_files.errors import UserError
from leaf_tf.dsp.multirate import taps as multirate_taps
from tests.export.models import N_CLASSES, N_FILTERS, classifier, softmax
from tests.reference.leaf import gabor_filters


@pytest.fixture(scope="module")
def path(exported):
    return exported / "model.tflite"


def test_it_answers_as_keras_does(path, windows, expected):
    interpreter = Interpreter(str(path))
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["waveform"], "outputs": ["probabilities"]}
    }
    model = interpreter.get_signature_runner("serving_default")
    answers = [model(waveform=w[None])["probabilities"][0] for w in windows]
    np.testing.assert_allclose(answers, expected, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["model.tflite", "model_float16.tflite", "frontend.tflite"]
)
def test_what_is_no_sound_is_answered_with_nan(exported, name, windows):
    _expect_nan(exported / name, windows[0])


@pytest.mark.parametrize("kind", ["dynamic", "int8"])
def test_so_do_files_of_integers(files, kind, windows, tmp_path, int8_weights):
    path = tmp_path / "model.tflite"
    content = files.dynamic() if kind == "dynamic" else files.int8(windows)
    path.write_bytes(content)
    _expect_nan(path, windows[0])


def _expect_nan(path, window):
    model = LiteRTModel(path)
    bad = np.stack([window] * 8)
    bad[range(6), [0, 99, -1, 5, 5, 5]] = [np.nan, np.inf, -np.inf, 1e9, -1e20, 1e30]
    bad[6] = np.nan
    bad[7] = 32768 * np.sign(window)
    (answers,) = model.run(bad).values()
    assert np.isnan(answers[:7]).all()
    assert np.isfinite(answers[7]).all()
    assert model.delegation().operators_outside == 0


def test_its_graph_is_one_of_builtin_operators_on_the_waveform(path):
    graph = read_graph(path)
    assert graph.n_subgraphs == 1
    assert all(name.isupper() for name in graph.ops)
    assert graph.unfolded_ops == {}
    assert not {"SIN", "COS"} & set(graph.ops)


def test_the_exact_filters_are_constants_with_the_right_taps(keras_file, tmp_path):
    model = classifier(method="exact", input_shape=(4000,))
    path = tmp_path / "model.tflite"
    write_tflite(open_source(keras_file(model)), path)
    gabor = model.layers[1].filtering
    taps = gabor_filters(gabor.center_freqs, gabor.sigmas, gabor.kernel_size)
    expected = np.stack([taps.real, taps.imag], axis=1).reshape(2 * N_FILTERS, -1)
    (filterbank,) = _constants(path, expected.shape)
    np.testing.assert_allclose(filterbank, expected, atol=1e-6)


def test_the_fast_filters_are_constants_in_groups(path, run):
    plan = run.model.layers[1].plan
    center_freqs, sigmas, _ = map(np.array, run.model.layers[1].bounded_weights())
    for group in plan.groups:
        matrix = multirate_taps.decimated_taps(group.half_length, group.rate)
        matrix = matrix * multirate_taps.cut_window(
            plan.kernel_size, group.half_length, group.stride
        )
        filters = list(group.filters)
        times = np.arange(-group.half_length, group.half_length + 1.0)[:, None]
        gabors = np.exp(-0.5 * (times / sigmas[filters]) ** 2)
        gabors = gabors / (np.sqrt(2 * np.pi) * sigmas[filters])
        gabors = gabors * np.exp(1j * times * center_freqs[filters])
        taps = matrix @ np.concatenate([gabors.real, gabors.imag], axis=1)
        n_taps, channels = taps.shape
        expected = np.zeros((group.per_block, channels, group.n_blocks * group.block))
        for energy in range(group.per_block):
            start = energy * group.stride // group.rate
            expected[energy, :, start : start + n_taps] = taps.T
        expected = expected.reshape(group.per_block * channels, -1)
        differences = [
            np.abs(kernel - expected).max()
            for kernel in _constants(path, expected.shape)
        ]
        assert min(differences) < 1e-6


def _constants(path, shape):
    """Constants of a TFLite file of as many numbers, (shape)."""
    interpreter = Interpreter(str(path))
    return [
        interpreter.get_tensor(tensor["index"]).reshape(shape)
        for tensor in interpreter.get_tensor_details()
        if np.prod(tensor["shape"]) == np.prod(shape) and tensor["shape"][0] > 1
    ]


def test_an_operator_that_tflite_lacks_is_named(keras_file, tmp_path):
    source = open_source(keras_file(classifier(features=keras.ops.tan)))
    with pytest.raises(UserError, match="no builtin operator for tf.Tan:.*select-TF"):
        write_tflite(source, tmp_path / "model.tflite")
    assert not (tmp_path / "model.tflite").exists()


def test_a_model_of_fixed_length_with_a_channel_axis_that_ends_in_sigmoid(
    keras_file, tmp_path, windows
):
    head = keras.layers.Dense(N_CLASSES, activation="sigmoid")
    model = classifier(input_shape=(4000, 1), head=head)
    source = open_source(keras_file(model))
    assert source.window_samples == 4000
    write_tflite(source, tmp_path / "model.tflite")
    runner = Interpreter(str(tmp_path / "model.tflite")).get_signature_runner()
    answers = [runner(waveform=w[None])["probabilities"][0] for w in windows]
    np.testing.assert_allclose(answers, model(windows[..., None]), atol=1e-5)


def test_filters_of_full_size_are_folded_too(keras_file, tmp_path):
    # The converter by itself stops at 40 filters of 401 taps.
    layers = [keras.Input((None,)), leaf_tf.Leaf(), keras.layers.GlobalMaxPooling1D()]
    path = keras_file(keras.Sequential(layers))
    write_tflite(open_source(path, activations=["softmax"]), tmp_path / "model.tflite")
    assert read_graph(tmp_path / "model.tflite").unfolded_ops == {}


def test_a_recurrent_encoder_keeps_its_loop(keras_file, tmp_path, windows):
    recurrent = keras.layers.GRU(5, return_sequences=True)
    model = classifier(features=recurrent)
    source = open_source(keras_file(model), window_seconds=0.5)
    if converter() == LITERT:
        with pytest.raises(UserError, match="litert-converter can't write a loop"):
            write_tflite(source, tmp_path / "model.tflite")
        return
    write_tflite(source, tmp_path / "model.tflite")
    assert "WHILE" in read_graph(tmp_path / "model.tflite").ops
    runner = Interpreter(str(tmp_path / "model.tflite")).get_signature_runner()
    answers = [runner(waveform=w[None])["probabilities"][0] for w in windows]
    expected = softmax(keras.ops.convert_to_numpy(model(windows)))
    np.testing.assert_allclose(answers, expected, atol=1e-5)
