"""The streaming file answers as Keras does for the last frames of all sound so far."""

import functools
import json

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

import leaf_tf
from export.__main__ import dispatch
from export.commands.export import export
from export.runners.stream import StreamRunner
from export.source.clips import head_clips
from export.source.opening import open_source
from export.tflite_format.graph import read_graph
from export.tflite_format.metadata import read_metadata
from export.writers.options import Options
from export.writers.stream import StreamModel
from leaf_files import command_line
from leaf_files.errors import UserError
from tests.export.conftest import LABELS, WINDOW_SAMPLES
from tests.export.models import SAMPLE_RATE, classifier, frontend, softmax

HOP = SAMPLE_RATE // 100


def run_command(*argv):
    return command_line.run(dispatch, [str(a) for a in argv], "python -m export")


@pytest.fixture(scope="module")
def path(run, tmp_path_factory):
    """A streaming file of `run`, 50 ms a chunk."""
    path = tmp_path_factory.mktemp("streaming") / "model_streaming.tflite"
    path.write_bytes(StreamModel(open_source(str(run.folder)), 50.0).tflite())
    return path


def sound(rng, chunks, chunk_samples):
    """Noise and tones that come and go, (chunks, chunk_samples)."""
    t = np.arange(chunks * chunk_samples) / SAMPLE_RATE
    tone = np.sin(2 * np.pi * 300 * t * (1 + t)) * (np.sin(3 * t) > 0)
    waveform = 0.8 * tone + 0.01 * rng.standard_normal(t.size)
    return waveform.astype("float32").reshape(chunks, chunk_samples)


def by_keras(layer, behind, chunks, n_frames):
    """What the layers behind a frontend make of its last frames, for each chunk.

    Each time the frontend hears all sound so far and a second of silence, and gives
    the frames that the silence doesn't change.
    """
    delay = leaf_tf.streaming.Stream(layer).delay
    silence = np.array(layer(np.zeros((1, SAMPLE_RATE), "float32")))[0, 10]
    answers = []
    for n_heard in range(1, len(chunks) + 1):
        heard = chunks[:n_heard].reshape(1, -1)
        known = max(heard.size // HOP - delay, 0)
        padded = np.pad(heard, ((0, 0), (0, SAMPLE_RATE)))
        window = np.tile(silence, (n_frames, 1))
        if known:
            frames = np.array(layer(padded))[0, :known][-n_frames:]
            window[n_frames - len(frames) :] = frames
        answers.append(behind(window[None]))
    return answers


def one_by_one(layers):
    return lambda values: functools.reduce(lambda v, layer: layer(v), layers, values)


def test_it_answers_as_keras_does_for_the_last_frames(path, run, rng):
    runner = StreamRunner(path)
    chunks = sound(rng, 30, 400)
    _, layer, *encoder = run.model.layers
    logits = by_keras(layer, one_by_one(encoder), chunks, n_frames=50)
    expected = softmax(np.concatenate([np.array(row) for row in logits]))
    assert np.ptp(expected, axis=0).max() > 0.2
    np.testing.assert_allclose(runner.run(chunks)[""], expected, atol=1e-5)


def test_a_stream_begins_anew(path, rng):
    runner = StreamRunner(path)
    chunks = sound(rng, 8, 400)
    first = runner.run(chunks)[""]
    np.testing.assert_array_equal(runner.run(chunks)[""], first)
    runner.hear(chunks[0])
    assert np.abs(runner.hear(chunks[0])[""] - first[0]).max() > 1e-4


def test_its_graph_is_one_of_builtin_operators_without_branches(path):
    graph = read_graph(path)
    assert graph.n_subgraphs == 1
    assert all(name.isupper() for name in graph.ops)
    assert not {"WHILE", "IF", "CALL_ONCE", "SIN", "COS"} & set(graph.ops)
    assert not [name for name in graph.ops if "VAR" in name or "HASH" in name]
    assert graph.unfolded_ops == {}
    delegation = StreamRunner(path).delegation()
    # One comparison and one selection, on the chunk as it comes; what takes states only
    # is before them.
    # (Converters of before call it SELECT.)
    guards = [graph.ops.get(name, 0) for name in ("LESS", "SELECT", "SELECT_V2")]
    assert delegation.operators_outside == sum(guards)
    assert delegation.operators_outside == 2
    assert delegation.partitions <= 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, -1e20])
def test_what_is_no_sound_is_nan_for_a_window_and_then_forgotten(path, rng, value):
    runner = StreamRunner(path)
    chunks = sound(rng, 24, 400)
    silenced = chunks.copy()
    chunks[6, 7], silenced[6, 7] = value, 0
    expected = runner.run(silenced)[""]
    answers = []
    runner.reset()
    for chunk in chunks:
        answers.append(runner.hear(chunk)[""])
        states = runner._state.values()
        assert all(np.abs(state).max() < 1e6 for state in states)
    is_nan = np.isnan(answers)
    assert (is_nan.all(axis=1) == is_nan.any(axis=1)).all()
    # A window has 50 frames, a chunk 5 of them.
    assert 11 <= is_nan.all(axis=1).sum() <= 13
    assert is_nan[6:17].all()
    kept = ~is_nan.all(axis=1)
    np.testing.assert_array_equal(np.array(answers)[kept], expected[kept])


def test_it_is_run_by_the_order_of_its_tensors_alone(path, rng):
    chunks = sound(rng, 5, 400)
    expected = StreamRunner(path).run(chunks)[""]
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    inputs = interpreter.get_input_details()
    outputs = interpreter.get_output_details()
    states = [np.zeros(entry["shape"], "float32") for entry in inputs[1:]]
    for chunk, answer in zip(chunks, expected):
        for entry, value in zip(inputs, [chunk[None], *states]):
            interpreter.set_tensor(entry["index"], value)
        interpreter.invoke()
        values = [interpreter.get_tensor(entry["index"]) for entry in outputs]
        np.testing.assert_array_equal(values[0][0], answer)
        states = values[1:]
    assert {entry["dtype"] for entry in (*inputs, *outputs)} == {np.float32}


def test_it_says_what_it_takes(path):
    facts = StreamRunner(path).facts
    assert facts.sample_rate == SAMPLE_RATE
    assert (facts.chunk_samples, facts.hop_samples) == (400, HOP)
    assert (facts.window_frames, facts.window_samples) == (50, WINDOW_SAMPLES)
    assert facts.activations == {"": "softmax"}
    assert facts.latency_ms == pytest.approx(
        leaf_tf.streaming.Stream(frontend()).latency_ms, abs=1e-3
    )
    metadata = read_metadata(path.read_bytes())
    assert metadata.sample_rate == SAMPLE_RATE
    assert metadata.outputs[0].labels == LABELS


def heads(features):
    pooled = keras.layers.GlobalAveragePooling1D()(features)
    spread = keras.initializers.RandomNormal(stddev=2.0, seed=1)
    return {
        "place": keras.layers.Dense(3, "softmax", kernel_initializer=spread)(pooled),
        "events": keras.layers.Dense(2, "sigmoid", kernel_initializer=spread)(pooled),
    }


def test_a_model_of_several_heads(keras_file, tmp_path, rng):
    keras.utils.set_random_seed(0)
    waveform = keras.Input((None, 1))
    layer = leaf_tf.MelFilterbanks(n_filters=8, sample_rate=SAMPLE_RATE)
    features = layer(waveform)
    model = keras.Model(waveform, heads(features))
    path = tmp_path / "model_streaming.tflite"
    source = open_source(keras_file(model), window_seconds=0.2)
    path.write_bytes(StreamModel(source).tflite())
    runner = StreamRunner(path)
    assert runner.facts.chunk_samples == 10 * HOP  # 100 ms
    chunks = sound(rng, 6, 10 * HOP)
    answers = runner.run(chunks)
    expected = by_keras(layer, keras.Model(features, model.output), chunks, 20)
    for head in ("place", "events"):
        probabilities = np.concatenate([np.array(row[head]) for row in expected])
        np.testing.assert_allclose(answers[head], probabilities, atol=1e-5)


def test_a_model_of_a_fixed_length_with_a_hop_at_a_time(keras_file, tmp_path, rng):
    keras.utils.set_random_seed(0)
    layer = leaf_tf.SincNetPlus(n_filters=4, sample_rate=SAMPLE_RATE)
    model = keras.Sequential(
        [
            keras.Input((1600,)),
            layer,
            keras.layers.Flatten(),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    path = tmp_path / "model_streaming.tflite"
    path.write_bytes(StreamModel(open_source(keras_file(model)), 10.0).tflite())
    chunks = sound(rng, 40, HOP)
    expected = by_keras(layer, one_by_one(model.layers[1:]), chunks, n_frames=20)
    expected = np.concatenate([np.array(row) for row in expected])
    np.testing.assert_allclose(StreamRunner(path).run(chunks)[""], expected, atol=1e-5)


def test_the_command_writes_and_measures_it(run, tmp_path, rng, capsys):
    output = tmp_path / "out"
    code = run_command(
        run.folder, "--output", output, "--formats", "tflite", "--quantize", "none",
        "--streaming", "--chunk", "20",
    )  # fmt: skip
    assert code == 0
    report = json.loads((output / "report.json").read_text())
    measured = report["artifacts"]["streaming"]
    path = output / "model_streaming.tflite"
    assert measured["path"] == path.name
    assert measured["bytes"] == path.stat().st_size
    assert measured["ops"]["CONV_2D"] >= 2 and measured["subgraphs"] == 1
    assert 0 < measured["max_difference"] < 1e-5
    assert measured["verdict"] == "as Keras"
    # 13 windows of half a second.
    assert measured["n_chunks"] == 13 * 25
    assert measured["real_time_factor"] == pytest.approx(measured["latency_ms"] / 20.0)
    assert 0 < measured["real_time_factor"] < 0.5
    text = (output / "report.md").read_text()
    assert "Takes 20 ms (160 samples) of sound at a time" in text
    capsys.readouterr()
    assert run_command("verify", output) == 0
    (line,) = [x for x in capsys.readouterr().out.splitlines() if path.name in x]
    assert line.startswith("ok") and "answers differ by" in line  # rounded there
    assert run_command("predict", path, path, "--sample-rate", SAMPLE_RATE) == 1
    assert "run it with python -m export listen" in capsys.readouterr().err


def test_one_that_differs_is_not_written(run, tmp_path, monkeypatch):
    def other_labels(self, chunk):
        answers = hear(self, chunk)
        return {head: np.roll(answer, 1) for head, answer in answers.items()}

    hear = StreamRunner.hear
    monkeypatch.setattr(StreamRunner, "hear", other_labels)
    source = open_source(str(run.folder))
    clips = [head_clips(source.heads[0], source.sample_rate, source.window_samples)]
    options = Options(formats=(), streaming=True)
    message = (
        "model_streaming.tflite differs from Keras by .* on 65 chunks; at most 1e-04 "
        "is allowed; nothing was written"
    )
    with pytest.raises(UserError, match=message):
        export(source, clips, options, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def nested():
    inner = keras.Sequential([keras.Input((None,)), frontend()])
    return keras.Sequential(
        [
            keras.Input((None,)),
            inner,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3),
        ]
    )


def with_first(layer, *later):
    return keras.Sequential(
        [
            keras.Input((None,)),
            layer,
            *later,
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3),
        ]
    )


@pytest.mark.parametrize(
    "model, chunk_ms, message",
    [
        (nested, None, "needs a leaf_tf frontend that takes the waveform as it comes"),
        (
            lambda: with_first(keras.layers.Rescaling(0.5), frontend()),
            None,
            "needs a leaf_tf frontend that takes the waveform as it comes",
        ),
        (
            lambda: with_first(
                leaf_tf.EfficientLeaf(n_filters=4, sample_rate=SAMPLE_RATE)
            ),
            None,
            "no streaming model: a frontend that subtracts the median",
        ),
        (classifier, 25.0, "a multiple of the frontend's hop, 10 ms; received 25"),
        (classifier, 4.0, "received 4, the nearest is 10"),
    ],
)
def test_what_cannot_be_streamed_is_refused(keras_file, model, chunk_ms, message):
    source = open_source(keras_file(model()))
    with pytest.raises(UserError, match=message):
        StreamModel(source, chunk_ms)


def test_a_chunk_without_streaming_is_refused(run, tmp_path, capsys):
    options = ("--output", tmp_path / "out", "--chunk", "100")
    assert run_command(run.folder, *options) == 1
    assert "--chunk is for --streaming" in capsys.readouterr().err


def test_what_is_no_streaming_file_is_refused(exported):
    with pytest.raises(UserError, match="is not a streaming model; python -m export"):
        StreamRunner(exported / "model.tflite")
