"""Speech-like sound from a source and a filter, in NumPy.

A word is a list of phones; phones are targets of a vocal tract: formants,
voicing, breath, friction. Tracks glide between the targets (coarticulation).
A glottal pulse train and white noise, cut into overlapping frames, are filtered
by the tracks in the frequency domain and overlap-added; then the reverberation
of a room and background noise are added.
"""

import dataclasses

import numpy as np

SAMPLE_RATE = 16000  # Hz
CLIP_SAMPLES = 16000

_HOP = 128  # samples between frames, 8 ms
_FRAME = 2 * _HOP
_FFT = 512
_N_FRAMES = CLIP_SAMPLES // _HOP + 1
_FREQUENCIES = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
_HIGHER_FORMANTS = (4500.0, 5500.0, 6500.0)  # Hz, the same in each phone
_FORMANT_BANDWIDTHS = (60.0, 90.0, 140.0, 200.0, 300.0, 400.0, 500.0)  # Hz


@dataclasses.dataclass(frozen=True)
class _Phone:
    """Targets of the vocal tract while one phone is spoken.

    Attributes:
        seconds: Duration at tempo 1.
        formants: First four resonances, in Hz, of an average adult.
        voicing, breath, friction: Amplitudes of the glottal pulses, of noise
            through the formants, of noise through the friction band.
        friction_band: (center, width) in Hz.
        open_mouth: False while the lips or the tongue close the tract: only
            the low voice bar is heard.
    """

    seconds: float
    formants: tuple[float, float, float, float]
    voicing: float = 0.0
    breath: float = 0.0
    friction: float = 0.0
    friction_band: tuple[float, float] = (4000.0, 2000.0)
    open_mouth: bool = True


def _vowel(*formants):
    return (_Phone(0.16, formants, voicing=1.0),)


def _voiced_stop(formants, burst_band):
    return (
        _Phone(0.055, formants, voicing=0.25, open_mouth=False),
        _Phone(0.02, formants, voicing=0.4, friction=0.3,
              friction_band=burst_band),
    )  # fmt: skip


def _unvoiced_stop(formants, burst_band):
    return (
        _Phone(0.06, formants),
        _Phone(0.016, formants, friction=0.4, friction_band=burst_band),
        _Phone(0.035, formants, breath=0.5),
    )


def _fricative(formants, band):
    return (_Phone(0.12, formants, friction=0.3, friction_band=band),)


def _nasal(formants):
    return (_Phone(0.08, formants, voicing=0.4),)


PHONES = {
    "a": _vowel(760, 1250, 2500, 3500),
    "i": _vowel(300, 2250, 3000, 3700),
    "o": _vowel(480, 880, 2450, 3400),
    "u": _vowel(330, 800, 2300, 3350),
    "b": _voiced_stop((250, 850, 2250, 3400), (900, 900)),
    "d": _voiced_stop((250, 1750, 2750, 3500), (4300, 1500)),
    "g": _voiced_stop((250, 1650, 1950, 3300), (1800, 500)),
    "k": _unvoiced_stop((300, 1700, 2150, 3400), (2000, 600)),
    "s": _fricative((320, 1600, 2600, 3600), (6500, 1200)),
    "sh": _fricative((320, 1850, 2500, 3500), (4600, 1300)),
    "m": _nasal((270, 1000, 2200, 3300)),
    "n": _nasal((270, 1650, 2600, 3400)),
}


@dataclasses.dataclass(frozen=True)
class Speaker:
    """Properties of a speaker's voice, the same in all utterances.

    Attributes:
        pitch: Mean fundamental frequency, in Hz.
        tract: Factor on all resonances; above 1, a shorter vocal tract.
        tempo: Factor on all durations.
        breathiness: Breath noise relative to the voice.
        tilt: Slope of the voice's spectrum above 500 Hz, in dB per octave.
        accent: Factor on each formant of each phone.

    >>> accent = {name: np.ones(4) for name in PHONES}
    >>> child = Speaker(250.0, 1.2, 1.0, 0.05, -12.0, accent)
    >>> say(("n", "a", "i"), child, np.random.default_rng(0)).shape
    (16000,)
    """

    pitch: float
    tract: float
    tempo: float
    breathiness: float
    tilt: float
    accent: dict[str, np.ndarray]


def draw_speaker(random):
    """A speaker, from a `numpy.random.Generator`.

    >>> 0.86 <= draw_speaker(np.random.default_rng(0)).tract <= 1.22
    True
    """
    tract = random.uniform(0.86, 1.22)
    return Speaker(
        # A shorter tract mostly comes with a higher voice.
        pitch=115.0 * (tract / 0.95) ** 3 * 2 ** random.normal(0, 0.25),
        tract=tract,
        tempo=random.uniform(0.8, 1.25),
        breathiness=random.uniform(0.01, 0.12),
        tilt=random.uniform(-15.0, -9.0),
        accent={name: random.normal(1.0, 0.03, 4) for name in PHONES},
    )


def say(word, speaker, random):
    """Speaks a word once, somewhere within a clip.

    Args:
        word: Names from `PHONES`.
        speaker: A `Speaker`.
        random: A `numpy.random.Generator`: no two utterances are equal.

    Returns:
        (CLIP_SAMPLES,) float64, of arbitrary level.

    >>> random = np.random.default_rng(0)
    >>> say(("n", "a", "i"), draw_speaker(random), random).shape
    (16000,)
    """
    tracks = _tracks(word, speaker, random)
    pulses = _spectra(_glottal_pulses(speaker, tracks["voiced_part"], random))
    noise = _spectra(random.standard_normal(CLIP_SAMPLES))
    resonances = _resonances(tracks["formants"], speaker.tract)
    voice = tracks["voicing"] * (pulses * _slope(speaker.tilt))
    breath = (tracks["breath"] + 0.3 * speaker.breathiness * tracks["voicing"]) * noise
    shaped = (voice * _closure(tracks["open_mouth"]) + breath) * resonances
    friction = tracks["friction"] * _friction(tracks["friction_band"]) * noise
    return _overlap_add(shaped + friction)


def place(clean, random):
    """Puts an utterance in a room, with background noise, at any level.

    Args:
        clean: (CLIP_SAMPLES,).
        random: A `numpy.random.Generator`.

    Returns:
        (CLIP_SAMPLES,) float64 in [-1, 1]. The signal-to-noise ratio is
        uniform in 0 ... 20 dB, the peak in -26 ... -1 dB of full scale.

    >>> random = np.random.default_rng(0)
    >>> clip = place(say(("n", "a", "i"), draw_speaker(random), random), random)
    >>> 0.05 <= np.abs(clip).max().item() <= 0.9
    True
    """
    reverberant = _reverberate(clean, random)
    draw_noise = _pink_noise if random.random() < 0.5 else _babble
    noise = draw_noise(random)
    snr = random.uniform(0.0, 20.0)
    noise *= np.sqrt(np.mean(reverberant**2) / np.mean(noise**2) / 10 ** (snr / 10))
    clip = reverberant + noise
    peak = 10 ** (random.uniform(-26.0, -1.0) / 20)
    return clip * (peak / np.abs(clip).max())


def _tracks(word, speaker, random):
    """Targets of the word's phones, gliding, one value a frame."""
    phones = [(name, phone) for name in word for phone in PHONES[name]]
    tempo = speaker.tempo * random.uniform(0.9, 1.1)
    seconds = np.array([phone.seconds for _, phone in phones]) * tempo
    seconds *= random.uniform(0.85, 1.15, len(phones))
    spare = CLIP_SAMPLES / SAMPLE_RATE - seconds.sum()
    onset = random.uniform(0.05, spare - 0.05)
    ends = onset + np.cumsum(seconds)
    time = np.arange(_N_FRAMES) * _HOP / SAMPLE_RATE
    index = np.minimum(np.searchsorted(ends, time), len(phones) - 1)
    spoken = (time >= onset) & (time < ends[-1])

    def track(values, glide_seconds, silent_outside=False):
        values = np.asarray(values, float).reshape(len(phones), -1)[index]
        if silent_outside:
            values = values * spoken[:, np.newaxis]
        return _glide(values, glide_seconds)

    formants = [
        np.array(phone.formants)
        * speaker.tract
        * speaker.accent[name]
        * random.normal(1.0, 0.015, 4)
        for name, phone in phones
    ]
    bands = [phone.friction_band for _, phone in phones]
    # A phone without friction takes the band of its neighbours.
    levels = [[phone.friction + 1e-6] for _, phone in phones]
    stress = random.uniform(0.7, 1.0, len(phones))

    def amplitude(name, glide_seconds):
        values = [getattr(phone, name) for _, phone in phones]
        return track(values * stress, glide_seconds, silent_outside=True)

    return {
        "formants": track(formants, 0.07),
        "voicing": amplitude("voicing", 0.03),
        "breath": amplitude("breath", 0.024),
        "friction": amplitude("friction", 0.016),
        "friction_band": speaker.tract
        * track(np.multiply(bands, levels), 0.016)
        / track(levels, 0.016),
        "open_mouth": track([p.open_mouth for _, p in phones], 0.016),
        "voiced_part": (time - onset) / (ends[-1] - onset),
    }


def _glide(values, seconds):
    """Smooths (frames, n) by a Hann window, as a tract that can't jump."""
    half = max(1, round(seconds * SAMPLE_RATE / _HOP / 2))
    window = np.hanning(2 * half + 3)[1:-1]
    padded = np.pad(values, ((half, half), (0, 0)), mode="edge")
    view = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, 0)
    return view @ (window / window.sum())


def _glottal_pulses(speaker, part, random):
    """Unit pulses whose rate follows a falling, accented, jittered pitch."""
    accent = random.uniform(0.1, 0.9)
    contour = (
        random.uniform(-0.35, 0.1) * part
        + random.uniform(0.0, 0.35) * np.exp(-(((part - accent) / 0.25) ** 2))
        + random.normal(0, 0.08)
    )  # octaves
    pitch = speaker.pitch * 2.0**contour
    frame_time = np.arange(_N_FRAMES) * _HOP
    pitch = np.interp(np.arange(CLIP_SAMPLES), frame_time, pitch)
    cycles = np.cumsum(pitch / SAMPLE_RATE)
    n_pulses = int(cycles[-1])
    instants = np.interp(np.arange(1, n_pulses), cycles, np.arange(CLIP_SAMPLES))
    instants += random.normal(0, 0.008, n_pulses - 1) * SAMPLE_RATE / pitch[0]
    strength = random.normal(1.0, 0.06, n_pulses - 1) * np.sqrt(SAMPLE_RATE / pitch[0])
    # Each pulse is a windowed sinc, so that it may lie between two samples.
    taps = np.arange(-7, 9)
    whole = np.floor(instants).astype(int)
    distance = taps - (instants - whole)[:, np.newaxis]
    shapes = np.sinc(distance) * np.cos(np.pi * distance / 18) ** 2
    pulses = np.zeros(CLIP_SAMPLES + 64)
    np.add.at(
        pulses,
        whole[:, np.newaxis] + taps + 16,
        strength[:, np.newaxis] * shapes,
    )
    return pulses[16 : 16 + CLIP_SAMPLES]


def _window():
    """Periodic Hann: at half a frame's hop, the windows add up to 1."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)


def _spectra(waveform):
    """(CLIP_SAMPLES,) to (frames, bins); frame i is centred on i * hop."""
    padded = np.pad(waveform, (_HOP, _FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)
    return np.fft.rfft(frames[::_HOP][:_N_FRAMES] * _window(), _FFT)


def _overlap_add(spectra):
    """(frames, bins) to (CLIP_SAMPLES,), with the filters' tails."""
    frames = np.fft.irfft(spectra, _FFT)
    parts = frames.reshape(_N_FRAMES, _FFT // _HOP, _HOP)
    blocks = np.zeros((_N_FRAMES + _FFT // _HOP, _HOP))
    for part in range(_FFT // _HOP):
        blocks[part : part + _N_FRAMES] += parts[:, part]
    return blocks.ravel()[_HOP : _HOP + CLIP_SAMPLES]


def _resonances(formants, tract):
    """(frames, 4) in Hz to the tract's response, (frames, bins), complex."""
    higher = np.full((len(formants), 1), tract) * _HIGHER_FORMANTS
    formants = np.concatenate([formants, higher], axis=1)[..., np.newaxis]
    denominator = 1.0
    for n, bandwidth in enumerate(_FORMANT_BANDWIDTHS):
        ratio = _FREQUENCIES / formants[:, n]
        loss = bandwidth / formants[:, n]
        denominator = denominator * (1 - ratio**2 + 1j * ratio * loss)
    return 1 / denominator


def _slope(decibels_per_octave):
    octaves = np.log2(np.maximum(_FREQUENCIES, 500.0) / 500.0)
    # Radiation from the lips takes away 6 dB per octave of the fall.
    return 10 ** ((decibels_per_octave + 6.0) * octaves / 20)


def _closure(open_mouth):
    """A closed tract lets only the voice bar through, below 300 Hz."""
    through_walls = 1 / (1 + (_FREQUENCIES / 250.0) ** 4)
    return open_mouth + (1 - open_mouth) * through_walls


def _friction(band):
    center, width = band[:, :1], band[:, 1:]
    return np.exp(-0.5 * ((_FREQUENCIES - center) / width) ** 2)


def _reverberate(clean, random):
    """A direct path and an exponentially decaying diffuse tail."""
    decay_seconds = random.uniform(0.1, 0.4)  # to -60 dB
    samples = int(decay_seconds * SAMPLE_RATE)
    time = np.arange(samples) / SAMPLE_RATE
    tail = random.standard_normal(samples) * 10 ** (-3 * time / decay_seconds)
    direct_to_reverberant = random.uniform(3.0, 18.0)  # dB
    tail *= 10 ** (-direct_to_reverberant / 20) / np.linalg.norm(tail)
    tail[0] = 1.0
    size = 2 * CLIP_SAMPLES
    spectrum = np.fft.rfft(clean, size) * np.fft.rfft(tail, size)
    return np.fft.irfft(spectrum, size)[:CLIP_SAMPLES]


def _coloured_noise(gain, random):
    """Noise of a given amplitude spectrum, (CLIP_SAMPLES // 2 + 1,)."""
    spectrum = np.fft.rfft(random.standard_normal(CLIP_SAMPLES))
    return np.fft.irfft(spectrum * gain, CLIP_SAMPLES)


def _pink_noise(random):
    frequencies = np.fft.rfftfreq(CLIP_SAMPLES, 1 / SAMPLE_RATE)
    return _coloured_noise(1 / np.sqrt(np.maximum(frequencies, 30.0)), random)


def _babble(random):
    """Many voices at once: three bands of noise, modulated as syllables are."""
    frequencies = np.fft.rfftfreq(CLIP_SAMPLES, 1 / SAMPLE_RATE)
    time = np.arange(CLIP_SAMPLES) / SAMPLE_RATE
    babble = np.zeros(CLIP_SAMPLES)
    for center, level in ((450.0, 1.0), (1500.0, 0.45), (3500.0, 0.2)):
        center *= random.uniform(0.8, 1.25)
        gain = level * np.exp(
            -0.5 * (np.log2(np.maximum(frequencies, 1) / center) / 0.6) ** 2
        )
        syllables = np.interp(time, np.arange(0, 1.2, 0.1), random.gamma(2.0, 1.0, 12))
        babble += _coloured_noise(gain, random) * syllables
    return babble
