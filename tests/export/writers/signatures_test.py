import concurrent.futures

import keras
import numpy as np
import pytest
import tensorflow as tf

from export.source.opening import open_source
from export.writers.saved_model import write_saved_model
from export.writers.signatures import make_signatures
from leaf_files.atomic import write_text
from tests.export.conftest import LABELS, WINDOW_SAMPLES
from tests.export.models import (
    N_CLASSES,
    SAMPLE_RATE,
    classifier,
    frontend,
    mel,
    softmax,
    two_heads,
)

LENGTHS = [4000, 3999, 1601, 80, 1]


@pytest.fixture(scope="module")
def model(exported):
    """The SavedModel, as plain TensorFlow loads it."""
    return tf.saved_model.load(str(exported / "saved_model" / "1"))


def ask(model, name, **inputs):
    answers = model.signatures[name](**{k: tf.constant(v) for k, v in inputs.items()})
    return {key: value.numpy() for key, value in answers.items()}


def test_the_default_answers_with_probabilities_logits_and_top_labels(
    model, run, windows, expected
):
    answers = ask(model, "serving_default", waveform=windows)
    np.testing.assert_allclose(answers["probabilities"], expected, atol=1e-5)
    np.testing.assert_allclose(answers["logits"], run.model(windows), atol=1e-4)
    order = np.argsort(-expected, axis=-1)
    labels = [[LABELS[i].encode() for i in row] for row in order]
    assert answers["top_labels"].tolist() == labels
    top = np.take_along_axis(expected, order, axis=-1)
    np.testing.assert_allclose(answers["top_probabilities"], top, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 10), (2, 4001), (1, 20000)])
def test_batch_and_length_are_free(model, run, rng, shape):
    waveform = rng.uniform(-1, 1, shape).astype(np.float32)
    answers = ask(model, "serving_default", waveform=waveform)["probabilities"]
    np.testing.assert_allclose(answers, softmax(run.model(waveform).numpy()), atol=1e-5)


def test_signatures_are_named_and_typed(model):
    assert sorted(model.signatures) == [
        "about",
        "embeddings",
        "features",
        "serving_default",
        "serving_padded",
    ]
    serve = model.signatures["serving_default"]
    (waveform,) = serve.structured_input_signature[1].values()
    assert waveform == tf.TensorSpec((None, None), tf.float32, name="waveform")
    kinds = {k: (v.dtype, v.shape[1]) for k, v in serve.structured_outputs.items()}
    assert kinds == {
        "probabilities": (tf.float32, N_CLASSES),
        "logits": (tf.float32, N_CLASSES),
        "top_labels": (tf.string, N_CLASSES),
        "top_probabilities": (tf.float32, N_CLASSES),
    }


def test_features_and_embeddings_are_those_of_the_layers(model, run, windows):
    frontend, *_, pooling, head = run.model.layers[1:]
    features = ask(model, "features", waveform=windows)["features"]
    np.testing.assert_allclose(features, frontend(windows), atol=1e-4)
    embeddings = ask(model, "embeddings", waveform=windows)["embeddings"]
    assert embeddings.shape == (len(windows), pooling.output.shape[-1])
    np.testing.assert_allclose(head(embeddings), run.model(windows), atol=1e-4)


def test_the_model_tells_what_a_caller_must_know(model):
    answers = ask(model, "about", question="")
    told = {name: np.asarray(value).tolist() for name, value in answers.items()}
    assert told == {
        "sample_rate": SAMPLE_RATE,
        "window_samples": WINDOW_SAMPLES,
        "labels": [label.encode() for label in LABELS],
        "activation": b"softmax",
    }


def test_clips_of_different_lengths_get_the_answers_they_get_alone(
    model, keras_file, windows, tmp_path
):
    # The convolution of `classifier` drops masks; what pools alone keeps them.
    waveform = keras.Input((None,))
    pooled = keras.layers.GlobalAveragePooling1D()(frontend()(waveform))
    pooled = keras.Model(waveform, keras.layers.Dense(N_CLASSES)(pooled))
    write_text(tmp_path / "labels.txt", "")
    write_saved_model(open_source(keras_file(pooled)), tmp_path / "pooled", tmp_path)
    lengths = np.array(LENGTHS, "int32")
    for loaded in (model, tf.saved_model.load(tmp_path / "pooled")):
        together = ask(loaded, "serving_padded", waveform=windows, lengths=lengths)
        for row, length in enumerate(LENGTHS):
            clip = windows[row : row + 1, :length]
            alone = ask(loaded, "serving_default", waveform=clip)
            for name in ("probabilities", "logits", "top_probabilities"):
                np.testing.assert_allclose(
                    together[name][row], alone[name][0], atol=1e-5
                )
            assert together["top_labels"][row, 0] == alone["top_labels"][0, 0]


def test_requests_at_once_get_the_answers_they_get_one_by_one(model, rng):
    clips = [rng.uniform(-1, 1, (1 + i % 3, 500 + 777 * i)) for i in range(16)]
    clips = [clip.astype(np.float32) for clip in clips]

    def answer(clip):
        return ask(model, "serving_default", waveform=clip)["logits"]

    one_by_one = [answer(clip) for clip in clips]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        at_once = list(threads.map(answer, clips * 3))
    for expected, answers in zip(one_by_one * 3, at_once):
        np.testing.assert_allclose(answers, expected, atol=1e-5)


@pytest.mark.parametrize(
    "name, inputs, message",
    [
        ("serving_default", {"waveform": np.zeros((1, 0), "f")}, "at least one sample"),
        ("serving_default", {"waveform": np.full((1, 9), np.nan, "f")}, "finite"),
        ("serving_default", {"waveform": np.full((1, 9), 1e30, "f")}, "scaled to"),
        (
            "serving_padded",
            {"waveform": np.zeros((2, 9), "f"), "lengths": np.array([9, 0], "int32")},
            "from 1 to the samples",
        ),
        (
            "serving_padded",
            {"waveform": np.zeros((1, 9), "f"), "lengths": np.array([10], "int32")},
            "from 1 to the samples",
        ),
    ],
)
def test_a_wrong_request_is_an_error_that_says_so(model, name, inputs, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ask(model, name, **inputs)


def test_several_heads_share_the_signatures(keras_file, windows):
    model = two_heads(layer=mel())
    signatures = make_signatures(open_source(keras_file(model)))
    answers = signatures["serving_default"](windows)
    for name, logits in model(windows).items():
        np.testing.assert_allclose(answers[f"{name}_logits"], logits, atol=1e-4)
        best = np.argmax(logits, axis=-1)
        labels = [[f"class_{i}".encode()] for i in best]
        assert answers[f"{name}_top_labels"].numpy()[:, :1].tolist() == labels
    told = signatures["about"]("")
    assert told["winds_labels"].shape == 3


def test_of_probabilities_the_logits_are_told_up_to_a_constant(keras_file, windows):
    # Of one length: signatures of any length say nothing else, and take longer to make.
    logits = classifier((WINDOW_SAMPLES,), layer=mel())
    known = logits(windows).numpy()
    for activation in ("softmax", "sigmoid"):
        outputs = keras.layers.Activation(activation)(logits.output)
        source = open_source(keras_file(keras.Model(logits.input, outputs)))
        signatures = make_signatures(source)
        answers = signatures["serving_default"](windows)["logits"].numpy()
        if activation == "softmax":
            answers = answers - answers[:, :1] + known[:, :1]
        np.testing.assert_allclose(answers, known, atol=1e-3)


def test_a_model_of_a_fixed_length_keeps_it(keras_file):
    signatures = make_signatures(
        open_source(keras_file(classifier((4000, 1), layer=mel())))
    )
    assert "serving_padded" not in signatures
    (spec,) = signatures["serving_default"].input_signature
    assert spec == tf.TensorSpec((None, 4000), tf.float32, name="waveform")
