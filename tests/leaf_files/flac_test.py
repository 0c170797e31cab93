"""FLAC whose beginning doesn't say how long it is, or says something else."""

import struct

import numpy as np
import pytest

from leaf_files import flac
from tests.leaf_files.sounds import content, heard, refusal, waveform

SOUND = waveform(1.3)
DATA = content(SOUND, "FLAC", "PCM_16")


def promising(n_samples, data=DATA):
    return flac.counting(data[:42], n_samples) + data[42:]


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("seconds", [0.01, 0.256, 1.3, 9.0])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_stream_of_unknown_length_is_read(tmp_path, subtype, seconds, rate):
    sound = np.stack([waveform(seconds, 1, rate), waveform(seconds, 2, rate)], 1)
    data = content(sound, "FLAC", subtype, rate)
    expected = heard(data, tmp_path, ".flac", rate)
    assert expected.size == len(sound)
    found = heard(promising(0, data), tmp_path, ".flac", rate)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("promised", [1, 12345, SOUND.size - 1])
def test_a_stream_that_goes_on_longer_than_it_says_is_read(tmp_path, promised):
    found = heard(promising(promised), tmp_path, ".flac")
    np.testing.assert_array_equal(found, SOUND)


def test_tags_around_a_stream_are_passed_over(tmp_path):
    id3 = b"ID3\x03\0\0\0\0\0\x0a" + b"T" * 10
    for data in (DATA, promising(0)):
        found = heard(id3 + data + b"TAG" + b"\x7f" * 125, tmp_path, ".flac")
        np.testing.assert_array_equal(found, SOUND)


@pytest.mark.parametrize("promised", [0, SOUND.size])
def test_what_lies_before_the_frames_is_no_sound_whatever_it_holds(tmp_path, promised):
    foreign = b"test" + DATA + b"\xff\xf8\x69\x08" * 100
    block = b"\x02" + len(foreign).to_bytes(3, "big") + foreign
    data = promising(promised)
    data = data[:4] + b"\0" + data[5:42] + block + data[42:]
    np.testing.assert_array_equal(heard(data, tmp_path, ".flac"), SOUND)


def test_tags_after_a_stream_of_unknown_length_are_passed_over(tmp_path):
    items = b"\x04\0\0\0\0\0\0\0Title\0noise"
    ape = b"APETAGEX" + struct.pack("<IIII8x", 2000, len(items) + 32, 1, 0)
    with_header = items + ape[:20] + struct.pack("<I8x", 0x80000000)
    header = ape[:20] + struct.pack("<I8x", 0xA0000000)
    id3 = b"ID3\x04\0\x10\0\0\0\x0a" + b"T" * 10 + b"3DI\x04\0\x10\0\0\0\x0a"
    for tags in (
        items + ape,
        header + with_header,
        id3,
        items + ape + b"TAG" + bytes(125),
    ):
        found = heard(promising(0) + tags, tmp_path, ".flac")
        np.testing.assert_array_equal(found, SOUND)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("promised", [0, SOUND.size, SOUND.size + 1000])
def test_a_stream_that_is_cut_is_refused(tmp_path, kept, promised):
    data = promising(promised)[: int(kept * len(DATA))]
    assert "cut short" in refusal(data, tmp_path, ".flac")


def test_joined_streams_of_unknown_length_are_read(tmp_path):
    other = waveform(0.4, seed=5)
    data = promising(0) + promising(0, content(other, "FLAC", "PCM_16"))
    expected = np.concatenate([SOUND, other])
    np.testing.assert_array_equal(heard(data, tmp_path, ".flac"), expected)
