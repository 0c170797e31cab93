"""Reads clips of the user's own by their numbers, in a graph and outside."""

import functools
import os

import numpy as np

from leaf_files.clips import read_clip, read_stretch
from training.tasks.own.hearing import WHOLE


def targets_of(clips, labels, multi_label):
    """Class indices, int64 (n_clips,), or float32 (n_clips, n_classes) of 0 and 1.

    >>> from training.tasks.own.folder import FolderTask
    >>> clips = FolderTask(Path("drums")).survey().clips[4:6]
    >>> targets_of(clips, ("kick", "snare"), multi_label=False)
    array([0, 1])
    """
    place = {label: n for n, label in enumerate(labels)}
    if not multi_label:
        return np.array([place[clip.labels[0]] for clip in clips], np.int64)
    hot = np.zeros((len(clips), len(labels)), np.float32)
    for row, clip in zip(hot, clips):
        row[[place[label] for label in clip.labels]] = 1
    return hot


class ClipReading:
    """Reads clips, in a graph and outside: `ClipSet.at` and `ClipSet.waveforms`.

    Args:
        clips: `OwnClip`s.
        targets: Their labels.
        folder: Folder that names of clips are relative to.
        sounds: `Sounds` of them, or None.

    >>> from training.tasks.own.folder import FolderTask
    >>> clips = FolderTask(Path("drums")).survey().clips
    >>> ClipReading(clips, np.zeros(10), Path("drums"), None).read(8000, 0).shape
    (800,)
    """

    def __init__(self, clips, targets, folder, sounds):
        self._clips = clips
        self._targets = targets
        self._folder = folder
        keys = [(clip.path, clip.stretch) for clip in clips]
        if sounds is None or not all(key in sounds.places for key in keys):
            sounds = None
        self._sounds = sounds
        self._places = sounds and np.array([sounds.places[k] for k in keys], np.int64)
        self.weighted = any(clip.entry.weight != 1 for clip in clips)

    def in_memory(self, sample_rate):
        """Whether the waveforms of a rate in Hz are in memory."""
        return self._sounds is not None and self._sounds.sample_rate == sample_rate

    def read(self, sample_rate, index):
        """The waveform of the clip at an index, an int; from any thread."""
        if self.in_memory(sample_rate):
            return self._sounds.waveform(*self._places[index])
        clip = self._clips[index]
        if clip.stretch == WHOLE:
            return read_clip(clip.path, sample_rate)[0]
        first, last = clip.heard.first, clip.heard.last
        return read_stretch(clip.path, first, last, sample_rate)[0]

    def at(self, sample_rate):
        """See `ClipSet.at`."""
        waveform = self._waveform(sample_rate)
        tensors = {"label": self._labels, "clip": self._names}
        if self.weighted:
            tensors["weight"] = self._weights

        def clip(index):
            parts = {key: tensor[index] for key, tensor in tensors.items()}
            return {"waveform": waveform(index), **parts}

        return clip

    def _waveform(self, sample_rate):
        import tensorflow as tf

        from training.tasks import decoding

        if self.in_memory(sample_rate):
            everything, places = self._sounds.tensor(), tf.constant(self._places)

            def kept(index):
                start, samples = places[index, 0], places[index, 1]
                return everything[start : start + samples]

            return kept
        paths, encodings, rates = self._files

        def whole(index):
            return decoding.from_file(
                paths[index], encodings[index], rates[index], sample_rate
            )

        is_stretch = np.array([clip.stretch != WHOLE for clip in self._clips], bool)
        if not is_stretch.any():
            return whole
        firsts = tf.constant([clip.heard.first for clip in self._clips], tf.int64)
        lasts = tf.constant([clip.heard.last for clip in self._clips], tf.int64)
        which = tf.constant(is_stretch)
        return lambda index: tf.cond(
            which[index],
            lambda: decoding.from_stretch(
                paths[index], firsts[index], lasts[index], sample_rate
            ),
            lambda: whole(index),
        )

    # Made once for all that read the clips: of a million, each takes a second.

    @functools.cached_property
    def _files(self):
        """Tensors: paths, encodings, rates."""
        import tensorflow as tf

        clips = self._clips
        return (
            tf.constant([os.fsencode(clip.path) for clip in clips], tf.string),
            tf.constant([clip.heard.encoding for clip in clips], tf.string),
            tf.constant([clip.heard.sample_rate for clip in clips], tf.int64),
        )

    @functools.cached_property
    def _names(self):
        import tensorflow as tf

        names = [os.fsencode(clip.name(self._folder)) for clip in self._clips]
        return tf.constant(names, tf.string)

    @functools.cached_property
    def _labels(self):
        import tensorflow as tf

        return tf.constant(self._targets)

    @functools.cached_property
    def _weights(self):
        import tensorflow as tf

        return tf.constant([clip.entry.weight for clip in self._clips], tf.float32)
