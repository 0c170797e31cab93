"""Sources of windows: clips in memory, or read on demand."""

import numpy as np
import psutil
import tensorflow as tf
from tqdm import tqdm

from leaf_files.errors import UserError, lost_clip
from leaf_files.threads import in_threads
from training.tasks.own.sounds import SHARE, Sounds

_MOMENT = 2.0  # seconds
# Clips that are read to estimate the memory that all of them take.
_PROBED = 64


class ClipMemory:
    """The decoded clips of a set, concatenated in memory.

    Args:
        clip_set: `ClipSet` to keep.
        sample_rate: Rate of the waveforms, Hz.
        doing: Label of the progress bar, which a terminal shows when reading takes
            more than a moment.

    Raises:
        UserError: They don't fit.

    >>> from training.tasks.registry import get_task
    >>> clips = get_task("folder:drums").load().splits["test"]
    >>> ClipMemory(clips, 8000, "reading").labels()
    array([0, 1])
    """

    def __init__(self, clip_set, sample_rate, doing):
        sounds = Sounds.in_free_memory(sample_rate, share=1)
        is_outside = clip_set.waveforms is not None and clip_set.read_labels is not None
        read = _read_outside if is_outside and not clip_set.weighted else _read_in_graph
        places, labels, weights = read(clip_set, sounds, doing)
        self._read_labels = np.asarray(labels)
        with tf.device("CPU"):  # a GPU has better use for its memory
            self._waveforms = sounds.tensor()
            self._places = tf.constant(places, tf.int64)
            self._labels = tf.constant(self._read_labels)
            self._weights = clip_set.weighted and tf.constant(weights, tf.float32)

    def labels(self):
        """The labels, NumPy: int64 (n_clips,), or float32 (n_clips, n_classes) for a
        multi-label task."""
        return self._read_labels

    def clip(self, index):
        """The clip at an index, int64 (): "waveform", "label" and, if it is of a
        `weighted` set, "weight"."""
        start, samples = self._places[index, 0], self._places[index, 1]
        waveform = self._waveforms[start : start + samples]
        clip = {"waveform": waveform, "label": self._labels[index]}
        if self._weights is not False:
            clip["weight"] = self._weights[index]
        return clip


class ClipReader:
    """The clips of a set, read and decoded on each request.

    See `ClipMemory` for arguments and methods; the set's clips can be read by index.

    >>> from training.tasks.registry import get_task
    >>> clips = get_task("folder:drums").load().splits["test"]
    >>> ClipReader(clips, 8000, "reading").labels()
    array([0, 1])
    """

    def __init__(self, clip_set, sample_rate, doing):
        self._clip_set = clip_set
        self._doing = doing
        self._at = clip_set.at(sample_rate)

    def labels(self):
        if self._clip_set.read_labels is not None:
            return self._clip_set.read_labels()
        indices = tf.data.Dataset.range(self._clip_set.n_examples)
        labels = indices.map(
            lambda index: self._at(index)["label"],
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        n_clips = self._clip_set.n_examples
        return np.array(list(_shown(labels.as_numpy_iterator(), n_clips, self._doing)))

    def clip(self, index):
        return self._at(index)


def open_clips(clip_set, sample_rate, doing, cache="auto"):
    """The clips of a set, for access in any order.

    Args:
        clip_set, sample_rate, doing: See `ClipMemory`.
        cache: "memory"; or "none", by which clips are read anew each time, if they can
            be read by index; or "auto", which is "memory" if they fit.

    Returns:
        A `ClipMemory` or a `ClipReader`, which give the same clips; the latter reads
        those that are in memory already from there.

    >>> from training.tasks.registry import get_task
    >>> clips = get_task("folder:drums").load().splits["test"]
    >>> type(open_clips(clips, 8000, "reading", cache="none")).__name__
    'ClipReader'
    """
    if clip_set.at is None or keeps(clip_set, sample_rate, cache):
        return ClipMemory(clip_set, sample_rate, doing)
    return ClipReader(clip_set, sample_rate, doing)


def keeps(clip_set, sample_rate, cache="auto"):
    """Whether to keep the decoded clips of a set in memory; see `open_clips`.

    Those that are there already needn't be kept once more.

    >>> from training.tasks.registry import get_task
    >>> clips = get_task("folder:drums").load().splits["test"]
    >>> keeps(clips, 8000, "none"), keeps(clips, 8000, "memory")
    (False, True)
    """
    if clip_set.in_memory(sample_rate):
        return False
    if cache != "auto":
        return cache == "memory"
    step = max(1, clip_set.n_examples // _PROBED)
    if clip_set.at is None:
        clips = clip_set.dataset(sample_rate).take(_PROBED)
    else:
        indices = tf.data.Dataset.range(0, clip_set.n_examples, step)
        clips = indices.map(clip_set.at(sample_rate), num_parallel_calls=2)
    samples = [len(clip["waveform"]) for clip in clips.as_numpy_iterator()]
    n_bytes = 4 * np.mean(samples) * clip_set.n_examples
    return n_bytes <= SHARE * psutil.virtual_memory().available


def _read_in_graph(clip_set, sounds, doing):
    """Puts the clips of a set into `Sounds`; returns (places, labels, weights)."""
    clips = clip_set.dataset(sounds.sample_rate).prefetch(tf.data.AUTOTUNE)
    places: list = []
    labels, weights = [], []
    for clip in _shown(clips.as_numpy_iterator(), clip_set.n_examples, doing):
        places.append(_put(sounds, len(places), clip["waveform"]))
        labels.append(clip["label"])
        weights.append(clip.get("weight", 1.0))
    return places, labels, weights


def _read_outside(clip_set, sounds, doing):
    """As `_read_in_graph`, in threads, which costs less a clip; without weights."""

    def read(index):
        try:
            waveform = clip_set.waveforms.read(sounds.sample_rate, index)
        except UserError as error:
            raise lost_clip(error) from error
        return _put(sounds, index, waveform)

    n_clips = clip_set.n_examples
    places = _shown(in_threads(read, range(n_clips)), n_clips, doing)
    return [*places], clip_set.read_labels(), None


def _put(sounds, index, waveform):
    place = sounds.put(index, waveform)
    if place is None:
        raise UserError(
            "the decoded clips don't fit into memory; leave out --cache memory: those "
            "of a folder are then read when they are asked for"
        )
    return place


def members(labels, n_classes):
    """The indices of the clips of each class; labels as `ClipMemory.labels` has them.

    >>> members(np.array([1, 0, 1]), n_classes=2)
    [array([1]), array([0, 2])]
    """
    if labels.ndim == 2:
        return [np.flatnonzero(column) for column in labels.T]
    return [np.flatnonzero(labels == label) for label in range(n_classes)]


def _shown(clips, n_clips, doing):
    return tqdm(
        clips,
        desc=doing,
        total=n_clips,
        unit=" clips",
        delay=_MOMENT,
        leave=False,
        disable=None,  # without a terminal
    )
