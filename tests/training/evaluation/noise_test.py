import numpy as np
import pytest
import tensorflow as tf

from training.evaluation.noise import COLORS, Noise
from training.tasks.clip_sets import ClipSet

RATE = 8000


def decibels(ratio):
    return 10 * np.log10(ratio)


@pytest.fixture
def waveform(rng):
    return (0.2 * rng.standard_normal(RATE)).astype(np.float32)


@pytest.mark.parametrize("color", COLORS)
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0])
def test_the_level_is_the_one_asked_for(waveform, color, snr_db):
    noise = Noise(snr_db, color).add(waveform).astype(np.float64) - waveform
    found = decibels(np.mean(waveform**2.0) / np.mean(noise**2))
    assert found == pytest.approx(snr_db, abs=1e-3)


@pytest.mark.parametrize("color, slope", [("pink", -10.0), ("white", 0.0)])
def test_color_is_the_fall_of_power_per_decade(color, slope):
    silence_but_one = np.zeros(2**17)
    silence_but_one[0] = 1.0
    noise = Noise(0.0, color).add(silence_but_one) - silence_but_one
    powers = np.abs(np.fft.rfft(noise)) ** 2
    bands = [powers[first : 2 * first].mean() for first in (600, 6000)]
    assert decibels(bands[1] / bands[0]) == pytest.approx(slope, abs=0.7)


def test_noise_is_a_clips_own_and_the_same_each_time(waveform):
    noise = Noise(0.0)
    np.testing.assert_array_equal(noise.add(waveform, 3), noise.add(waveform, 3))
    others = [noise.add(waveform, 4), Noise(0.0, seed=1).add(waveform, 3)]
    for other in others:
        a, b = noise.add(waveform, 3) - waveform, other - waveform
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.2


def test_silence_and_the_shortest_clips_stay_finite():
    for color in COLORS:
        np.testing.assert_array_equal(Noise(0.0, color).add(np.zeros(9)), np.zeros(9))
        for samples in (1, 2, 3):
            assert np.isfinite(Noise(-20.0, color).add(np.ones(samples))).all()


def test_a_set_of_clips_keeps_labels_names_and_order(rng):
    waveforms = [rng.standard_normal(n).astype(np.float32) for n in (50, 70, 60)]

    def read(sample_rate):
        return tf.data.Dataset.from_generator(
            lambda: (
                {"waveform": w, "label": n, "clip": f"{n}"}
                for n, w in enumerate(waveforms)
            ),
            output_signature={
                "waveform": tf.TensorSpec([None]),
                "label": tf.TensorSpec([], tf.int64),
                "clip": tf.TensorSpec([], tf.string),
            },
        )

    noise = Noise(5.0, seed=7)
    clips = noise.added_to(ClipSet(3, read)).dataset(RATE)
    for index, clip in enumerate(clips.as_numpy_iterator()):
        assert (clip["label"], clip["clip"]) == (index, b"%d" % index)
        np.testing.assert_array_equal(
            clip["waveform"], noise.add(waveforms[index], index)
        )
    assert index == 2


def test_what_is_no_noise():
    with pytest.raises(ValueError, match="`color` must be one of pink, white. Rec"):
        Noise(0.0, "brown")
    with pytest.raises(ValueError, match="`snr_db` must be finite. Received: inf"):
        Noise(float("inf"))
