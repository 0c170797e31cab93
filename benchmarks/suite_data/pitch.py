"""Whether a waveform repeats with the period of a note."""

import numpy as np

from leaf_files.clips import resample

_STRETCH = 0.4  # seconds that are compared
_ATTACK = 0.08  # share of a clip that is left out at its start
_FINER = 4  # rates at which periods are compared, to the clip's rate
_TOLERANCE = 0.5  # semitones
_HIGHEST = 108  # note: the last key of a piano
# Normalised autocorrelations, found on the sounds of a General MIDI bank.
_NO_PITCH = 0.5  # below: the sound has no pitch at this note
_AS_GOOD = 0.02  # two periods that differ by less are equally good
_PURE = 0.97
_WORSE = 0.1


def frequency(note: float) -> float:
    """Frequency of a MIDI note, Hz, in equal temperament at 440 Hz.

    >>> frequency(57)
    220.0
    """
    return 440.0 * 2.0 ** ((note - 69) / 12)


def sounding_note(waveform: np.ndarray, sample_rate: int, note: int) -> int | None:
    """The note that sounds where one is expected, up to its octave.

    Keys of an organ with a 16-foot stop sound an octave below their note, harmonics of
    a guitar octaves above it.

    Args:
        waveform: (samples,), at least 0.2 s.
        sample_rate: Its rate, Hz.
        note: MIDI note that is expected.

    Returns:
        The note, an octave below, or octaves above; None if nothing repeats with
        that period, nor clearly with that of an octave below.
    """
    likeness = _Likeness(waveform, sample_rate)
    here = likeness.of(note)
    below = likeness.of(note - 12)
    if below >= _PURE and below - here > _WORSE:
        return note - 12
    if here < _NO_PITCH:
        return None
    while note + 12 <= _HIGHEST:
        above = likeness.of(note + 12)
        if above < here - _AS_GOOD:
            break
        here, note = above, note + 12
    return note


class _Likeness:
    """Normalised autocorrelation at the periods of notes."""

    def __init__(self, waveform, sample_rate):
        rate = _FINER * sample_rate
        first = int(_ATTACK * waveform.size)
        part = waveform[first:][: int(_STRETCH * sample_rate)]
        part = resample(part.astype(np.float32), sample_rate, rate).astype(float)
        part -= part.mean()
        n = part.size
        power = np.abs(np.fft.rfft(part, 2 * n)) ** 2
        products = np.fft.irfft(power)[:n]
        # Energy up to each sample: both parts that are compared get their own.
        energy = np.concatenate([[0.0], np.cumsum(part**2)])
        lags = np.arange(n)
        scale = np.sqrt(energy[n - lags] * (energy[n] - energy[lags]))
        self._values = products / np.maximum(scale, 1e-12)
        self._rate = rate

    def of(self, note):
        """The largest value within half a semitone; -1 for periods too long to tell."""
        shortest, longest = (
            self._rate / frequency(note + offset)
            for offset in (_TOLERANCE, -_TOLERANCE)
        )
        if longest > 0.8 * self._values.size:
            return -1.0
        return self._values[int(shortest) : int(np.ceil(longest)) + 1].max()
