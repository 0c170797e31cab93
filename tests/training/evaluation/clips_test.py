import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training.runs import make_head
from training.evaluation.clips import ClipEvaluator, ClipPredictions
from training.settings.config import FitConfig
from training.tasks.clip_sets import ClipSet

LOGITS = np.array([[2.0, 1, 0], [0, 3, 1], [1, 2, 0], [0, 0, 5], [4, 0, 0]])
CLASSES = np.array([0, 1, 0, 2, 2])


def test_accuracy_and_confusion_by_hand():
    predictions = ClipPredictions(LOGITS, CLASSES)
    np.testing.assert_array_equal(predictions.predicted, [0, 1, 1, 2, 0])
    assert predictions.accuracy == 3 / 5
    np.testing.assert_array_equal(
        predictions.confusion(), [[1, 1, 0], [0, 1, 0], [1, 0, 1]]
    )
    assert predictions.metrics == {
        "accuracy": 0.6,
        "loss": predictions.loss,
        "n_examples": 5,
    }


def test_the_loss_is_kerass():
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    found = ClipPredictions(LOGITS, CLASSES).loss
    assert found == pytest.approx(float(loss(CLASSES, LOGITS)), rel=1e-6)


def test_the_loss_of_large_logits_is_exact():
    assert ClipPredictions(1e4 * np.eye(2), np.array([1, 1])).loss == 5e3


class Means(keras.layers.Layer):
    """Logits of a window: its mean, and twice its first sample."""

    def call(self, waveform):
        return keras.ops.stack(
            [keras.ops.mean(waveform, axis=1), 2 * waveform[:, 0]], axis=1
        )


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_a_clips_windows_are_averaged(batch_size):
    """4 samples a window: 6 samples have windows 0-3 and 2-5, 3 a zero after."""
    clips = [[1.0, 2, 3, 4, 5, 6], [8, 8, 8, 8], [3, 6, 9], [1, 1, 1, 1, 5, 5, 5, 5]]

    def read(sample_rate):
        def generate():
            for label, waveform in enumerate(clips):
                yield {"waveform": waveform, "label": label % 2, "clip": str(label)}

        return tf.data.Dataset.from_generator(
            generate,
            output_signature={
                "waveform": tf.TensorSpec([None], tf.float32),
                "label": tf.TensorSpec([], tf.int64),
                "clip": tf.TensorSpec([], tf.string),
            },
        )

    waveform = keras.Input((None,))
    model = keras.Model(waveform, Means()(waveform))
    config = FitConfig("t", sample_rate=4, window_seconds=1.0, batch_size=batch_size)
    evaluator = ClipEvaluator(ClipSet(4, read), make_head(2), config)
    for _ in range(2):  # the windows are cut once and kept
        found = evaluator.predict(model)
        np.testing.assert_allclose(found.logits, [[3.5, 4], [8, 16], [4.5, 6], [3, 6]])
        np.testing.assert_array_equal(found.classes, [0, 1, 0, 1])
