"""Noise for the evaluation of models, whether or not they were trained in noise."""

import dataclasses
import math

import numpy as np

from training.tasks.noise import COLORS, colored_noise


@dataclasses.dataclass(frozen=True)
class Noise:
    """Steady noise at one level, the same for every model.

    Attributes:
        snr_db: Signal-to-noise ratio of each clip, dB, for the clip's mean power from
            its first to its last sample, pauses included.
        color: "pink", whose power falls as 1 / frequency, as that of rooms, streets
            and crowds roughly does; or "white".
        seed: Seed of the noise, an int; clip n of a set gets the same for the same
            seed.

    Raises:
        ValueError: A setting out of range.

    >>> noise = Noise(10)
    >>> print(noise)
    pink noise at 10 dB
    >>> f"{np.mean((noise.add(np.ones(8000)) - 1) ** 2):.3f}"
    '0.100'
    """

    snr_db: float
    color: str = "pink"
    seed: int = 0

    def __post_init__(self):
        if not math.isfinite(self.snr_db):
            raise ValueError(f"`snr_db` must be finite. Received: {self.snr_db}")
        if self.color not in COLORS:
            raise ValueError(
                f"`color` must be one of {', '.join(COLORS)}. Received: {self.color!r}"
            )

    def __str__(self):
        return f"{self.color} noise at {self.snr_db:g} dB"

    def added_to(self, clip_set):
        """A `ClipSet` of the same clips in noise."""
        import tensorflow as tf

        def noisy(index, clip):
            waveform = tf.numpy_function(
                self.add, [clip["waveform"], index], tf.float32
            )
            return {**clip, "waveform": tf.ensure_shape(waveform, [None])}

        def read(sample_rate):
            clips = clip_set.dataset(sample_rate).enumerate()
            return clips.map(
                noisy, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
            )

        return dataclasses.replace(clip_set, read=read, at=None)

    def add(self, waveform, index=0):
        """A waveform in noise; silence stays silent. Sums may exceed [-1, 1].

        Args:
            waveform: (samples,).
            index: Number of the clip; each has noise of its own.

        Returns:
            (samples,), float32.
        """
        # Imported here: Keras comes with it, which settings of noise don't need.
        from leaf_tf.dsp import mixing

        waveform = np.asarray(waveform, np.float64)
        random = np.random.default_rng([self.seed, index])
        noise = colored_noise(random, len(waveform), self.color)
        powers = np.mean(waveform**2), np.mean(noise**2)
        gain = mixing.noise_gain(*powers, self.snr_db, np)
        return (waveform + gain * noise).astype(np.float32)
