"""Where the sound of a clip is, and how loud it is."""

from typing import NamedTuple

import numpy as np

FRAME_SECONDS = 0.01
_FADE_SECONDS = 0.005


class Sounding(NamedTuple):
    """The part of a clip that is put into a mixture.

    Attributes:
        first, last: Its samples, the last one excluded.
        rms: Root of its mean square.
        peak: Its largest absolute value.

    >>> Sounding(first=80, last=880, rms=0.1, peak=0.5).samples
    800
    """

    first: int
    last: int
    rms: float
    peak: float

    @property
    def samples(self) -> int:
        """Its length."""
        return self.last - self.first


def find_sounding(waveform, sample_rate, trim_db):
    """The part of a clip without the silence before and after it.

    It is from the first to the last frame of 10 ms whose level, the mean square, is
    within `trim_db` of the loudest frame's.

    Args:
        waveform: (samples,).
        sample_rate: Hz.
        trim_db: Decibels, above 0; infinite to keep all of the clip.

    Returns:
        A `Sounding`; None of digital silence.

    >>> clip = np.concatenate([np.zeros(800), np.full(1600, 0.5), np.full(800, 1e-3)])
    >>> find_sounding(clip, 8000, trim_db=40)
    Sounding(first=800, last=2400, rms=0.5, peak=0.5)
    """
    waveform = np.asarray(waveform, np.float64)
    frame = max(1, round(FRAME_SECONDS * sample_rate))
    starts = np.arange(0, len(waveform), frame)
    powers = np.add.reduceat(waveform**2, starts)
    powers /= np.minimum(frame, len(waveform) - starts)
    if not powers.max():
        return None
    [loud] = np.nonzero(powers >= powers.max() * 10.0 ** (-trim_db / 10))
    first = int(starts[loud[0]])
    last = int(min(len(waveform), starts[loud[-1]] + frame))
    part = waveform[first:last]
    return Sounding(
        first, last, float(np.sqrt(np.mean(part**2))), float(np.abs(part).max())
    )


def faded(waveform, sample_rate):
    """A waveform whose first and last 5 ms fade, so that its ends don't click.

    Args:
        waveform: (samples,).
        sample_rate: Hz.

    Returns:
        (samples,), float64.

    >>> faded(np.ones(100), 1000)[[0, 2, 50, -1]].round(3)
    array([0.024, 0.5  , 1.   , 0.024])
    """
    waveform = np.array(waveform, np.float64)
    n = min(max(1, round(_FADE_SECONDS * sample_rate)), len(waveform) // 2)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n) if n else np.ones(0)
    waveform[:n] *= rise
    waveform[len(waveform) - n :] *= rise[::-1]
    return waveform
