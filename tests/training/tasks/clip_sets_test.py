import numpy as np
import pytest
import tensorflow as tf

from training.tasks.clip_sets import ClipSet

N_CLIPS = 7


def clip(index):
    """Clip n holds n + 1 samples of value n, and has the label 10 n."""
    return {
        "waveform": tf.fill([index + 1], tf.cast(index, tf.float32)),
        "label": 10 * index,
        "clip": tf.strings.as_string(index),
    }


def by_index(read=None):
    """Clips at the rate 1; `read` collects what was read."""

    def at(sample_rate):
        assert sample_rate == 1

        def noted(index):
            if read is not None:
                tf.py_function(lambda i: read.append(int(i)), [index], [])
            return clip(index)

        return noted

    return ClipSet.by_index(N_CLIPS, at, lambda: 10 * np.arange(N_CLIPS))


def one_after_the_other():
    return ClipSet(
        N_CLIPS, lambda sample_rate: tf.data.Dataset.range(N_CLIPS).map(clip)
    )


def found(clips):
    return [
        (clip["label"], clip["waveform"].tolist())
        for clip in clips.dataset(1).as_numpy_iterator()
    ]


def test_clips_by_index_are_read_in_order():
    assert found(by_index()) == [(10 * n, [n] * (n + 1)) for n in range(N_CLIPS)]


@pytest.mark.parametrize("make", [by_index, one_after_the_other])
@pytest.mark.parametrize("indices", [[2, 5], [0], range(0, 7, 3), range(7)])
def test_only_some_clips(make, indices):
    clips = make().only(indices)
    assert clips.n_examples == len(indices)
    assert found(clips) == [(10 * n, [n] * (n + 1)) for n in indices]
    if clips.read_labels is not None:
        assert clips.read_labels().tolist() == [10 * n for n in indices]


def test_clips_that_are_not_wanted_are_not_read():
    read = []
    found(by_index(read).only([1, 4]).only([1]))
    assert read == [4]
