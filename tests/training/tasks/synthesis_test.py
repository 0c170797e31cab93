"""The synthesiser is held to the physics of speech."""

import dataclasses

import numpy as np
import pytest

from training.tasks import synthesis

VOICE = dataclasses.replace(
    synthesis.draw_speaker(np.random.default_rng(0)),
    pitch=120.0,
    tract=1.0,
    tempo=1.0,
    accent={name: np.ones(4) for name in synthesis.PHONES},
)


def say(*word, seed=0, speaker=VOICE):
    return synthesis.say(word, speaker, np.random.default_rng(seed))


def power(waveform):
    """Power spectrum and its frequencies in Hz."""
    spectrum = np.abs(np.fft.rfft(waveform)) ** 2
    return spectrum, np.fft.rfftfreq(len(waveform), 1 / synthesis.SAMPLE_RATE)


def band(waveform, low, high):
    spectrum, frequencies = power(waveform)
    return spectrum[(frequencies >= low) & (frequencies < high)].sum()


def loudest(waveform, low, high, smooth_hz=150):
    """The frequency at which the envelope of a band is loudest."""
    spectrum, frequencies = power(waveform)
    width = int(smooth_hz / frequencies[1])
    envelope = np.convolve(spectrum, np.hanning(width), "same")
    inside = (frequencies >= low) & (frequencies < high)
    return frequencies[inside][np.argmax(envelope[inside])]


def test_an_utterance_depends_on_its_seed_alone():
    np.testing.assert_array_equal(say("b", "a"), say("b", "a"))
    assert not np.allclose(say("b", "a"), say("b", "a", seed=1))


@pytest.mark.parametrize(
    "vowel, low, high, formant",
    [("i", 1500, 2700, 2250), ("a", 1000, 1800, 1250), ("u", 600, 1400, 800)],
)
def test_vowels_ring_at_their_second_formant(vowel, low, high, formant):
    assert loudest(say(vowel), low, high) == pytest.approx(formant, rel=0.1)


def test_a_shorter_tract_rings_higher():
    short = dataclasses.replace(VOICE, tract=1.2)
    low = loudest(say("i"), 1500, 3200)
    high = loudest(say("i", speaker=short), 1500, 3200)
    assert high / low == pytest.approx(1.2, rel=0.08)


@pytest.mark.parametrize("pitch", [90.0, 220.0])
def test_the_glottis_repeats_at_its_pitch(pitch):
    part = np.linspace(0, 1, synthesis.CLIP_SAMPLES // 128 + 1)
    pulses = synthesis._glottal_pulses(
        dataclasses.replace(VOICE, pitch=pitch), part, np.random.default_rng(0)
    )
    correlation = np.fft.irfft(np.abs(np.fft.rfft(pulses[:4000], 8000)) ** 2)
    period = 40 + np.argmax(correlation[40:400])
    # The contour moves it by up to half an octave.
    assert 2**-0.5 < 16000 / period / pitch < 2**0.5


def test_s_hisses_above_sh():
    s, sh = say("s"), say("sh")
    assert band(s, 6000, 8000) > 2 * band(s, 3000, 5000)
    assert band(sh, 3500, 5500) > 2 * band(sh, 6500, 8000)


def test_voiceless_phones_have_no_low_voice():
    assert band(say("s"), 80, 400) < 1e-3 * band(say("s"), 0, 8000)
    assert band(say("m"), 80, 400) > 0.5 * band(say("m"), 0, 8000)


def test_silence_before_and_after_the_word():
    waveform = np.abs(say("n", "a", "i"))
    loud = np.flatnonzero(waveform > 0.05 * waveform.max())
    assert 0.2 < (loud[-1] - loud[0]) / synthesis.SAMPLE_RATE < 0.6
    assert waveform[: int(0.03 * 16000)].max() < 1e-3 * waveform.max()


def test_order_is_heard():
    """In "ai" the second formant rises, in "ia" it falls."""

    def rise(*word):
        waveform = say(*word)
        loud = np.flatnonzero(np.abs(waveform) > 0.1 * np.abs(waveform).max())
        first, second = np.array_split(waveform[loud[0] : loud[-1]], 2)
        return [
            np.log(band(part, 1900, 2700) / band(part, 500, 1500))
            for part in (first, second)
        ]

    first, second = rise("a", "i")
    assert second > first + 1
    first, second = rise("i", "a")
    assert first > second + 1


def test_a_placed_clip_has_the_promised_peak_and_noise():
    clean = say("b", "a")
    silent = clean == 0
    peaks = []
    for seed in range(20):
        clip = synthesis.place(clean, np.random.default_rng(seed))
        peaks.append(20 * np.log10(np.abs(clip).max()))
        assert np.abs(clip[silent]).mean() > 0.003 * np.abs(clip).max()
    assert -26 <= min(peaks) < -18
    assert -8 < max(peaks) <= -1


def test_overlap_add_returns_what_was_cut():
    waveform = np.random.default_rng(0).standard_normal(synthesis.CLIP_SAMPLES)
    back = synthesis._overlap_add(synthesis._spectra(waveform))
    np.testing.assert_allclose(back, waveform, atol=1e-12)
