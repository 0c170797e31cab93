"""The files in the runtime that Android and iOS apps run: MediaPipe's audio tasks."""

import dataclasses
import shutil

import keras
import numpy as np
import pytest

from export.contract.averaging import clip_probabilities
from export.report.how_to_run import how_to_run
from export.runners.litert import LiteRTRunner
from export.source.opening import open_source
from export.writers.tflite import TFLiteFiles
from leaf_files.clips import read_clip, write_clip
from leaf_files.decisions import Decisions
from tests.cards import run_block
from tests.export.conftest import LABELS, WINDOW_SAMPLES
from tests.export.models import N_CLASSES, SAMPLE_RATE, classifier, two_heads

audio = pytest.importorskip(
    "mediapipe.tasks.python.audio",
    reason="MediaPipe is not installed; it comes with the extra `mediapipe`",
    exc_type=ImportError,
)
from mediapipe.tasks.python.components.containers import AudioData  # noqa: E402
from mediapipe.tasks.python.core.base_options import BaseOptions  # noqa: E402


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """100 WAV files of 0.1 to 1.2 s, tones that glide through noise."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(11)
    paths = []
    for index in range(100):
        t = np.arange(rng.integers(800, 9600)) / SAMPLE_RATE
        low, high = rng.uniform(100, 3900, 2)
        tone = np.sin(2 * np.pi * (low + (high - low) * t / 2) * t)
        waveform = 0.4 * tone + 0.1 * rng.standard_normal(t.size)
        paths.append(folder / f"{index}.wav")
        write_clip(paths[-1], waveform, SAMPLE_RATE)
    return paths


def classify(path, clips, sample_rate=None):
    """MediaPipe's answers: for each clip, for each window, {head: {label: score}}."""
    options = audio.AudioClassifierOptions(BaseOptions(model_asset_path=str(path)))
    with audio.AudioClassifier.create_from_options(options) as model:
        return [
            [
                {
                    head.head_name: {c.category_name: c.score for c in head.categories}
                    for head in window.classifications
                }
                for window in model.classify(
                    AudioData.create_from_array(*read_clip(clip, sample_rate))
                )
            ]
            for clip in clips
        ]


def in_order(scores, labels):
    """(windows, classes)."""
    return np.array([[window[label] for label in labels] for window in scores])


def cut_as_mediapipe_does(clip):
    """One window after another, zeros behind the last."""
    waveform = read_clip(clip)[0]
    n_windows = -(-len(waveform) // WINDOW_SAMPLES)
    padded = np.pad(waveform, (0, n_windows * WINDOW_SAMPLES - len(waveform)))
    return padded.reshape(n_windows, WINDOW_SAMPLES)


@pytest.fixture(scope="module")
def files(clips, tmp_path_factory):
    """The `TFLiteFiles` of a model that gives the clips each of its labels."""
    folder = tmp_path_factory.mktemp("balanced")
    model = classifier()
    windows = np.concatenate([cut_as_mediapipe_does(clip) for clip in clips])
    model.layers[-1].bias.assign(-np.median(model.predict(windows, verbose=0), axis=0))
    model.save(folder / "model.keras")
    (folder / "labels.txt").write_text("\n".join(LABELS), encoding="utf-8")
    return TFLiteFiles(open_source(folder, window_seconds=0.5))


@pytest.fixture(scope="module")
def path(files, tmp_path_factory):
    path = tmp_path_factory.mktemp("float32") / "model.tflite"
    path.write_bytes(files.float32())
    return path


@pytest.fixture(scope="module")
def ours(path, clips):
    runner = LiteRTRunner(path)
    return [runner.probabilities(cut_as_mediapipe_does(clip))[""] for clip in clips]


def top_label(scores):
    return LABELS[clip_probabilities(scores, "softmax").argmax()]


def test_labels_and_scores_are_ours_on_100_clips(path, clips, ours):
    tops = set()
    for windows, expected in zip(classify(path, clips), ours, strict=True):
        scores = in_order([w["probabilities"] for w in windows], LABELS)
        np.testing.assert_allclose(scores, expected, atol=1e-5)
        assert top_label(scores) == top_label(expected)
        tops.add(top_label(scores))
    assert tops == set(LABELS)


def test_the_code_of_a_card_prints_the_label_of_each_window(
    path, clips, ours, tmp_path, monkeypatch, capsys
):
    report = {
        "source": "tones",
        "sample_rate": SAMPLE_RATE,
        "window_samples": WINDOW_SAMPLES,
        "heads": [{"name": "", "labels_file": "labels.txt", "output": "probabilities"}],
    }
    card = "\n".join(how_to_run(report, {"model.tflite": None}))
    monkeypatch.chdir(tmp_path)
    shutil.copy(path, "model.tflite")
    shutil.copy(clips[0], "clip.wav")
    run_block(card, "MediaPipe")
    expected = [LABELS[scores.argmax()] for scores in ours[0]]
    assert capsys.readouterr().out.split() == expected


@pytest.mark.parametrize("kind", ["float16", "dynamic", "int8"])
def test_smaller_files_load_and_answer_alike(
    files, kind, clips, ours, tmp_path, request
):
    if kind != "float16":
        request.getfixturevalue("int8_weights")
    others = np.concatenate([cut_as_mediapipe_does(clip) for clip in clips[20:]])
    arguments = (others,) if kind == "int8" else ()
    (tmp_path / "model.tflite").write_bytes(getattr(files, kind)(*arguments))
    for clip, expected in zip(classify(tmp_path / "model.tflite", clips[:20]), ours):
        scores = in_order([window["probabilities"] for window in clip], LABELS)
        np.testing.assert_allclose(scores, expected, atol=0.08)


def test_clips_of_another_rate_are_resampled_to_the_files_own(path, clips, ours):
    """The rate is in the metadata; taken for 8000 Hz the tones were an octave low."""
    theirs = classify(path, clips[:20], sample_rate=16000)
    alike = [
        in_order([clip[0]["probabilities"]], LABELS)[0].argmax() == own[0].argmax()
        for clip, own in zip(theirs, ours)
    ]
    assert np.mean(alike) >= 0.9


def test_each_head_has_its_labels(keras_file, clips, tmp_path):
    winds = tmp_path / "winds.txt"
    winds.write_text("föhn\nbise\njoran\n", encoding="utf-8")
    points = tmp_path / "points.txt"
    points.write_text("\n".join(LABELS), encoding="utf-8")
    path = keras_file(two_heads())
    labels_files = (f"winds={winds}", f"points={points}")
    source = open_source(path, window_seconds=0.5, labels_files=labels_files)
    path = tmp_path / "heads.tflite"
    path.write_bytes(TFLiteFiles(source).float32())
    windows = cut_as_mediapipe_does(clips[0])
    expected = LiteRTRunner(path).probabilities(windows)
    ((first, *_),) = classify(path, clips[:1])
    assert set(first["winds_probabilities"]) == {"föhn", "bise", "joran"}
    for head in source.heads:
        scores = in_order([first[head.output]], head.labels)[0]
        np.testing.assert_allclose(scores, expected[head.name][0], atol=1e-5)


def test_several_labels_a_clip(keras_file, clips, tmp_path):
    head = keras.layers.Dense(N_CLASSES, activation="sigmoid")
    source = open_source(keras_file(classifier(head=head)), window_seconds=0.5)
    path = tmp_path / "sigmoid.tflite"
    path.write_bytes(TFLiteFiles(source).float32())
    ((first, *_),) = classify(path, clips[:1])
    names = [f"class_{index}" for index in range(N_CLASSES)]
    expected = LiteRTRunner(path).probabilities(cut_as_mediapipe_does(clips[0]))[""][0]
    scores = in_order([first["probabilities"]], names)[0]
    np.testing.assert_allclose(scores, expected, atol=1e-5)


DECISIONS = {
    "softmax": Decisions(none_below=0.4),
    "softmax, each its own": Decisions(
        thresholds={"class_1": 0.7}, none_below=0.5, background=("class_2",)
    ),
    "sigmoid": Decisions(2.0, {"class_1": 0.55}, 0.5, ("class_2",)),
}


def spread(head, embedder, clips):
    """Has the last layer give each label to some windows, surely and less surely."""
    windows = np.concatenate([cut_as_mediapipe_does(clip) for clip in clips])
    logits = embedder.predict(windows, verbose=0) @ head.kernel.numpy()
    factor = 2.0 / logits.std(axis=0)
    head.kernel.assign(head.kernel.numpy() * factor)
    head.bias.assign(-np.median(logits, axis=0) * factor)


@pytest.mark.parametrize("name", DECISIONS)
def test_it_decides_as_predict_does(keras_file, clips, tmp_path, name):
    activation = name.split(",")[0]
    head = keras.layers.Dense(N_CLASSES, activation=activation)
    model = classifier(head=head)
    spread(head, keras.Model(model.input, head.input), clips)
    source = open_source(keras_file(model), window_seconds=0.5)
    decisions = DECISIONS[name]
    heads = (dataclasses.replace(source.heads[0], decisions=decisions),)
    source = dataclasses.replace(source, heads=heads)
    path = tmp_path / "decided.tflite"
    path.write_bytes(TFLiteFiles(source).float32())
    runner, labels = LiteRTRunner(path), heads[0].labels
    numbers = set()
    for clip, windows in zip(clips[:30], classify(path, clips[:30])):
        answers = runner.probabilities(cut_as_mediapipe_does(clip))[""]
        for window, answer in zip(windows, answers, strict=True):
            left = window["probabilities"]
            decided = decisions.decided(answer, labels, activation)
            best = tuple(sorted(left, key=left.get, reverse=True))
            assert (best if activation == "sigmoid" else best[:1]) == decided
            numbers.add(len(decided))
            expected = decisions.calibrated(answer, activation)
            for label, score in left.items():
                assert score == pytest.approx(expected[labels.index(label)], abs=1e-5)
    assert 0 in numbers and len(numbers) > 1
