import numpy as np
import pytest
import tensorflow as tf

from training.tasks.clip_sets import ClipSet, ListedClip
from training.tasks.joining import joined


def clips(first, n_clips, by_index=True, weighted=False, listed=True):
    """Clips of one sample each: the values `first`, `first` + 1, ..., their labels."""

    def clip(index):
        value = index + first
        weight = {"weight": tf.constant(2.0)} if weighted else {}
        return {
            "waveform": tf.fill([1], tf.cast(value, tf.float32)),
            "label": tf.cast(value, tf.int64),
            "clip": tf.strings.as_string(value),
            **weight,
        }

    names = [str(first + n) for n in range(n_clips)]
    known = {
        "clips": [ListedClip(f"s{n}", "dog", n) for n in names] if listed else None,
        "groups": names,
        "weighted": weighted,
    }
    if by_index:
        labels = np.arange(first, first + n_clips)
        return ClipSet.by_index(n_clips, lambda rate: clip, lambda: labels, **known)
    return ClipSet(
        n_clips, lambda rate: tf.data.Dataset.range(n_clips).map(clip), **known
    )


def found(clip_set):
    return [int(c["waveform"][0]) for c in clip_set.dataset(1).as_numpy_iterator()]


@pytest.mark.parametrize("ways", [(True, True), (False, True), (False, False)])
def test_the_clips_of_both_in_order(ways):
    both = joined(clips(10, 3, ways[0]), clips(20, 2, ways[1]))
    assert found(both) == [10, 11, 12, 20, 21]
    assert both.groups == [clip.file for clip in both.clips]
    assert (both.at is not None) == all(ways)
    assert found(both.only([1, 3])) == [11, 20]
    if all(ways):
        assert both.read_labels().tolist() == [10, 11, 12, 20, 21]


def test_clips_without_a_weight_have_one():
    both = joined(clips(0, 2, weighted=True), clips(5, 2))
    weights = [float(c["weight"]) for c in both.dataset(1).as_numpy_iterator()]
    assert both.weighted and weights == [2, 2, 1, 1]
    assert "weight" not in next(iter(joined(clips(0, 1), clips(1, 1)).dataset(1)))


def test_what_one_does_not_know_is_unknown():
    both = joined(clips(0, 2, listed=False), clips(5, 2))
    assert both.clips is None
    other = joined(clips(0, 2, listed=False), clips(6, 2))
    assert len({both.fingerprint, other.fingerprint, None}) == 3
