"""Detections of the runner are those of the offline sliding window."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import leaf_tf
from export.__main__ import dispatch
from export.source.opening import open_source
from export.writers.stream import StreamModel
from leaf_files import command_line
from leaf_files.clips import read_clip
from tests.export.conftest import LABELS
from tests.export.models import SAMPLE_RATE, classifier, softmax

CHUNK, WINDOW_FRAMES, HOP = 400, 50, 80


@pytest.fixture(scope="module")
def model(waveform):
    """A model that hears all its labels in the sound."""
    model = classifier()
    windows = waveform[: waveform.size // 4000 * 4000].reshape(-1, 4000)
    kernel, bias = model.layers[-1].kernel, model.layers[-1].bias
    kernel.assign(15.0 * np.array(kernel))
    bias.assign(-np.mean(model(windows), axis=0))
    return model


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """A folder that holds a streaming file of it alone, 50 ms a chunk."""
    folder = tmp_path_factory.mktemp("listening")
    model.save(folder / "model.keras")
    labels = folder / "labels.txt"
    labels.write_text("\n".join(LABELS))
    source = open_source(str(folder / "model.keras"), 0.5, [str(labels)])
    content = StreamModel(source, 50.0).tflite()
    (folder / "model_streaming.tflite").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def waveform(run):
    """The evaluation clips, one after the other, and noise that dies away."""
    clips = [read_clip(path)[0] for path in sorted(run.clips.glob("*.flac"))]
    t = np.arange(8000) / SAMPLE_RATE
    noise = np.exp(-8 * t) * np.random.default_rng(2).uniform(-1, 1, t.size)
    return np.concatenate([*clips[:3], noise, *clips[3:]]).astype("float32")


@pytest.fixture(scope="module")
def sound(waveform, tmp_path_factory):
    """The same as a WAV file."""
    path = tmp_path_factory.mktemp("sound") / "all.wav"
    soundfile.write(path, waveform, SAMPLE_RATE, subtype="PCM_16")
    return path


def listen(*argv):
    return command_line.run(dispatch, ["listen", *map(str, argv)], "python -m export")


def events(capsys):
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(line) for line in lines]


def offline(model, waveform):
    """Keras's probabilities after each chunk: (chunks, classes).

    The frontend hears the whole sound at once, with silence behind it, and the
    encoder its last frames, those of silence before the first.
    """
    _, frontend, *encoder = model.layers
    delay = leaf_tf.streaming.Stream(frontend).delay
    n_chunks = -(-(waveform.size + delay * HOP) // CHUNK)
    padded = np.pad(waveform, (0, n_chunks * CHUNK - waveform.size + 4 * CHUNK))
    frames = np.array(frontend(padded[None]))[0]
    silence = np.array(frontend(np.zeros((1, 8000), "float32")))[0, 10]
    frames = np.concatenate([np.tile(silence, (WINDOW_FRAMES, 1)), frames])
    ends = [max((i + 1) * CHUNK // HOP - delay, 0) for i in range(n_chunks)]
    values = np.stack([frames[end : end + WINDOW_FRAMES] for end in ends])
    for layer in encoder:
        values = layer(values)
    return softmax(np.array(values))


def detected(probabilities, smoothing, threshold, refractory):
    """[(chunk, label)], from the first: averages, highest label, waiting time."""
    found, last = [], {}
    for i in range(len(probabilities)):
        recent = probabilities[max(0, i + 1 - smoothing) : i + 1]
        scores = recent.sum(axis=0) / smoothing
        top = int(scores.argmax())
        if scores[top] >= threshold and i - last.get(top, -refractory) >= refractory:
            last[top] = i
            found.append((i + 1, LABELS[top]))
    return found


def test_detections_are_those_of_the_offline_sliding_window(
    model, folder, sound, capsys
):
    options = ("--smoothing", 0.2, "--threshold", 0.45, "--refractory", 0.4)
    assert listen(folder, sound, "--json", "--scores", *options) == 0
    lines = events(capsys)
    probabilities = offline(model, read_clip(sound)[0])
    scores = [line["scores"] for line in lines if line["event"] == "scores"]
    assert len(scores) == len(probabilities)
    averages = [
        probabilities[max(0, i - 3) : i + 1].sum(axis=0) / 4
        for i in range(len(probabilities))
    ]
    np.testing.assert_allclose(
        [[row[label] for label in LABELS] for row in scores], averages, atol=1e-5
    )
    found = [
        (round(line["seconds"] / 0.05), line["label"])
        for line in lines
        if line["event"] == "detection"
    ]
    assert found == detected(probabilities, 4, 0.45, 8)
    assert len(found) >= 3 and len({label for _, label in found}) >= 2
    end = lines[-1]
    assert end["event"] == "end"
    assert end["seconds"] == pytest.approx(len(probabilities) * 0.05)
    assert 0 < end["real_time_factor"] < 0.5


def test_without_smoothing_probabilities_are_kerass(model, folder, sound, capsys):
    assert listen(folder, sound, "--json", "--scores", "--smoothing", 0) == 0
    scores = [e["scores"] for e in events(capsys) if e["event"] == "scores"]
    rows = [[row[label] for label in LABELS] for row in scores]
    np.testing.assert_allclose(rows, offline(model, read_clip(sound)[0]), atol=1e-5)


def test_where_nothing_is_detected_the_best_is_told(folder, sound, capsys):
    argv = (folder, sound, "--smoothing", 1)
    assert listen(*argv, "--json", "--scores", "--threshold", 1) == 0
    *lines, end = events(capsys)
    scores = [
        (s, e["seconds"], label) for e in lines for label, s in e["scores"].items()
    ]
    score, seconds, label = max(scores, key=lambda entry: entry[0])
    best = {"seconds": seconds, "label": label, "score": pytest.approx(score)}
    assert end["heads"] == [{"head": "", "detections": 0, "best": best}]
    assert end["threshold"] == 1

    assert listen(*argv, "--threshold", 1) == 0
    output = capsys.readouterr()
    assert output.out == ""
    nothing, _ = output.err.splitlines()
    lower = float(f"{int(score * 100)}e-2")
    assert nothing.startswith(
        f"nothing reached the threshold 1; the best was {label}, {score:.4f} at "
        f"{seconds:.2f} s; --threshold {lower:g} detects it"
    )
    assert listen(*argv, "--threshold", lower, "--refractory", 0) == 0
    assert f"{seconds:9.2f} s  {label}" in capsys.readouterr().out


def test_what_averaging_hides_is_told(folder, sound, capsys):
    options = ("--smoothing", 60, "--threshold", 0.4)
    assert listen(folder, sound, *options) == 0
    error = capsys.readouterr().err
    assert "and so does --smoothing 0: averaged over 60 s, a probability of" in error
    assert listen(folder, sound, "--smoothing", 0, "--threshold", 0.4) == 0
    output = capsys.readouterr()
    assert output.out and "nothing" not in output.err


def test_where_only_ignored_labels_are_the_highest_that_is_told(folder, sound, capsys):
    ignored = [argument for label in LABELS for argument in ("--ignore", label)]
    assert listen(folder, sound, *ignored) == 0
    assert "only ignored labels were ever the highest" in capsys.readouterr().err


def test_a_lone_file_of_another_name_is_found(folder, sound, tmp_path, capsys):
    options = ("--threshold", 0.4)
    assert listen(folder, sound, *options) == 0
    expected = capsys.readouterr().out
    shutil.copy(folder / "model_streaming.tflite", tmp_path / "birds.tflite")
    assert listen(tmp_path, sound, *options) == 0
    assert capsys.readouterr().out == expected
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join([*LABELS[:3], "up"]))
    assert listen(tmp_path, sound, *options) == 0
    output = capsys.readouterr()
    said = "names label 4 west itself, other than labels.txt beside it; the file is"
    assert output.out == expected and said in output.err
    shutil.copy(folder / "model_streaming.tflite", tmp_path / "bats.tflite")
    assert listen(tmp_path, sound) == 1
    assert "several models, bats.tflite, birds.tflite" in capsys.readouterr().err


def test_a_model_of_whole_windows_is_refused(exported, sound, capsys):
    assert listen(exported / "model.tflite", sound) == 1
    error = capsys.readouterr().err
    assert "is not a streaming model" in error and "export predict" in error


def test_stdin_that_is_closed_is_told(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", None)
    assert listen(folder, "-") == 1
    error = capsys.readouterr().err
    assert error == "python -m export: error: - reads raw samples from a pipe, " + (
        "and stdin is closed\n"
    )


# What listens where TensorFlow is not installed.
PROGRAM = """
import signal, sys
# A shell starts background jobs with SIGINT ignored; a user's is not.
signal.signal(signal.SIGINT, signal.default_int_handler)
for name in ("tensorflow", "keras", "leaf_tf", "jax", "torch"):
    sys.modules[name] = None  # importing it fails
from leaf_files import command_line
from export.__main__ import dispatch
sys.exit(command_line.run(dispatch, ["listen", *sys.argv[1:]], "python -m export"))
"""


def process(*argv, **options):
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", PROGRAM, *map(str, argv)]
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, **options)


def raw(waveform):
    return np.round(waveform * 32768).astype("<i2").tobytes()


def test_a_pipe_says_what_the_file_says_without_tensorflow(folder, sound, capsys):
    assert listen(folder, sound, "--threshold", 0.4) == 0
    expected = capsys.readouterr().out
    assert expected
    piped = process(folder, "-", "--threshold", 0.4, stdin=subprocess.PIPE)
    out, err = piped.communicate(raw(read_clip(sound)[0]))
    assert piped.returncode == 0, err
    assert out.decode() == expected
    assert re.search(rb"real-time factor \d+\.\d", err)


def test_a_detection_is_there_before_the_pipe_ends_and_ctrl_c_ends(folder, sound):
    piped = process(folder, "-", "--threshold", 0.1, stdin=subprocess.PIPE)
    piped.stdin.write(raw(read_clip(sound)[0][:8000]))
    piped.stdin.flush()
    assert piped.stdout.readline().split()[1] == b"s"
    piped.send_signal(signal.SIGINT)
    _, err = piped.communicate(timeout=300)
    assert piped.returncode == 130
    assert b"Traceback" not in err and b"real-time factor" in err


def test_a_reader_that_goes_away_ends_it(folder, sound):
    piped = process(folder, "-", "--scores", stdin=subprocess.PIPE)
    piped.stdout.close()
    waveform = np.tile(read_clip(sound)[0], 20)
    try:
        piped.stdin.write(raw(waveform))
        piped.stdin.close()
    except BrokenPipeError:
        pass
    err = piped.stderr.read()
    assert piped.wait(timeout=300) == 141
    assert err == b""


@pytest.mark.slow
def test_an_hour_takes_no_more_memory_than_a_minute(folder, rng):
    def most_memory(minutes):
        read, write = os.pipe()
        # Nothing to print, which would wait for a reader.
        piped = process(folder, "-", "--json", "--threshold", 1, stdin=read)
        os.close(read)
        minute = raw(0.1 * rng.standard_normal(60 * SAMPLE_RATE).clip(-3, 3))
        with open(write, "wb") as pipe:
            for _ in range(minutes):
                pipe.write(minute)
            pipe.flush()
            with open(f"/proc/{piped.pid}/status") as status:
                lines = dict(line.split(":", 1) for line in status)
        out, err = piped.communicate()
        assert piped.returncode == 0, err
        assert json.loads(out.splitlines()[-1])["seconds"] >= 60 * minutes
        return int(lines["VmHWM"].split()[0])

    assert most_memory(60) < most_memory(1) + 4000  # kB


def test_a_raw_file(folder, sound, tmp_path, capsys):
    assert listen(folder, sound) == 0
    expected = capsys.readouterr().out
    path = tmp_path / "sound.raw"
    path.write_bytes(raw(read_clip(sound)[0]))
    assert listen(folder / "model_streaming.tflite", path, "--raw") == 0
    assert capsys.readouterr().out == expected


@pytest.mark.skipif(sys.platform == "win32", reason="no such pipes")
def test_a_file_in_a_named_pipe(folder, sound, capsys):
    assert listen(folder, sound) == 0
    expected = capsys.readouterr().out
    with subprocess.Popen(["cat", sound], stdout=subprocess.PIPE) as cat:
        assert listen(folder, f"/dev/fd/{cat.stdout.fileno()}") == 0
    assert capsys.readouterr().out == expected


def test_odd_sound_is_heard_and_named(folder, tmp_path, rng, capsys):
    noise = rng.uniform(-0.5, 0.5, 16000)
    path = tmp_path / "opposite.wav"
    soundfile.write(path, np.stack([noise, -noise], 1), 16000)
    assert listen(folder, path) == 0
    said = capsys.readouterr().err
    assert f"warning: {path} holds channels of opposite phase" in said


@pytest.mark.parametrize(
    "argv, message",
    [
        (("missing", "a.wav"), "there is no"),
        ((".", "a.wav"), "holds no model_streaming.tflite"),
        (("{folder}", "missing.wav"), "there is no audio file"),
        (("{folder}", "{folder}/model_streaming.tflite"), "must end in one of"),
        (("{folder}", "{sound}", "--raw"), "holds a WAV file, not raw samples"),
        (("{folder}", "{sound}", "--ignore", "up"), "east, north, south, west"),
    ],
)
def test_mistakes_are_one_line(
    folder, sound, argv, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert listen(*(a.format(folder=folder, sound=sound) for a in argv)) == 1
    output = capsys.readouterr()
    assert output.out == "" and output.err.count("\n") == 1
    assert message in output.err


@pytest.mark.parametrize(
    "option", [("--threshold", "0"), ("--smoothing", "-1"), ("--refractory", "nan")]
)
def test_options_out_of_range_are_refused(option, capsys):
    with pytest.raises(SystemExit) as stop:
        listen("folder", "sound.wav", *option)
    assert stop.value.code == 2
    assert f"received {option[1]}" in capsys.readouterr().err
