import itertools
from collections import Counter

import numpy as np
import pytest

from training.mixtures.levels import faded, find_sounding
from training.mixtures.planning import Deck, place
from training.mixtures.settings import MixSettings
from training.tasks.noise import endless_noise


def test_labels_and_their_clips_come_equally_often():
    deck = Deck(["a"] * 5 + ["b"], np.random.default_rng(0))
    drawn = Counter(deck.draw() for _ in range(20))
    assert drawn == {0: 2, 1: 2, 2: 2, 3: 2, 4: 2, 5: 10}


def test_events_keep_their_distance_within_the_recording():
    settings = MixSettings(sample_rate=100, events_per_minute=20.0, gap=0.5)
    for seed in range(50):
        random = np.random.default_rng(seed)
        lengths = random.integers(10, 200, 4)
        deck = Deck(["a", "b", "c", "d"], random)
        placed = place(deck, lengths.__getitem__, 6000, settings, random)
        assert len(placed) == 20
        assert placed[0].start >= 0 and placed[-1].end <= 6000
        for before, after in itertools.pairwise(placed):
            assert after.start - before.end >= 50


def test_places_are_uniform():
    """The mean start of a single event is the middle of its range."""
    settings = MixSettings(sample_rate=100, events_per_minute=1.0)
    deck = Deck(["a"], np.random.default_rng(0))
    random = np.random.default_rng(1)
    starts = [place(deck, lambda _: 1000, 6000, settings, random)[0].start
              for _ in range(2000)]  # fmt: skip
    # Deviation of the mean: 5000 / sqrt(12 * 2000).
    assert np.mean(starts) == pytest.approx(2500, abs=4 * 5000 / np.sqrt(24000))
    assert min(starts) >= 0 and max(starts) <= 5000


def test_events_may_fill_a_recording():
    settings = MixSettings(sample_rate=100, events_per_minute=4.0, gap=5.0)
    deck = Deck(["a"], np.random.default_rng(0))
    placed = place(deck, lambda _: 1125, 6000, settings, np.random.default_rng(0))
    assert [p.start for p in placed] == [0, 1625, 3250, 4875]


def test_sound_is_what_is_loud_enough():
    clip = np.zeros(8000)
    clip[1000:3000], clip[5000:5080], clip[7000] = 0.5, 0.05, 0.5e-2
    at_10, at_30, whole = (find_sounding(clip, 8000, db) for db in (10, 30, np.inf))
    # Frames are of 80 samples: 1000 is within the 13th.
    assert (at_10.first, at_10.last) == (960, 3040)
    assert (at_30.first, at_30.last) == (960, 5120)
    assert (whole.first, whole.last) == (0, 8000)
    assert find_sounding(np.zeros(100), 8000, 40) is None


def test_short_clips_fade_too():
    assert faded(np.ones(1), 8000).tolist() == [1.0]
    assert (faded(np.ones(3), 8000)[[0, 2]] < 1).all()


@pytest.mark.parametrize("color, slope", [("pink", -10.0), ("white", 0.0)])
def test_endless_noise_has_the_color_and_one_level(color, slope):
    noise = endless_noise(np.random.default_rng(0), color, 8000)
    whole = np.concatenate([next(noise) for _ in range(60)])
    powers = np.square(whole.reshape(60, -1)).mean(axis=1)
    assert powers.mean() == pytest.approx(1.0, abs=0.05)
    spectrum = np.abs(np.fft.rfft(whole)) ** 2
    hertz = np.fft.rfftfreq(len(whole), 1 / 8000)
    low, high = (
        spectrum[(hertz >= first) & (hertz < 2 * first)].mean() for first in (150, 1500)
    )
    assert 10 * np.log10(high / low) == pytest.approx(slope, abs=0.5)
    # Where pieces meet nothing jumps more than anywhere.
    steps = np.abs(np.diff(whole))
    assert steps[3999::4000].max() < steps.max()
