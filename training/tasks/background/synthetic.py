"""Sounds of none of the classes that are made up: silence, and noise at many levels."""

import dataclasses

import numpy as np

from training.tasks.identity import SOUND_DIGITS, fingerprint
from training.tasks.noise import colored_noise

SILENCE = "silence"
COLORS = ("white", "pink", "brown")
LEVELS_DB = -80.0, -15.0  # root of the mean square, of full scale
_SILENT_OF = 8  # one in so many sounds is silent
_FLAT_BELOW_HZ = 20.0
_SEED = 20180429  # the same sounds for all runs, so that their data is the same


@dataclasses.dataclass(frozen=True)
class SyntheticSound:
    """A made-up sound: sound n is the same whatever the run and however many there are.

    One in eight is digital silence, from number 0 on; the others are white, pink and
    brown noise in turns, at levels drawn evenly from -80 to -15 dB of full scale. Below
    20 Hz the power of pink and brown noise doesn't rise further.

    Attributes:
        number: Number of the sound, from 0.
        seconds: Its length.

    >>> [SyntheticSound(n, 1.0).kind for n in range(4)]
    ['silence', 'white', 'pink', 'brown']
    >>> SyntheticSound(0, 0.5).waveform(8000).shape
    (4000,)
    """

    number: int
    seconds: float

    @property
    def kind(self):
        """ "silence", "white", "pink" or "brown"."""
        turn, place = divmod(self.number, _SILENT_OF)
        if place == 0:
            return SILENCE
        return COLORS[(turn * (_SILENT_OF - 1) + place - 1) % len(COLORS)]

    @property
    def level_db(self):
        """Root of the mean square, dB of full scale; -inf of silence."""
        if self.kind == SILENCE:
            return -np.inf
        return float(self._random().uniform(*LEVELS_DB))

    @property
    def name(self):
        """Name for people.

        >>> SyntheticSound(0, 1.0).name
        'synthetic/0000 silence'
        """
        name = f"synthetic/{self.number:04d} {self.kind}"
        return name if self.kind == SILENCE else f"{name} at {self.level_db:.0f} dB"

    def sound(self, sample_rate):
        """Identity at a rate in Hz, as a `ListedClip` has it: of how it is made."""
        parts = (self.name, f"{self.seconds:g} s", f"{sample_rate} Hz", str(_SEED))
        return fingerprint(parts)[:SOUND_DIGITS]

    def waveform(self, sample_rate):
        """Its samples at a rate in Hz, float32 (samples,)."""
        samples = max(1, round(self.seconds * sample_rate))
        if self.kind == SILENCE:
            return np.zeros(samples, np.float32)
        random = self._random()
        level = random.uniform(*LEVELS_DB)
        noise = colored_noise(
            random, samples, self.kind, max(1.0, _FLAT_BELOW_HZ * self.seconds)
        )
        noise *= 10 ** (level / 20) / np.sqrt(np.mean(noise**2))
        return noise.astype(np.float32)

    def _random(self):
        return np.random.default_rng([_SEED, self.number])


class SyntheticReading:
    """Reads synthetic sounds, in a graph and outside, see `ClipSet`.

    Args:
        sounds: `SyntheticSound`s.
        target: Index of their class, np.int64; or float32 (n_classes,) of zeros.

    >>> reading = SyntheticReading([SyntheticSound(0, 0.1)], np.int64(2))
    >>> reading.read(8000, 0).shape, reading.in_memory(8000)
    ((800,), False)
    """

    def __init__(self, sounds, target):
        self._sounds = sounds
        self._target = target

    def in_memory(self, sample_rate):
        """Whether the waveforms of a rate in Hz are in memory: no."""
        return False

    def read(self, sample_rate, index):
        """The waveform of the sound at an index, an int; from any thread."""
        return self._sounds[index].waveform(sample_rate)

    def at(self, sample_rate):
        """See `ClipSet.at`."""
        import tensorflow as tf

        names = tf.constant([sound.name for sound in self._sounds], tf.string)

        def clip(index):
            waveform = tf.numpy_function(
                lambda n: self.read(sample_rate, int(n)), [index], tf.float32
            )
            return {
                "waveform": tf.ensure_shape(waveform, [None]),
                "label": tf.constant(self._target),
                "clip": names[index],
            }

        return clip
