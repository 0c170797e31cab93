import numpy as np
import pytest
import soundfile

from leaf_files.clips import read_clip, read_stretch, write_clip
from leaf_files.errors import UserError
from leaf_files.oddities import SILENT
from training.tasks.identity import identity
from training.tasks.own.hearing import WHOLE, Stretch, hear, hear_all

RATE = 8000


@pytest.fixture
def recording(tmp_path):
    """3 s of noise, of which the second one is silent."""
    waveform = np.random.default_rng(0).uniform(-0.5, 0.5, 3 * RATE)
    waveform[RATE : 2 * RATE] = 0
    write_clip(tmp_path / "a.flac", waveform, RATE)
    return tmp_path / "a.flac"


def test_the_identity_is_that_of_the_samples(recording, monkeypatch):
    waveform, _ = read_clip(recording)
    monkeypatch.setattr("leaf_files.clips._BLOCK_VALUES", 1000)
    stretches = [WHOLE, Stretch(0.25, 0.5), Stretch(end=0.5), Stretch(2.5)]
    slices = [slice(None), slice(2000, 4000), slice(4000), slice(20000, None)]
    for found, wanted in zip(hear(recording, stretches), slices):
        assert found.identity == identity(waveform[wanted], RATE)
        assert (found.sample_rate, found.encoding) == (RATE, "FLAC PCM_16")
        read, _ = read_stretch(recording, found.first, found.last)
        np.testing.assert_array_equal(read, waveform[wanted])


def test_silence_is_that_of_the_stretch(recording):
    found = hear(recording, [WHOLE, Stretch(0, 1), Stretch(1, 2), Stretch(1.5, 2.5)])
    assert [SILENT in one.oddities for one in found] == [False, False, True, False]


def test_a_stretch_ends_with_its_recording_at_the_latest(recording):
    found, late, empty = hear(
        recording, [Stretch(2, 9), Stretch(3, 4), Stretch(1, 1.00001)]
    )
    assert (found.first, found.last, found.is_cut) == (2 * RATE, 3 * RATE, True)
    assert isinstance(late, UserError) and isinstance(empty, UserError)
    assert str(late).endswith("from 3 s to 4 s holds no samples: it lasts 3 s")


def test_what_is_wrong_with_a_file_is_said_of_each_of_its_stretches(tmp_path):
    soundfile.write(tmp_path / "b.wav", np.full(10, np.nan), RATE, subtype="FLOAT")
    found = hear_all({tmp_path / "b.wav": [WHOLE, Stretch(0, 1)]})
    assert ["not finite" in str(error) for error in found[tmp_path / "b.wav"]] == [
        True,
        True,
    ]
