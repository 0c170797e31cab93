"""Waveforms to try a frontend on, 16 kHz, (samples,), in [-1, 1]."""

import numpy as np

from leaf_files.clips import read_clip
from leaf_files.walk import find_clips

SAMPLE_RATE = 16000
SAMPLES = 16000


def made():
    """{name: waveform} of signals that are made here."""
    random = np.random.default_rng(0)
    times = np.arange(SAMPLES) / SAMPLE_RATE
    white = random.normal(0, 0.25, SAMPLES)
    signals = {
        "white noise": white,
        "white noise, 12345 samples": white[:12345],
        "pink noise": _colored(random, -0.5),
        "brown noise": _colored(random, -1.0),
        "chirp 0 to 8 kHz": 0.5 * np.sin(2 * np.pi * 4000 * times**2),
        "tone 440 Hz": 0.5 * np.sin(2 * np.pi * 440 * times),
        "tone 7000 Hz": 0.5 * np.sin(2 * np.pi * 7000 * times),
        "formants": _formants(times),
        "silence": np.zeros(SAMPLES),
        "impulses": (np.arange(SAMPLES) % 1999 == 500).astype(float),
        "full-scale square": np.sign(np.sin(2 * np.pi * 150 * times)),
        "one sample": np.ones(1),
    }
    return {name: _clipped(waveform) for name, waveform in signals.items()}


def read(folder, most=20):
    """{name: waveform} of clips spread evenly over the audio files below a folder.

    Raises:
        UserError: There are none, or one can't be read.
    """
    paths = audio_paths(folder)
    chosen = paths[:: max(1, len(paths) // most)][:most]
    return {
        str(path.relative_to(folder)): read_clip(path, SAMPLE_RATE)[0]
        for path in chosen
    }


def audio_paths(folder):
    """The audio files below a folder, as `leaf_files.walk` finds them; at least one."""
    return find_clips(folder, "audio files")


def _colored(random, slope):
    """Noise of amplitude f^slope, 0.25 RMS."""
    spectrum = np.fft.rfft(random.normal(size=SAMPLES))
    spectrum[1:] *= np.arange(1, len(spectrum)) ** slope
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, SAMPLES)
    return 0.25 * noise / noise.std()


def _formants(times):
    """A steady vowel: harmonics of 110 Hz under three resonances."""
    waveform = np.zeros(SAMPLES)
    for frequency in np.arange(110, 7900, 110):
        height = sum(
            1 / (1 + ((frequency - formant) / 60) ** 2) for formant in (700, 1200, 2600)
        )
        waveform += height * np.sin(2 * np.pi * frequency * times)
    return 0.5 * waveform / np.abs(waveform).max()


def _clipped(waveform):
    return np.clip(waveform, -1, 1).astype("float32")
