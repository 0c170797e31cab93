"""Windows as training draws them: at a speed, from a place, in a room, in noise.

A window draws by its number, so that it is the same in any batch, on any host, and
after a run is resumed.
"""

import functools
import math

import tensorflow as tf

from leaf_tf.dsp.mixing import noise_gain
from training.input.rooms import in_room
from training.input.sounds import AugmentationSounds
from training.input.windows import random_window

# Each step draws from a stream of its own, beyond those of tasks, which are counted.
_SPEED, _ROOM, _GAIN, _NOISE = range(2**20, 2**20 + 4)
# Power of a part of noise below which it is silence: of peaks of 1e-6, where the
# loudest of its file is 1.
_SILENCE = 1e-12


class WindowDraw:
    """Draws windows from clips, and augments them in the order in which sound travels.

    The speed of the source and its place in the window, then the room, the gain on the
    way to the microphone, and the noise that is there whatever the gain. White noise
    and mixup follow, in batches: see `training.input.augmentation`.

    Args:
        config: `FitConfig`, of whose augmentation settings each is off by default.
        sounds: `AugmentationSounds` of that config; None where it names none.

    >>> from training.settings.config import FitConfig
    >>> config = FitConfig("drums", sample_rate=8000, window_seconds=0.05, gain=(6, 6))
    >>> window = WindowDraw(config).window(tf.ones([800]), seed=(0, 1))
    >>> window.shape[0], f"{window[0]:.2f}"  # 6 dB louder
    (400, '2.00')
    """

    def __init__(self, config, sounds=None):
        self._config = config
        sounds = sounds or AugmentationSounds()
        self._responses, self._noise = sounds.responses, sounds.noise

    def window(self, waveform, seed):
        """A window of a clip.

        Args:
            waveform: (samples,).
            seed: Two ints, of the window; the same give the same window.

        Returns:
            (window_samples,). Sums may exceed [-1, 1]; silence stays silent.
        """
        config = self._config
        speed = None
        if config.speed:
            speed = _drawn(_stream(seed, _SPEED), *config.speed)
        shift = round((config.time_shift or 0) * config.sample_rate)
        window = random_window(waveform, config.window_samples, seed, shift, speed)
        if self._responses is not None:
            room = functools.partial(_in_random_room, self._responses)
            window = self._some(config.rir_share, window, seed, _ROOM, room)
        if config.gain:
            decibels = _drawn(_stream(seed, _GAIN), *config.gain)
            window *= tf.exp(decibels * (math.log(10) / 20))
        if self._noise is not None:
            noise = functools.partial(_in_noise, self._noise, config.noise_dir_snr)
            window = self._some(config.noise_dir_share, window, seed, _NOISE, noise)
        return window

    def _some(self, share, window, seed, stream, change):
        """Changes a share of the windows by a function of window and seed."""
        whether, how = _two(_stream(seed, stream))
        is_changed = tf.random.stateless_uniform([], whether) < share
        changed = tf.cond(is_changed, lambda: change(window, how), lambda: window)
        return tf.ensure_shape(changed, [self._config.window_samples])


def _in_random_room(responses, window, seed):
    return in_room(window, responses.sound(seed))


def _in_noise(noises, snr_db, window, seed):
    which, level = _two(seed)
    noise = noises.part(which, window.shape[0])
    power = _power(noise)
    gain = noise_gain(_power(window), power, _drawn(level, *snr_db), tf)
    return window + tf.where(power < _SILENCE, 0.0, gain) * noise


def _drawn(seed, low, high):
    """Even in [low, high], float32 ()."""
    return tf.random.stateless_uniform([], seed, low, high) if low < high else low


def _stream(seed, step):
    return tf.random.experimental.stateless_fold_in(seed, step)


def _two(seed):
    return tf.unstack(tf.random.experimental.stateless_split(seed, 2))


def _power(waveform):
    return tf.reduce_mean(tf.square(waveform))
