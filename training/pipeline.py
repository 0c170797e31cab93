"""From clips to the batches of training and evaluation."""

import tensorflow as tf

from files.windows import cut_windows
from training import sampling
from training.augmentation import add_noise, mixup
from training.memory import ClipMemory
from training.targets import Targets, balanced_weights, needs_weights


class TrainingData:
    """The training clips of all tasks, and the batches that are drawn of them.

    A batch holds windows of all tasks, not of one: so its gradient is that of the
    mean loss over the tasks, and batch normalisation sees in training the mixture
    that it will use later. Its shapes are always the same.

    The decoded clips are kept in memory.

    Args:
        clip_sets: The training `ClipSet` of each head.
        heads: A tuple of `Head`.
        config: A `FitConfig`.
    """

    def __init__(self, clip_sets, heads, config):
        self._config = config
        self._heads = heads
        self._memories = [
            ClipMemory(clips, config.sample_rate, f"reading {head.task}")
            for clips, head in zip(clip_sets, heads)
        ]
        self._targets = None
        if needs_weights(heads, config):
            self._targets = Targets(heads, self._class_weights())

    def batches(self, start=0):
        """Batches of random windows, without end.

        Each pass over a task's clips visits every clip once, in another order (or
        every class alike), and hears another window of it. Batch n is the same for
        the same config, wherever one starts.

        Args:
            start: Number of the first batch.

        Returns:
            A `tf.data.Dataset` of (waveform, label): float32 (batch_size,
            window_samples) and int64 (batch_size,). Where `needs_weights`, of
            (waveform, targets, weights) instead, as `Targets.decode` has them.
        """
        config = self._config
        position = start * config.batch_size
        windows = self._windows(position)
        batches = windows.batch(config.batch_size, drop_remainder=True)
        if config.noise_snr:
            batches = add_noise(batches, config.noise_snr, config.seed, start)
        if config.mixup:
            width = self._targets.width
            batches = mixup(batches, config.mixup, width, config.seed, start)
        if self._targets is not None:
            batches = batches.map(
                lambda waveform, vectors: (waveform, *self._targets.decode(vectors)),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
        return batches.prefetch(tf.data.AUTOTUNE)

    def _windows(self, position):
        """(window, label or vector of targets) from a position on."""
        if len(self._heads) == 1:
            return self._task_windows(0, position)
        weights = self._config.task_weights or [1.0] * len(self._heads)
        turns = sampling.Turns(weights, self._config.seed)
        tasks = [
            self._task_windows(index, nth).prefetch(tf.data.AUTOTUNE)
            for index, nth in enumerate(turns.before(position))
        ]
        return tf.data.Dataset.choose_from_datasets(
            tasks, _positions(position).map(turns.task), stop_on_empty_dataset=True
        )

    def _task_windows(self, index, nth):
        """Those of one task, from its nth on."""
        config, memory = self._config, self._memories[index]
        order = sampling.every_clip(len(memory.labels), config.seed)
        if config.balanced:
            members = memory.members(len(self._heads[index].labels))
            order = sampling.every_class(members, config.seed)

        def window(position):
            waveform, label = memory.clip(order(position))
            seed = tf.stack([tf.cast(config.seed, tf.int64), position])
            if index:  # another task at the same place draws another window
                seed = tf.random.experimental.stateless_fold_in(seed, index)
            waveform = random_window(waveform, config.window_samples, seed)
            if self._targets is not None:
                label = self._targets.encode(index, label)
            return waveform, label

        return _positions(nth).map(
            window, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )

    def _class_weights(self):
        if self._config.class_weights == "none":
            return None
        return [
            balanced_weights(memory.labels, len(head.labels))
            for memory, head in zip(self._memories, self._heads)
        ]


def evaluation_windows(clip_set, sample_rate, window_samples, batch_size):
    """The windows of whole clips, clip after clip, once.

    Args:
        clip_set: A `ClipSet`.
        sample_rate: Of the waveforms, in Hz.
        window_samples: Length of a window.
        batch_size: Windows in a batch; the last one may be smaller.

    Returns:
        A `tf.data.Dataset` of (waveform, label, clip_index): float32
        (batch, window_samples), the clip's label and int64 (batch,). A clip's
        windows, cut by `files.windows.cut_windows`, share its index, so that
        their logits can be averaged.
    """

    def to_windows(clip_index, clip):
        windows = tf.numpy_function(
            lambda waveform: cut_windows(waveform, window_samples),
            [clip["waveform"]],
            tf.float32,
        )
        windows = tf.ensure_shape(windows, [None, window_samples])
        n_windows = tf.shape(windows)[0]
        return tf.data.Dataset.from_tensor_slices(
            (
                windows,
                tf.repeat(clip["label"][tf.newaxis], n_windows, axis=0),
                tf.repeat(clip_index, n_windows),
            )
        )

    clips = clip_set.dataset(sample_rate).cache().enumerate()
    windows = clips.flat_map(to_windows).batch(batch_size)
    return windows.prefetch(tf.data.AUTOTUNE)


def random_window(waveform, window_samples, seed):
    """A random part of a clip; a shorter clip lies randomly between zeros.

    Args:
        waveform: (samples,).
        window_samples: Length of the window.
        seed: Two ints; the same give the same window.

    Returns:
        (window_samples,).
    """
    spare = tf.shape(waveform)[0] - window_samples
    start = tf.random.stateless_uniform([], seed, 0, tf.abs(spare) + 1, dtype=tf.int32)
    window = tf.cond(
        spare >= 0,
        lambda: waveform[start : start + window_samples],
        lambda: tf.pad(waveform, [[start, -spare - start]]),
    )
    return tf.ensure_shape(window, [window_samples])


def _positions(start):
    return tf.data.Dataset.range(start, tf.int64.max)
