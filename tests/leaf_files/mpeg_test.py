"""MP3 without or with a wrong count of its frames, joined, cut, in WAV."""

import struct

import numpy as np
import pytest

from leaf_files import mpeg, oddities
from leaf_files.clips import hear_clip
from tests.leaf_files.sounds import RATE, assert_same, content, heard, refusal, waveform

DECODER_DELAY = 529
ENCODER_DELAY = 576  # of LAME


def varying(rate=RATE, loud_first=True, seconds=6.0):
    """Loud noise and near silence: bit rates far apart."""
    noise = waveform(seconds, rate=rate)
    quiet = np.linspace(0, 1, noise.size) > 0.3
    return np.where(quiet == loud_first, 0.001, 1).astype(np.float32) * noise


def mp3(samples, rate=RATE, mode="VARIABLE"):
    return content(samples, "MP3", rate=rate, bitrate_mode=mode, compression_level=0.3)


def without_table(data):
    """Without the frame that counts the others."""
    (run,) = mpeg.runs(data, 0, len(data))[0]
    assert run.promised == run.n_frames
    return data[run.stretches[0][0] + run.header_bytes :]


def n_frames(data):
    return sum(run.n_frames for run in mpeg.runs(data, 0, len(data))[0])


def assert_heard_again(found, expected):
    """The same sound, later by what an encoder adds."""
    for delay in (ENCODER_DELAY, ENCODER_DELAY + DECODER_DELAY):
        part = found[delay : delay + expected.size]
        if part.size == expected.size and np.allclose(part, expected, atol=1e-4):
            return
    raise AssertionError("not the same sound")


@pytest.mark.parametrize("loud_first", [True, False])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_without_a_table_all_frames_are_heard(tmp_path, loud_first, rate, channels):
    sound = np.stack([varying(rate, loud_first)] * channels, 1)
    data = mp3(sound, rate)
    expected = heard(data, tmp_path, ".mp3", rate)
    assert expected.size == len(sound)
    bare = without_table(data)
    found = heard(bare, tmp_path, ".mp3", rate)
    samples = 1152 if rate >= 32000 else 576
    assert 0 <= n_frames(bare) * samples - found.size <= DECODER_DELAY
    assert_heard_again(found, expected)


def test_tags_are_no_frames(tmp_path):
    bare = without_table(mp3(varying()))
    expected = heard(bare, tmp_path, ".mp3")
    # A tag of 20 000 bytes, in which a frame seems to begin.
    id3 = b"ID3\4\0\0\0\1\x1c\x20" + bare[:200] + bytes(20_000 - 200)
    ape = b"APETAGEX" + struct.pack("<IIII", 2000, 32, 1, 1 << 31) + bytes(8)
    for data in (
        id3 + bare,
        id3 + id3 + bare,
        bare + b"TAG" + b" " * 125,
        bare + ape + b"TAG" + b" " * 125,
        id3 + bare + bytes(5000),
        b"\r\n\r\n" + bytes(3000) + bare,
    ):
        assert_same(heard(data, tmp_path, ".mp3"), expected)


@pytest.mark.parametrize("between", ["", "id3", "id3v1"])
def test_joined_files_are_heard_to_the_last(tmp_path, between):
    sounds = varying(), waveform(0.7, seed=3)
    files = [mp3(sound) for sound in sounds]
    alone = [heard(file, tmp_path, ".mp3") for file in files]
    tag = {
        "": b"",
        "id3": b"ID3\4\0\0\0\0\x20\x00" + bytes(4096),
        "id3v1": b"TAG" + b" " * 125,
    }[between]
    found = heard(tag.join(files), tmp_path, ".mp3")
    assert_same(found, np.concatenate(alone))


def test_a_joined_file_without_tables_is_heard(tmp_path):
    first, second = without_table(mp3(varying())), without_table(mp3(waveform(2.0)))
    found = heard(first + second, tmp_path, ".mp3")
    assert (n_frames(first) + n_frames(second)) * 576 - found.size <= DECODER_DELAY


def test_what_follows_a_table_that_counts_less_is_heard(tmp_path):
    first, second = mp3(varying()), without_table(mp3(waveform(2.0)))
    expected = heard(first, tmp_path, ".mp3")
    found = heard(first + second, tmp_path, ".mp3")
    assert_same(found[: expected.size], expected)
    rest = n_frames(second) * 576
    assert 0 <= rest - (found.size - expected.size) <= DECODER_DELAY


def test_joined_files_of_one_and_two_channels_are_heard(tmp_path):
    files = [mp3(varying()), mp3(np.stack([varying()] * 2, 1))]
    found = heard(b"".join(files), tmp_path, ".mp3")
    assert found.size == 2 * varying().size
    found = heard(b"".join(map(without_table, files)), tmp_path, ".mp3")
    assert found.size > 2 * varying().size


def test_joined_files_of_two_rates_are_refused_as_that(tmp_path):
    data = mp3(varying()) + mp3(varying(22050), 22050)
    assert "of 16000 Hz and of 22050 Hz" in refusal(data, tmp_path, ".mp3")


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_what_its_table_says_is_missing_is_refused(tmp_path, kept):
    data = mp3(waveform(4.0))
    message = refusal(data[: int(kept * len(data))], tmp_path, ".mp3")
    assert "cut short: it promises" in message and "frames of MP3 and holds" in message


def test_an_end_within_a_frame_is_said(tmp_path):
    for data in (without_table(mp3(varying())), mp3(varying())):
        heard(data[:-20], tmp_path, ".mp3")
        assert oddities.UNCLOSED in hear_clip(tmp_path / "clip.mp3").oddities


def test_damage_in_the_midst_is_said(tmp_path):
    data = bytearray(mp3(waveform(4.0)))
    data[5000:5900] = bytes(900)
    assert heard(bytes(data), tmp_path, ".mp3").size > 3 * RATE
    assert oddities.DAMAGED in hear_clip(tmp_path / "clip.mp3").oddities


@pytest.mark.parametrize("has_table", [True, False])
def test_mp3_in_wav_is_heard(tmp_path, has_table):
    data = mp3(varying())
    expected = heard(data, tmp_path, ".mp3")
    data = data if has_table else without_table(data)
    head = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE, 4000, 1, 0, 12, 1, 2, 144, 1, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    body += b"data" + struct.pack("<I", len(data)) + data
    wav = b"RIFF" + struct.pack("<I", len(body)) + body
    found = heard(wav, tmp_path)
    if has_table:
        assert_same(found, expected)
    else:
        assert_heard_again(found, expected)


def test_a_text_has_no_frames():
    assert mpeg.runs(b"Not a sound. " * 1000, 0, 13000) == ([], 0)
    noise = np.random.default_rng(0).bytes(200_000)
    assert mpeg.runs(noise, 0, len(noise))[0] == []
