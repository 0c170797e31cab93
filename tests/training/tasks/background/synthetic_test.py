import numpy as np
import pytest

from training.tasks.background.synthetic import LEVELS_DB, SyntheticSound
from training.tasks.noise import colored_noise

RATE = 8000
SOUNDS = [SyntheticSound(number, 1.0) for number in range(40)]


def power_db(waveform, low, high):
    """Power a Hz of a band, dB."""
    spectrum = np.abs(np.fft.rfft(waveform)) ** 2
    hz = np.fft.rfftfreq(len(waveform), 1 / RATE)
    return 10 * np.log10(spectrum[(hz >= low) & (hz < high)].mean())


def test_one_in_eight_is_silent_and_colors_take_turns():
    kinds = [sound.kind for sound in SOUNDS]
    assert kinds[::8] == ["silence"] * 5
    others = [kind for kind in kinds if kind != "silence"]
    assert others == (["white", "pink", "brown"] * 12)[:35]
    assert not SOUNDS[8].waveform(RATE).any()


def test_noise_is_as_loud_as_its_name_says():
    levels = []
    for sound in SOUNDS:
        if sound.kind == "silence":
            continue
        waveform = sound.waveform(RATE).astype(float)
        level = 10 * np.log10(np.mean(waveform**2))
        assert level == pytest.approx(sound.level_db, abs=1e-3)
        assert sound.name.endswith(f"at {level:.0f} dB")
        levels.append(level)
    low, high = LEVELS_DB
    assert low <= min(levels) < low + 10 and high - 10 < max(levels) <= high


def test_a_sound_is_the_same_whenever_it_is_made_and_no_two_are_alike():
    again = [SyntheticSound(number, 1.0).waveform(RATE) for number in range(10)]
    for sound, waveform in zip(SOUNDS, again):
        np.testing.assert_array_equal(sound.waveform(RATE), waveform)
    assert len({sound.sound(RATE) for sound in SOUNDS}) == len(SOUNDS)
    assert SOUNDS[1].sound(RATE) != SOUNDS[1].sound(16000)


@pytest.mark.parametrize("color, slope_db", [("white", 0), ("pink", 3), ("brown", 6)])
def test_colors_fall_by_their_slope_an_octave(color, slope_db):
    noise = colored_noise(np.random.default_rng(0), 64 * RATE, color, 64 * 20)
    for low in (100, 400, 1600):
        fall = power_db(noise, low, 1.1 * low) - power_db(noise, 2 * low, 2.2 * low)
        assert fall == pytest.approx(slope_db, abs=0.4)


def test_power_is_flat_below_a_frequency():
    noise = colored_noise(np.random.default_rng(0), 64 * RATE, "brown", 64 * 20)
    assert power_db(noise, 1, 5) == pytest.approx(power_db(noise, 10, 18), abs=1)
    assert abs(noise.mean()) < 1e-9
