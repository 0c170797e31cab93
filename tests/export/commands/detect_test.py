"""`python -m export detect`, from files to tables."""

import csv
import json

import numpy as np
import pytest
import soundfile

from export.__main__ import dispatch
from export.runners.opening import open_artifact
from export.runners.recordings import Settings, find_events
from leaf_files import command_line
from leaf_files.windows import cut_windows
from tests.export.conftest import LABELS, WINDOW_SAMPLES
from tests.export.models import SAMPLE_RATE


def detect(*argv):
    return command_line.run(dispatch, ["detect", *map(str, argv)], "python -m export")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder of two recordings of tones and noise, 3.3 and 1 s."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(1)
    for name, seconds in (("dawn", 3.3), ("dusk", 1.0)):
        t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
        sound = 0.3 * np.sin(2 * np.pi * 500 * t * t)
        sound += 0.1 * rng.standard_normal(t.size)
        soundfile.write(folder / f"{name}.wav", sound, SAMPLE_RATE, subtype="FLOAT")
    return folder


def rows(text):
    return [*csv.DictReader(text.splitlines())]


def test_events_are_where_the_windows_say_it(light_artifacts, recordings, capsys):
    path = recordings / "dawn.wav"
    options = ("--overlap", 0, "--threshold", 0.26, "--release", 1)
    assert not detect(light_artifacts, path, *options, "--format", "csv")
    found = rows(capsys.readouterr().out)
    model = open_artifact(light_artifacts)
    sound, _ = soundfile.read(path, dtype="float32")
    windows = cut_windows(sound, WINDOW_SAMPLES)
    scores = model.runner.probabilities(windows)[""]
    assert len(found) > 0
    for row in found:
        score = scores[:, LABELS.index(row["label"])]
        assert row["file"] == str(path)
        assert float(row["score"]) <= score.max() + 1e-4
        # Some window whose middle is inside has that label as its likeliest.
        middles = (np.arange(len(score)) + 0.5) * WINDOW_SAMPLES / SAMPLE_RATE
        inside = (middles >= float(row["start"])) & (middles <= float(row["end"]))
        assert (scores[inside].argmax(1) == LABELS.index(row["label"])).any()
    # All that reached it is in an event.
    assert {row["label"] for row in found} == {
        LABELS[row.argmax()] for row in scores if row.max() >= 0.26
    }


def test_another_rate_of_the_file_gives_its_own_times(light_artifacts, tmp_path):
    """Half a sample at 44.1 kHz more or less: events end with the file."""
    model = open_artifact(light_artifacts)
    path = tmp_path / "fast.wav"
    soundfile.write(path, np.full(44100 * 2 + 1, 0.1), 44100, subtype="FLOAT")
    found = find_events(model, path, Settings(threshold=0.01, release=0.01))
    assert found.seconds == (44100 * 2 + 1) / 44100
    assert found.sample_rate == 44100
    assert max(event.end for event in found.events) == found.seconds
    assert min(event.start for event in found.events) == 0.0


def test_forms(light_artifacts, recordings, capsys):
    path = recordings / "dusk.wav"
    options = (light_artifacts, path, "--threshold", 0.01, "--format")
    said = {}
    for form in ("text", "csv", "jsonl", "raven", "audacity"):
        assert not detect(*options, form)
        said[form] = capsys.readouterr().out
    events = [json.loads(line) for line in said["jsonl"].splitlines()]
    assert events[0]["file"] == str(path)
    named = [(event["start"], event["end"], event["label"]) for event in events]
    read = rows(said["csv"])
    assert [(float(r["start"]), float(r["end"]), r["label"]) for r in read] == named
    lines = [line.split("\t") for line in said["audacity"].splitlines()]
    assert [(float(a), float(b), label) for a, b, label in lines] == named
    raven = [*csv.DictReader(said["raven"].splitlines(), delimiter="\t")]
    assert [row["Selection"] for row in raven] == [
        str(n + 1) for n in range(len(events))
    ]
    assert float(raven[0]["High Freq (Hz)"]) == SAMPLE_RATE / 2
    assert float(raven[0]["Begin Time (s)"]) == named[0][0]
    assert said["text"].startswith(f"{path} (1 s)\n")


def test_a_folder_goes_on_where_it_was_stopped(
    light_artifacts, recordings, tmp_path, capsys
):
    output = tmp_path / "tables"
    options = ("--output", output, "--format", "csv", "--threshold", 0.01)
    assert not detect(light_artifacts, recordings / "dusk.wav", *options)
    first = (output / "dusk.wav.csv").read_bytes()
    (output / "dusk.wav.csv").write_bytes(first + b"mine\n")
    capsys.readouterr()
    assert not detect(light_artifacts, recordings, *options)
    said = capsys.readouterr()
    assert "1 recording of 2 finished before" in said.err and said.out == ""
    # What was finished isn't made again.
    assert (output / "dusk.wav.csv").read_bytes() == first + b"mine\n"
    assert rows((output / "dawn.wav.csv").read_text())
    # Other settings don't go into the same folder.
    assert detect(light_artifacts, recordings, *options, "--merge", 1) == 1
    assert "made with another merge; name another --output" in capsys.readouterr().err


def test_tables_of_unknown_origin_are_not_taken_for_finished(
    light_artifacts, recordings, tmp_path, capsys
):
    (tmp_path / "dusk.wav.csv").write_text("mine")
    options = ("--output", tmp_path, "--format", "csv")
    assert detect(light_artifacts, recordings / "dusk.wav", *options) == 1
    assert "holds dusk.wav.csv, but no detect.json" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["dusk.wav.csv"]


def test_jobs_change_nothing(light_artifacts, recordings, capsys):
    options = (light_artifacts, recordings, "--threshold", 0.01, "--format", "jsonl")
    assert not detect(*options)
    alone = capsys.readouterr().out
    assert not detect(*options, "--jobs", 2)
    assert capsys.readouterr().out == alone != ""


def test_patterns_and_files_that_cannot_be_read(
    light_artifacts, recordings, tmp_path, capsys
):
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing")
    pattern = str(recordings / "d*.wav")
    places = (tmp_path / "broken.wav", pattern, str(tmp_path / "*.flac"))
    assert detect(light_artifacts, *places) == 1
    said = capsys.readouterr()
    assert said.out.count("dawn.wav (3.3 s)") == said.out.count("dusk.wav (1 s)") == 1
    errors = said.err.splitlines()
    assert sum("broken.wav" in line for line in errors) == 1
    assert sum("no file matches" in line for line in errors) == 1


@pytest.mark.parametrize(
    "options, words",
    [
        (("--overlap", "1"), "from 0 up to, but not, 1"),
        (("--threshold", "0"), "above 0, up to 1"),
        (("--release", "2"), "above 0, up to 1"),
        (("--merge", "-1"), "seconds from 0 on"),
        (("--ignore", "up"), "--ignore must name labels of the model, east, north"),
        (("--format", "raven"), "is of one recording, and there are 2; add --output"),
    ],
)
def test_mistakes(options, words, light_artifacts, recordings, capsys):
    try:
        code = detect(light_artifacts, recordings, *options)
    except SystemExit as exit:
        code = exit.code
    assert code
    said = capsys.readouterr()
    assert words in said.err and "Traceback" not in said.err and said.out == ""


def test_a_streaming_file_is_refused(light_artifacts, recordings, capsys):
    path = light_artifacts / "model_streaming.tflite"
    assert detect(path, recordings / "dusk.wav") == 1
    error = capsys.readouterr().err
    assert "model_streaming.tflite" in error and "Traceback" not in error


def test_two_recordings_of_one_name_are_refused(
    light_artifacts, recordings, tmp_path, capsys
):
    other = tmp_path / "dusk.wav"
    soundfile.write(other, np.zeros(100), SAMPLE_RATE)
    paths = (recordings / "dusk.wav", other)
    assert detect(light_artifacts, *paths, "--output", tmp_path / "tables") == 1
    assert "would both be" in capsys.readouterr().err
