import itertools

import numpy as np
import pytest
import tensorflow as tf

from tests.training.runs import make_head
from training.input.drawing import WindowDraw
from training.input.pipeline import TrainingData
from training.input.rooms import synthetic_responses
from training.input.sounds import AugmentationSounds, SoundMemory
from training.settings.config import FitConfig
from training.tasks.clip_sets import ClipSet

RATE, SAMPLES = 8000, 2000
# All that a window can get.
ALL = dict(
    speed=(0.9, 1.1),
    time_shift=0.05,
    synthetic_rirs=True,
    gain=(-6.0, 6.0),
    noise_dir="noise",
    noise_dir_snr=(0.0, 20.0),
)


@pytest.fixture(scope="module")
def sounds():
    random = np.random.default_rng(0)
    noises = [random.normal(size=n).astype("float32") for n in (700, 9000)]
    responses = synthetic_responses(5, (0.05, 0.2), RATE, SAMPLES, 0)
    return AugmentationSounds(SoundMemory(noises), SoundMemory(responses))


def drawer(sounds, **settings):
    config = FitConfig(
        "t", sample_rate=RATE, window_seconds=SAMPLES / RATE, seed=3, **settings
    )
    return WindowDraw(config, sounds).window


@pytest.fixture
def clip(rng):
    return tf.constant(0.1 * rng.normal(size=SAMPLES), tf.float32)


def snr(signal, outputs):
    noise = outputs.astype(float) - signal
    return 10 * np.log10(np.mean(np.square(signal, dtype=float)) / np.mean(noise**2))


@pytest.mark.parametrize("wanted", [-10.0, 0.0, 15.0])
def test_the_snr_is_the_one_asked_for(wanted, sounds, clip):
    sounds = AugmentationSounds(noise=sounds.noise)
    draw = drawer(sounds, noise_dir="noise", noise_dir_snr=(wanted, wanted))
    for seed in range(4):
        found = snr(clip.numpy(), draw(clip, [0, seed]).numpy())
        assert found == pytest.approx(wanted, abs=1e-4)


def test_a_share_of_the_windows_gets_noise_at_even_levels(sounds, clip):
    sounds = AugmentationSounds(noise=sounds.noise)
    settings = {"noise_dir_snr": (0.0, 20.0), "noise_dir_share": 0.7}
    draw = tf.function(drawer(sounds, noise_dir="noise", **settings))
    outputs = [draw(clip, tf.constant([0, seed])).numpy() for seed in range(300)]
    noisy = [o for o in outputs if not np.array_equal(o, clip)]
    assert abs(len(noisy) - 210) < 5 * np.sqrt(300 * 0.7 * 0.3)
    levels = [snr(clip.numpy(), output) for output in noisy]
    assert min(levels) > -1e-3 and max(levels) < 20 + 1e-3
    counts, _ = np.histogram(levels, bins=4, range=(0, 20))
    assert np.abs(counts - len(noisy) / 4).max() < 5 * np.sqrt(len(noisy) / 4)


@pytest.mark.parametrize("decibels, factor", [(20.0, 10.0), (-40.0, 0.01)])
def test_the_gain_is_the_one_asked_for(decibels, factor, clip):
    window = drawer(None, gain=(decibels, decibels))(clip, [0, 0])
    np.testing.assert_allclose(window, factor * clip, rtol=1e-6)


def test_the_gain_changes_no_ratio_of_noise(sounds, clip):
    """Noise comes after it."""
    sounds = AugmentationSounds(noise=sounds.noise)
    settings = {"noise_dir": "noise", "noise_dir_snr": (6.0, 6.0)}
    window = drawer(sounds, gain=(20.0, 20.0), **settings)(clip, [0, 0])
    assert snr(10 * clip.numpy(), window.numpy()) == pytest.approx(6, abs=1e-3)


def test_silent_parts_of_noise_add_nothing(clip):
    sounds = AugmentationSounds(noise=SoundMemory([np.zeros(9000, "float32")]))
    window = drawer(sounds, noise_dir="noise")(1e6 * clip, [0, 0])
    np.testing.assert_array_equal(window, 1e6 * clip)


@pytest.mark.parametrize("samples", [1, 50, SAMPLES, 5 * SAMPLES])
def test_silence_stays_silent(sounds, samples):
    draw = drawer(sounds, **ALL)
    for seed in range(3):
        window = draw(tf.zeros(samples), [0, seed])
        np.testing.assert_array_equal(window, np.zeros(SAMPLES))


@pytest.mark.parametrize("level", [1e-4, 1.0, 1e6])
def test_any_sound_gives_finite_windows(sounds, level):
    draw = tf.function(drawer(sounds, **ALL), reduce_retracing=True)
    for samples in (1, 50, SAMPLES, 5 * SAMPLES):
        window = draw(tf.fill([samples], level), tf.constant([0, samples]))
        assert np.all(np.isfinite(window)) and np.any(window != 0)


def clips(n=6):
    """Noises of different lengths; the label is the number."""

    def at(sample_rate):
        def clip(index):
            length = 500 + 700 * tf.cast(index, tf.int32)
            seed = tf.stack([index, index])
            waveform = tf.random.stateless_normal([length], seed)
            return {"waveform": waveform, "label": index, "clip": tf.as_string(index)}

        return clip

    return ClipSet.by_index(n, at)


def batches(sounds, n, start=0, part=0, n_parts=1, n_tasks=1, **settings):
    config = FitConfig(
        ",".join("abc"[:n_tasks]),
        sample_rate=RATE,
        window_seconds=SAMPLES / RATE,
        batch_size=4,
        seed=5,
        **{**ALL, **settings},
    )
    heads = tuple(make_head(6, name) for name in "abc"[:n_tasks])
    data = TrainingData([clips()] * n_tasks, heads, config, sounds)
    found = itertools.islice(data.batches(start, part, n_parts), n)
    return [[np.asarray(p) for p in tf.nest.flatten(batch)] for batch in found]


@pytest.mark.parametrize("n_tasks", [1, 2])
def test_a_run_that_goes_on_draws_as_one_that_never_stopped(sounds, n_tasks):
    whole = batches(sounds, 4, n_tasks=n_tasks, mixup=0.4, noise_snr=(5.0, 30.0))
    rest = batches(sounds, 2, 2, n_tasks=n_tasks, mixup=0.4, noise_snr=(5.0, 30.0))
    for batch, again in zip(whole[2:], rest, strict=True):
        for values, same in zip(batch, again, strict=True):
            np.testing.assert_array_equal(values, same)
    assert len({batch[0].tobytes() for batch in whole}) == 4


def test_hosts_draw_the_windows_of_one_host(sounds):
    whole = batches(sounds, 2)
    parts = [batches(sounds, 2, part=part, n_parts=2) for part in range(2)]
    for batch, first, second in zip(whole, *parts):
        np.testing.assert_array_equal(batch[0], np.concatenate([first[0], second[0]]))
