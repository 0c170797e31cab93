"""Near duplicates among sounds whose making is known."""

import io

import numpy as np
import pytest
import soundfile

from leaf_files import fingerprints
from leaf_files.clips import resample
from leaf_files.fingerprints import (
    FRAME_SECONDS,
    Fingerprinter,
    clusters,
    fingerprint,
    near_duplicates,
    packed,
    unpacked,
)

RATE = 16000


def babble(seed, seconds=2.0):
    """Tones of changing pitch that come and go, (samples,): no two seeds alike."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    waveform = 0.001 * rng.standard_normal(time.size)
    for start in np.arange(0, seconds, 0.1):
        at = start + rng.uniform(0, 0.1)
        pitch, glide = rng.uniform(200, 3500), rng.uniform(-500, 500)
        phase = 2 * np.pi * (pitch * (time - at) + glide * (time - at) ** 2)
        waveform += np.sin(phase) * np.exp(-(((time - at) / 0.04) ** 2))
    return (0.3 * waveform).astype(np.float32)


def coded(waveform, sample_rate, form, subtype):
    file = io.BytesIO()
    soundfile.write(file, waveform, sample_rate, format=form, subtype=subtype)
    file.seek(0)
    return soundfile.read(file, dtype="float32")


CHANGES = {
    "louder": lambda x: (2.5 * x, RATE),
    "quieter, in 16 bit": lambda x: coded(x / 8, RATE, "WAV", "PCM_16"),
    "MP3": lambda x: coded(x, RATE, "MP3", "MPEG_LAYER_III"),
    "Vorbis": lambda x: coded(x, RATE, "OGG", "VORBIS"),
    "44.1 kHz": lambda x: (resample(x, RATE, 44100), 44100),
    "8 kHz": lambda x: (resample(x, RATE, 8000), 8000),
    "cut": lambda x: (x[4567:20001], RATE),
    "all of it": lambda x: coded(
        0.3 * resample(x[3000:28000], RATE, 22050), 22050, "MP3", "MPEG_LAYER_III"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_nothing_else(change):
    sounds = [babble(seed) for seed in range(12)]
    prints = [fingerprint(sound, RATE) for sound in sounds]
    prints.append(fingerprint(*CHANGES[change](sounds[7])))
    [pair] = near_duplicates(prints)
    assert (pair.first, pair.second) == (7, 12)
    assert pair.share > 0.2


def test_cuts_that_overlap_are_found_with_their_offset():
    recording = babble(0, seconds=6.0)
    cuts = [recording[round(s * RATE) : round((s + 2) * RATE)] for s in (0, 1.2, 2.4)]
    pairs = near_duplicates([fingerprint(cut, RATE) for cut in cuts])
    assert [(p.first, p.second) for p in pairs] == [(0, 1), (1, 2)]
    for pair in pairs:
        assert abs(pair.seconds + 1.2) <= FRAME_SECONDS
    assert clusters(pairs) == [[0, 1, 2]]


def test_cuts_side_by_side_are_no_duplicates():
    recording = babble(0, seconds=8.0)
    cuts = np.split(recording, 4)
    assert near_duplicates([fingerprint(cut, RATE) for cut in cuts]) == []


def test_noises_are_no_duplicates(rng):
    noises = rng.standard_normal((60, RATE))
    assert near_duplicates([fingerprint(noise, RATE) for noise in noises]) == []


@pytest.mark.parametrize("sound", [[], [0.5], [0.0] * RATE, [0.1] * 40, [0.3] * RATE])
def test_what_has_no_landmarks_is_like_nothing(sound):
    silence = fingerprint(np.array(sound), RATE)
    assert near_duplicates([silence, silence, fingerprint(babble(0), RATE)]) == []


@pytest.mark.parametrize("sample_rate", [100, 1000, 8000, 192000])
def test_any_rate_of_audio_will_do(sample_rate, rng):
    noise = rng.standard_normal(2 * sample_rate)
    copies = [fingerprint(x, sample_rate) for x in (noise, 3 * noise)]
    assert (copies[0] == copies[1]).mean() > 0.99


def test_many_copies_are_one_cluster(monkeypatch):
    """However few of equal landmarks are compared, and at once."""
    monkeypatch.setattr(fingerprints, "_MATCHES_AT_ONCE", 3000)
    prints = [fingerprint(babble(seed), RATE) for seed in range(6)]
    copies = [*prints, *[prints[2]] * 50, *[prints[4]] * 20]
    assert clusters(near_duplicates(copies)) == [
        [2, *range(6, 56)],
        [4, *range(56, 76)],
    ]


def test_copies_are_found_though_landmarks_are_left_out(monkeypatch):
    monkeypatch.setattr(fingerprints, "_MOST_LANDMARKS", 300)
    sounds = [babble(seed) for seed in range(12)]
    prints = [fingerprint(x, RATE) for x in (*sounds, 2 * sounds[3])]
    assert sum(each.size for each in prints) > 600
    [pair] = near_duplicates(prints)
    assert (pair.first, pair.second) == (3, 12)


def test_blocks_have_the_landmarks_of_the_whole(monkeypatch):
    monkeypatch.setattr(fingerprints, "_PIECE_SECONDS", 1.6)
    sound = babble(0, seconds=8.0)
    printer = Fingerprinter(RATE)
    for start in range(0, sound.size, 777):
        printer.update(sound[start : start + 777])
    in_blocks = printer.fingerprint()
    assert np.isin(in_blocks, fingerprint(sound, RATE)).mean() > 0.9
    cut = fingerprint(sound[5 * RATE : 7 * RATE], RATE)
    [pair] = near_duplicates([cut, in_blocks])
    assert abs(pair.seconds - 5) <= FRAME_SECONDS


def test_a_packed_fingerprint_is_the_same_and_smaller():
    for sound in (babble(0), np.zeros(100)):
        before = fingerprint(sound, RATE)
        assert sorted(unpacked(packed(before))) == sorted(before)
    before = fingerprint(babble(0), RATE)
    assert len(packed(before)) < 0.7 * before.nbytes


def test_no_clips_have_no_duplicates():
    assert near_duplicates([]) == clusters([]) == []
