"""Augmentation in the input pipeline: white noise and mixup.

The layers of `leaf_tf.augment` as steps of a `tf.data.Dataset`, on the CPU beside the
training step and in TensorFlow alone, so that they run before a model of any Keras
backend; each batch draws by its number, so that a resumed run draws the same.
"""

import tensorflow as tf

from leaf_tf.augment import N_SHARES, require_alpha, require_snr, share_table
from leaf_tf.dsp.mixing import mixture, noise_gain

# Each step draws from a stream of its own.
_NOISE, _MIXUP = 1, 2


def add_noise(dataset, snr_db, seed, start=0):
    """Adds white noise to the waveforms, at a level drawn for each.

    The SNR, measured on the waveform and its noise, is drawn uniformly in dB.
    Silence stays silent. Batch n gets the same noise for the same seed.

    Args:
        dataset: A `tf.data.Dataset` of (waveform, ...), as
            `training.input.pipeline.TrainingData` yields: (batch, samples), float32.
        snr_db: (low, high), lowest and highest signal-to-noise ratio, in dB.
        seed: Seed of levels and noise, an int.
        start: Number of the dataset's first batch.

    Returns:
        A `tf.data.Dataset` of the same elements.

    Raises:
        ValueError: `snr_db` isn't such a pair.

    >>> batches = tf.data.Dataset.from_tensors((tf.ones([4, 8000]), tf.range(4)))
    >>> [(waveform, label)] = add_noise(batches, (20, 20), seed=0)
    >>> f"{tf.reduce_mean((waveform - 1) ** 2):.3f}"  # 20 dB below
    '0.010'
    """
    require_snr(snr_db)
    low, high = (float(value) for value in snr_db)

    def noisy(position, batch):
        waveform, *others = batch
        level_seed, noise_seed = _seeds(seed, position, _NOISE)
        level = tf.random.stateless_uniform([tf.shape(waveform)[0], 1], level_seed)
        decibels = low + (high - low) * level
        noise = tf.random.stateless_normal(tf.shape(waveform), noise_seed)
        gain = noise_gain(_power(waveform), _power(noise), decibels, tf)
        return waveform + gain * noise, *others

    return _mapped(dataset, noisy, start)


def mixup(dataset, alpha, n_classes, seed, start=0):
    """Mixes each waveform of a batch with another one, and their labels alike.

    Partners are the batch in a random order, shares are drawn from
    Beta(alpha, alpha), one a clip. Batch n gets the same mixtures for the same
    seed. The labels are for `keras.losses.CategoricalCrossentropy`.

    Args:
        dataset: A `tf.data.Dataset` of (waveform, label), as
            `training.input.pipeline.TrainingData` yields: (batch, samples), float32,
            and class indices (batch,), or shares of classes (batch, n_classes).
        alpha: Shape of the shares' distribution, in (0, 100]: near 0 clips are hardly
            mixed, 1 draws shares uniformly.
        n_classes: Number of classes.
        seed: Seed of partners and shares, an int.
        start: Number of the dataset's first batch.

    Returns:
        A `tf.data.Dataset` of (waveform, shares): float32 (batch, samples) and
        float32 (batch, n_classes); the shares of clips of one class sum to 1.

    Raises:
        ValueError: `alpha` is out of range, or labels are of another shape.

    Source: arXiv:1710.09412, Sec. 2.

    >>> batches = tf.data.Dataset.from_tensors((tf.constant([[0.0], [1.0]]), [0, 1]))
    >>> [(waveform, shares)] = mixup(batches, alpha=0.5, n_classes=2, seed=0)
    >>> bool(tf.reduce_all(waveform[:, 0] == shares[:, 1]))
    True
    """
    require_alpha(alpha)
    table = share_table(alpha).astype("float32")

    def mix(position, batch):
        waveform, label = batch
        if label.shape.rank == 1:
            label = tf.one_hot(label, n_classes)
        elif label.shape.rank != 2 or label.shape[1] != n_classes:
            raise ValueError(
                f"labels must be class indices (batch,) or shares (batch, "
                f"{n_classes}). Received: shape {label.shape}"
            )
        order_seed, share_seed = _seeds(seed, position, _MIXUP)
        size = tf.shape(waveform)[:1]
        partners = tf.argsort(tf.random.stateless_uniform(size, order_seed))
        places = N_SHARES * tf.random.stateless_uniform(size, share_seed)
        shares = tf.gather(table, tf.cast(places, tf.int32))[:, None]

        def mixed(values):
            return mixture(values, tf.gather(values, partners), shares)

        return mixed(waveform), mixed(tf.cast(label, tf.float32))

    return _mapped(dataset, mix, start)


def _power(waveform):
    return tf.reduce_mean(tf.square(waveform), axis=1, keepdims=True)


def _seeds(seed, position, step):
    """Two seeds for the batch at a position, for this step only."""
    batch_seed = tf.stack([tf.cast(seed, tf.int64), position])
    step_seed = tf.random.experimental.stateless_fold_in(batch_seed, step)
    return tf.unstack(tf.random.experimental.stateless_split(step_seed, 2))


def _mapped(dataset, function, start):
    changed = dataset.enumerate(start).map(
        function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    return changed.prefetch(tf.data.AUTOTUNE)
