"""The tasks of TFDS's own builders, unmodified, on archives in the original layout."""

import numpy as np
import pytest

from tests.training import miniatures
from tests.training.miniatures import sound, word_sound

SPLITS = ("train", "validation", "test")


def clips_of(data, sample_rate=16000):
    """{split: its clips}."""
    return {
        split: list(clips.dataset(sample_rate).as_numpy_iterator())
        for split, clips in data.splits.items()
    }


def counts(data):
    return [data.splits[split].n_examples for split in SPLITS]


def assert_sounds_like(clip, waveform):
    np.testing.assert_allclose(clip["waveform"], waveform, atol=1.01 / 32768)


def known(clip, waveforms):
    """The key under which `waveforms` has the sound of a clip."""
    sounds = [
        key
        for key, waveform in waveforms.items()
        if len(waveform) == len(clip["waveform"])
        and np.abs(waveform - clip["waveform"]).max() < 1e-4
    ]
    assert len(sounds) == 1
    return sounds[0]


def test_speech_commands(miniature):
    data = miniature("speech_commands")
    assert data.labels == (*miniatures.COMMANDS, "_silence_", "_unknown_")
    waveforms = {
        (word, index): word_sound(word, index)
        for word in miniatures.WORDS
        for index in range(miniatures.PER_WORD)
    }
    words = {split: set() for split in SPLITS}
    for split, clips in clips_of(data).items():
        for clip in clips:
            if data.labels[clip["label"]] == "_silence_":
                continue
            if split == "test" and data.labels[clip["label"]] == "_unknown_":
                continue
            word, index = known(clip, waveforms)
            known_word = word if word in miniatures.COMMANDS else "_unknown_"
            assert data.labels[clip["label"]] == known_word
            words[split].add(index)
    assert words == {"train": {2, 3}, "validation": {0}, "test": {1}}
    # Noises of 2.2 s, cut in steps of 0.5 s: two are trained on, one validates.
    silences = [
        sum(data.labels[clip["label"]] == "_silence_" for clip in clips)
        for clips in clips_of(data).values()
    ]
    assert silences == [6, 3, 2]


def test_voxceleb(miniature):
    data = miniature("voxceleb")
    assert len(data.labels) == 1252
    assert counts(data) == [12, 12, 12]
    waveforms = {
        (speaker, group, index): sound(place, 4, (group, index))
        for place, speaker in enumerate(miniatures.CELEBRITIES)
        for group in (1, 2, 3)
        for index in (1, 2, 3)
    }
    for group, clips in enumerate(clips_of(data).values(), start=1):
        found = [known(clip, waveforms) for clip in clips]
        assert {of for _, of, _ in found} == {group}
        for clip, (speaker, _, _) in zip(clips, found):
            assert clip["label"] == int(speaker[3:])


def test_crema_d(miniature):
    data = miniature("crema_d")
    assert data.labels == miniatures.EMOTIONS
    per_actor = 2 * len(miniatures.EMOTIONS)
    actors_of = {}
    waveforms = {
        seed: sound(seed % 6, 6, seed)
        for seed in range(per_actor * len(miniatures.ACTORS))
    }
    for split, clips in clips_of(data).items():
        seeds = [known(clip, waveforms) for clip in clips]
        for clip, seed in zip(clips, seeds):
            assert clip["label"] == seed % 6
        actors_of[split] = {seed // per_actor for seed in seeds}
        assert len(seeds) == per_actor * len(actors_of[split])
    assert [len(actors) for actors in actors_of.values()] == [8, 1, 3]
    assert len(set.union(*actors_of.values())) == len(miniatures.ACTORS)


@pytest.mark.slow  # loads Apache Beam
def test_voxforge(miniature):
    data = miniature("voxforge")
    assert data.labels == miniatures.LANGUAGES
    speakers = []
    waveforms = {
        (place, n): sound(place, 6, n)
        for place in range(6)
        for n in range(len(miniatures.VOLUNTEERS))
    }
    for clips in clips_of(data).values():
        found = [known(clip, waveforms) for clip in clips]
        assert [clip["label"] for clip in clips] == [place for place, _ in found]
        speakers.append({n for _, n in found})
    assert [len(heard) for heard in speakers] == [8, 1, 3]
    assert len(set.union(*speakers)) == len(miniatures.VOLUNTEERS)


@pytest.mark.slow  # loads Apache Beam
@pytest.mark.parametrize("name", ["nsynth_instrument", "nsynth_pitch"])
def test_nsynth(miniature, name):
    data = miniature(name)
    n_families = len(miniatures.FAMILIES)
    assert counts(data) == [n_families * n for n in miniatures.NOTES.values()]
    for split, clips in zip(miniatures.NOTES, clips_of(data).values()):
        for clip in clips:
            instrument, pitch, of = clip["clip"].decode().split("-")
            family = instrument.split("_synthetic")[0]
            label = family if name == "nsynth_instrument" else str(int(pitch))
            assert of == split
            assert data.labels[clip["label"]] == label
            place = miniatures.FAMILIES.index(family)
            seed = (int(pitch), len(split))
            assert_sounds_like(clip, sound(place, n_families, seed, seconds=4))
    assert data.labels == (
        miniatures.FAMILIES
        if name == "nsynth_instrument"
        else tuple(map(str, range(128)))
    )
