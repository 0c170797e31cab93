import json
import shutil
import subprocess

import keras
import numpy as np
import pytest
import soundfile

import leaf_tf
from export.__main__ import dispatch
from export.contract.layout import MICRO, MICRO_INT8
from export.report.parity import keras_stream
from export.source.opening import open_source
from export.tflite_format.model import read_model
from tests.export.conftest import LABELS
from tests.export.models import SAMPLE_RATE, classifier, mel
from tests.once import once

REASON = "needs the packages of the extra `micro`"
FILES = (MICRO, MICRO_INT8)


@pytest.fixture(scope="session")
def runner():
    """`export.runners.micro.MicroRunner`, where TFLite Micro is."""
    pytest.importorskip("tflite_micro", reason=REASON)
    from export.runners.micro import MicroRunner

    return MicroRunner


@pytest.fixture(scope="session")
def micro(runner, run, tmp_path_factory):
    """The folder that `--formats micro` writes of `run`."""

    def make(folder):
        calibration = ["--calibration", str(run.clips)]
        options = ["--formats", "micro", *calibration, "--max-accuracy-drop", "50"]
        assert not dispatch([str(run.folder), "--output", str(folder), *options])

    return once(tmp_path_factory, "micro_compass", make)


@pytest.fixture(scope="session")
def report(micro):
    return json.loads((micro / "report.json").read_text())


@pytest.mark.parametrize(
    "name, largest, mean", [("micro", 0.05, 0.01), ("micro_int8", 0.15, 0.03)]
)
def test_both_files_answer_as_keras_does_on_the_same_streams(
    report, name, largest, mean
):
    measured = report["artifacts"][name]
    assert measured["mean_difference"] < mean
    assert measured["max_difference"] < largest
    assert measured["heads"][0]["keras"]["accuracy"] is not None
    # Of four filters and twelve channels hardly anything is the model's.
    assert measured["arena_bytes"] <= 64 * 1024
    assert measured["bytes"] <= 100 * 1024
    assert measured["stream"]["is_micro"]


def test_a_stream_goes_on_from_chunk_to_chunk(runner, micro, run, windows):
    source = open_source(str(run.folder))
    stream = runner(micro / MICRO)
    sound = np.concatenate(windows[:3])
    sound = sound[: -(sound.size % stream.facts.chunk_samples) or None]
    whole = keras_stream(source, stream.facts, sound)[""]
    answers = stream.run(sound)[""]
    np.testing.assert_allclose(answers, whole, atol=0.05)
    # From zeros again, it is as at first.
    np.testing.assert_array_equal(stream.run(sound)[""], answers)
    stream.reset()
    first = stream.hear(sound[: stream.facts.chunk_samples])[""]
    np.testing.assert_array_equal(first, answers[0])


def test_no_number_of_the_integer_file_is_a_float(micro, report):
    from ai_edge_litert.schema_py_generated import TensorType

    model = read_model((micro / MICRO_INT8).read_bytes())
    kinds = {tensor.type for tensor in model.subgraphs[0].tensors}
    assert kinds <= {
        TensorType.INT8,
        TensorType.INT16,
        TensorType.INT32,
        TensorType.INT64,
    }
    assert "DEQUANTIZE" not in report["artifacts"]["micro_int8"]["ops"]


@pytest.mark.parametrize("name", FILES)
def test_constants_are_where_microcontrollers_can_read_them(micro, name):
    from ai_edge_litert.schema_py_generated import Model

    model = Model.GetRootAs(bytearray((micro / name).read_bytes()), 0)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    starts = [b._tab.Vector(b._tab.Offset(4)) for b in buffers if b.DataLength()]
    assert starts and {start % 16 for start in starts} == {0}


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_its_labels_and_verify_asks_it_again(
    runner, micro, windows, tmp_path, name, capsys
):
    words = runner(micro / name).own_words()
    assert words.heads[0].labels == LABELS
    assert words.sample_rate == SAMPLE_RATE
    assert not dispatch(["verify", str(micro)])
    out = capsys.readouterr().out
    assert f"ok       {name}" in out and "answers differ by" in out
    soundfile.write(tmp_path / "clip.wav", windows[0], SAMPLE_RATE, subtype="FLOAT")
    path, clip = str(micro / name), str(tmp_path / "clip.wav")
    assert not dispatch(["predict", path, clip, "--json"])
    (answer,) = json.loads(capsys.readouterr().out)
    expected = runner(micro / name).probabilities(windows[:1])[""][0]
    assert answer["labels"][0]["label"] == LABELS[expected.argmax()]
    assert not dispatch(["listen", path, clip, "--threshold", "0.01"])
    out = capsys.readouterr().out
    assert any(label in out for label in LABELS)


def test_the_report_tells_arena_and_score(micro):
    text = (micro / "report.md").read_text()
    assert "It takes an arena of" in text
    assert "whose score there is accuracy" in text


@pytest.mark.parametrize("name", FILES)
def test_the_c_files_hold_the_model_and_its_facts(runner, micro, name, tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs a C compiler, and finds no cc")
    stem = name.removesuffix(".tflite")
    program = tmp_path / "facts.c"
    program.write_text(
        f"""
#include <stdio.h>
#include "{stem}.h"
int main(void) {{
  fwrite(leaf_{stem}_model, 1, LEAF_{stem.upper()}_MODEL_BYTES, stdout);
  fprintf(stderr, "%d %d %d %s %d\\n", LEAF_{stem.upper()}_SAMPLE_RATE,
          LEAF_{stem.upper()}_CHUNK_SAMPLES, LEAF_{stem.upper()}_ARENA_BYTES,
          leaf_{stem}_heads[0].labels[2], leaf_{stem}_heads[0].n_labels);
  for (int i = 0; i < LEAF_{stem.upper()}_N_STATES; ++i)
    fprintf(stderr, "%s %d %d %d\\n", leaf_{stem}_states[i].name,
            (int)leaf_{stem}_states[i].count, (int)leaf_{stem}_states[i].bytes,
            (int)leaf_{stem}_states[i].zero_point);
  return 0;
}}
"""
    )
    flags = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{micro}"]
    binary = tmp_path / "facts"
    subprocess.run(
        [compiler, *flags, program, micro / f"{stem}.c", "-o", binary], check=True
    )
    done = subprocess.run([binary], capture_output=True, check=True)
    assert done.stdout == (micro / name).read_bytes()
    first, *states = done.stderr.decode().splitlines()
    opened = runner(micro / name)
    arena = json.loads((micro / "report.json").read_text())["artifacts"][stem]
    assert first == (
        f"{SAMPLE_RATE} {opened.facts.chunk_samples} {arena['arena_bytes']} "
        f"{LABELS[2]} {len(LABELS)}"
    )
    ends = [end for end in opened.inputs.values() if end.name != "waveform"]
    assert states == [
        f"{end.name} {end.size} {end.zeros().nbytes} {end.values.zero_point}"
        for end in ends
    ]


def test_equal_exports_are_equal_bytes(runner, micro, run, tmp_path):
    from export.source.calibration import read_calibration_windows
    from export.writers.micro.files import MicroFiles

    source = open_source(str(run.folder))
    files = MicroFiles(
        source,
        lambda: read_calibration_windows(run.clips, SAMPLE_RATE, source.window_samples),
    )
    files.write_integers(tmp_path)
    for ending in (".tflite", ".c", ".h"):
        name = f"micro_int8{ending}"
        assert (tmp_path / name).read_bytes() == (micro / name).read_bytes()


def test_what_cannot_be_made_is_said_before_anything_is_written(
    runner, keras_file, run, tmp_path, capsys
):
    from leaf_files import command_line

    path = str(keras_file(classifier(layer=mel())))
    argv = [path, "--output", str(tmp_path / "out"), "--formats", "micro"]
    argv += ["--calibration", str(run.clips)]
    assert command_line.run(dispatch, argv, prog="export") == 1
    assert "TFLite Micro has no Fourier transform" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def frames_of(content, chunks):
    """The frames that a graph makes of chunks, one after another."""
    from export.runners.micro import _interpreter
    from export.tflite_format.ends import ends_of

    interpreter = _interpreter(content, "frames")
    inputs, outputs = ends_of(read_model(content))
    state = {end.name: end.zeros() for end in inputs}
    for chunk in chunks:
        state["waveform"] = inputs[0].values.numbers(chunk)
        for place, end in enumerate(inputs):
            interpreter.set_input(state[end.name], place)
        interpreter.invoke()
        for place, end in enumerate(outputs):
            state[end.name] = np.array(interpreter.get_output(place))
        yield outputs[0].values.real(state["frames"])[0]


@pytest.mark.parametrize(
    "compression, n_filters",
    # Of 40 filters the lower run behind a decimator.
    [("soft_pcen", 8), ("loudness_pcen", 8), ("pcen", 8), ("log", 40)],
)
def test_integer_frames_are_those_of_the_frontend(
    runner, compression, n_filters, windows
):
    from export.tflite_format.sharing import write_shared
    from export.writers.micro.frames import FrameStream
    from export.writers.micro.integers import integer_frames

    leaf = leaf_tf.Leaf(n_filters, SAMPLE_RATE, compression=compression)
    waveform = keras.Input((None,))
    outputs = keras.layers.GlobalAveragePooling1D()(leaf(waveform))
    model = keras.Model(waveform, outputs)

    class Source:
        pass

    Source.model = model
    frames = FrameStream(Source, 50)
    sound = np.concatenate(windows[:3])
    whole = np.asarray(leaf(sound[None]))[0]
    largest = float(whole.max())
    content = write_shared(integer_frames(frames, largest))
    chunks = sound.reshape(-1, 1, frames.chunk_samples)
    got = np.concatenate(list(frames_of(content, chunks)))[frames.stream.delay :]
    whole = whole[: len(got)] - frames.stream.silence
    scale = np.abs(whole).max()
    difference = np.abs(got - whole)[5:]
    assert difference.mean() < 0.01 * scale
