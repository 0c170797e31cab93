"""From clips to the batches of training and evaluation."""

import tensorflow as tf

from files.windows import cut_windows


def training_batches(clip_set, sample_rate, window_samples, batch_size, seed):
    """Batches of random windows, without end.

    Each epoch visits every clip once, in another order, and hears another
    window of it. The same seed gives the same batches. The decoded clips are
    kept in memory.

    Args:
        clip_set: A `ClipSet`.
        sample_rate: Of the waveforms, in Hz.
        window_samples: Length of a window.
        batch_size: Clips in a batch.
        seed: An int.

    Returns:
        A `tf.data.Dataset` of (waveform, label): float32
        (batch_size, window_samples) and int64 (batch_size,).
    """
    clips = clip_set.dataset(sample_rate).map(
        lambda clip: (clip["waveform"], clip["label"])
    )
    clips = clips.cache().shuffle(clip_set.n_examples, seed=seed).repeat()

    def to_window(position, clip):
        waveform, label = clip
        window = random_window(waveform, window_samples, [seed, position])
        return window, label

    windows = clips.enumerate().map(
        to_window, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    batches = windows.batch(batch_size, drop_remainder=True)
    return batches.prefetch(tf.data.AUTOTUNE)


def evaluation_windows(clip_set, sample_rate, window_samples, batch_size):
    """The windows of whole clips, clip after clip, once.

    Args:
        clip_set: A `ClipSet`.
        sample_rate: Of the waveforms, in Hz.
        window_samples: Length of a window.
        batch_size: Windows in a batch; the last one may be smaller.

    Returns:
        A `tf.data.Dataset` of (waveform, label, clip_index): float32
        (batch, window_samples), int64 (batch,) and int64 (batch,). A clip's
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
        n_windows = tf.shape(windows)[:1]
        return tf.data.Dataset.from_tensor_slices(
            (
                windows,
                tf.fill(n_windows, clip["label"]),
                tf.fill(n_windows, clip_index),
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
