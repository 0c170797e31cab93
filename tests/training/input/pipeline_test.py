import itertools

import numpy as np
import pytest
import tensorflow as tf

from leaf_files.windows import cut_windows
from tests.training.runs import make_head
from training.input.pipeline import TrainingData, evaluation_windows
from training.input.windows import random_window
from training.settings.config import FitConfig
from training.tasks.clip_sets import ClipSet

WINDOW = 8


def clip_set(lengths):
    """Clip n holds 100 n + 1, 100 n + 2, ...; its label is n."""

    def read(sample_rate):
        def clips():
            for n, length in enumerate(lengths):
                yield {
                    "waveform": 100 * n + np.arange(1, length + 1),
                    "label": n,
                    "clip": f"clip{n}",
                }

        return tf.data.Dataset.from_generator(
            clips,
            output_signature={
                "waveform": tf.TensorSpec([None], tf.float32),
                "label": tf.TensorSpec([], tf.int64),
                "clip": tf.TensorSpec([], tf.string),
            },
        )

    return ClipSet(len(lengths), read)


LENGTHS = [3, 8, 20, 1, 9, 30]


def batches(n, seed=0, batch_size=2, lengths=LENGTHS):
    config = FitConfig(
        "t", sample_rate=8, window_seconds=1.0, batch_size=batch_size, seed=seed
    )
    data = TrainingData([clip_set(lengths)], [make_head(len(lengths))], config)
    return [
        (waveform.numpy(), label.numpy())
        for waveform, label in itertools.islice(data.batches(), n)
    ]


def test_each_epoch_hears_every_clip_once_in_another_order():
    labels = np.concatenate([label for _, label in batches(30)])
    epochs = labels.reshape(10, 6)
    np.testing.assert_array_equal(np.sort(epochs), [range(6)] * 10)
    assert len({tuple(epoch) for epoch in epochs}) > 5


def test_a_window_is_an_unbroken_part_of_its_clip():
    for waveform, label in batches(30):
        for window, n in zip(waveform, label):
            sound = np.trim_zeros(window)
            assert len(sound) == min(LENGTHS[n], WINDOW)
            np.testing.assert_array_equal(sound, sound[0] + np.arange(len(sound)))
            assert 100 * n < sound[0] <= sound[-1] <= 100 * n + LENGTHS[n]


def test_windows_fall_everywhere():
    """A clip of 10 has 3 windows of 8; one of 6 has 3 places in 8."""
    starts, places = set(), set()
    for waveform, label in batches(40, lengths=[10, 6]):
        for window, n in zip(waveform, label):
            if n == 0:
                starts.add(window[0])
            else:
                places.add(np.flatnonzero(window)[0])
    assert starts == {1, 2, 3}
    assert places == {0, 1, 2}


def test_the_seed_gives_the_same_batches_again():
    for (first, label), (again, label_again) in zip(batches(9), batches(9)):
        np.testing.assert_array_equal(first, again)
        np.testing.assert_array_equal(label, label_again)
    assert any(
        not np.array_equal(first, other)
        for (first, _), (other, _) in zip(batches(9), batches(9, seed=1))
    )


def test_batches_are_full_even_if_larger_than_an_epoch():
    for waveform, label in batches(3, batch_size=16):
        assert waveform.shape == (16, WINDOW)
        assert waveform.dtype == np.float32
        assert label.dtype == np.int64


def test_whole_clips_are_evaluated_in_windows():
    found = list(evaluation_windows(clip_set(LENGTHS), 16000, WINDOW, 4))
    assert [len(label) for _, label, _, _ in found] == [4, 4, 4]
    waveform, label, clip_index, name = (np.concatenate(part) for part in zip(*found))
    np.testing.assert_array_equal(label, [0, 1, 2, 2, 2, 3, 4, 4, 5, 5, 5, 5])
    np.testing.assert_array_equal(clip_index, label)
    assert name.tolist() == [b"clip%d" % index for index in clip_index]
    for n, length in enumerate(LENGTHS):
        np.testing.assert_array_equal(
            waveform[clip_index == n],
            cut_windows(100 * n + np.arange(1, length + 1), WINDOW),
        )


def test_a_wrong_count_of_clips_is_found():
    wrong = ClipSet(7, clip_set(LENGTHS).read)
    with pytest.raises(tf.errors.FailedPreconditionError):
        list(wrong.dataset(16000))


def test_random_window_of_a_clip_of_its_own_length():
    waveform = tf.range(5.0)
    np.testing.assert_array_equal(random_window(waveform, 5, [0, 0]), waveform)
