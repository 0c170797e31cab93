"""Clips in memory, of which windows are cut at any place."""

import numpy as np
import tensorflow as tf
from tqdm import tqdm

_MOMENT = 2.0  # seconds


class ClipMemory:
    """The decoded clips of a set, one after the other.

    Args:
        clip_set: A `ClipSet`.
        sample_rate: Of the waveforms, in Hz.
        doing: What the progress bar says, which a terminal shows when reading takes
            more than a moment.

    Attributes:
        labels: NumPy, int64 (n_clips,), or float32 (n_clips, n_classes) of a
            multi-label task.
    """

    def __init__(self, clip_set, sample_rate, doing):
        waveforms, labels = [], []
        clips = clip_set.dataset(sample_rate).prefetch(tf.data.AUTOTUNE)
        with tqdm(
            clips.as_numpy_iterator(),
            desc=doing,
            total=clip_set.n_examples,
            unit=" clips",
            delay=_MOMENT,
            leave=False,
            disable=None,  # without a terminal
        ) as progress:
            for clip in progress:
                waveforms.append(clip["waveform"])
                labels.append(clip["label"])
        self.labels = np.asarray(labels)
        samples = np.array([len(waveform) for waveform in waveforms], np.int64)
        with tf.device("CPU"):  # a GPU has better use for its memory
            self._waveforms = tf.constant(np.concatenate(waveforms))
            self._samples = tf.constant(samples)
            self._starts = tf.constant(np.cumsum(samples) - samples)
            self._labels = tf.constant(self.labels)

    def clip(self, index):
        """(waveform, label) of a clip; index int64 ()."""
        start = self._starts[index]
        waveform = self._waveforms[start : start + self._samples[index]]
        return waveform, self._labels[index]

    def members(self, n_classes):
        """For each class the indices of the clips that have its label."""
        if self.labels.ndim == 2:
            return [np.flatnonzero(column) for column in self.labels.T]
        return [np.flatnonzero(self.labels == label) for label in range(n_classes)]
