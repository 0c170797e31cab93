"""WAV, RF64, W64, AIFF, CAF and AU whose sizes aren't those of the file."""

import struct

import numpy as np
import pytest

from leaf_files import oddities
from leaf_files.clips import encoding_of, hear_clip
from tests.leaf_files.sounds import RATE, content, heard, refusal, waveform

SOUND = waveform()
PCM = (SOUND * 32768).astype("<i2").tobytes()
FORMAT = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)


def chunk(name, body, size=None, padded=True):
    size = len(body) if size is None else size
    padding = b"\0" * (len(body) % 2) if padded else b""
    return name + struct.pack("<I", size) + body + padding


def wav(*chunks, size=None):
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def samples(size=None, body=PCM):
    return chunk(b"data", body, size)


HEAD = chunk(b"fmt ", FORMAT)
LIST = b"INFOISFT\x05\0\0\0abcde"


@pytest.mark.parametrize(
    "data",
    [
        wav(HEAD, samples(0)),
        wav(HEAD, samples(0), size=0),
        wav(HEAD, samples(0), size=0xFFFFFFFF),
        *(
            wav(HEAD, samples(size))
            for size in (
                *(0x7FFFEFDC, 0x7FFFFFFF, 0x7FFFFFFF - 36, 0x7FFF0000),
                *(0x80000000, 0x80000024, 0xFFFFFFFF, 0xFFFFFFFF - 44, 0xFFFFF000),
            )
        ),
        wav(HEAD, chunk(b"LIST", LIST), samples()),
        wav(HEAD, chunk(b"LIST", LIST, padded=False), samples()),
        wav(HEAD, chunk(b"data", PCM[:8000]), chunk(b"data", PCM[8000:])),
        wav(HEAD, chunk(b"data", PCM[:801]), chunk(b"data", PCM[801:])),
        wav(chunk(b"data", PCM), HEAD),
        wav(chunk(b"JUNK", bytes(28)), chunk(b"bext", bytes(603)), HEAD, samples()),
        wav(
            HEAD,
            samples(),
            chunk(b"LIST", LIST),
            chunk(b"id3 ", b"ID3\x03" + 41 * b"T"),
        ),
        wav(HEAD, samples()) + b"TAG" + b"\x7f" * 125,
        wav(HEAD, samples()) + b"ID3\x03\0\0\0\0\x40\0" + 8192 * b"\x7f",
        wav(HEAD, samples()) + bytes(100_000),
        b"ID3\x03\0\0\0\0\0\x0a" + b"T" * 10 + wav(HEAD, samples()),
        b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n" + wav(HEAD, samples()),
    ],
)
def test_all_samples_of_a_wav_file_are_read(tmp_path, data):
    np.testing.assert_array_equal(heard(data, tmp_path), SOUND)


FORMS = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "FLAC"]


@pytest.mark.parametrize("form", FORMS)
def test_joined_files_are_read_to_the_last(tmp_path, form):
    others = waveform(0.25, seed=1), waveform(0.1, seed=2)
    data = b"".join(content(own, form, "PCM_16") for own in (SOUND, *others))
    expected = np.concatenate([SOUND, *others])
    np.testing.assert_array_equal(heard(data, tmp_path), expected)


@pytest.mark.parametrize("form", [*(form for form in FORMS if form != "FLAC"), "NIST"])
@pytest.mark.parametrize("kept", [0.3, 0.999])
def test_files_that_are_cut_are_refused(tmp_path, form, kept):
    data = content(SOUND, form, "PCM_16")
    message = refusal(data[: int(kept * len(data))], tmp_path)
    assert "cut short: it promises 16" in message


@pytest.mark.parametrize("form", ["WAV", "W64"])
def test_a_last_block_of_samples_that_is_cut_is_refused(tmp_path, form):
    data = content(SOUND, form, "MS_ADPCM")
    place = data.rindex(b"data")
    assert "cut short: it promises" in refusal(
        data[: (place + len(data)) // 2], tmp_path
    )
    assert "cut short" in refusal(data[:-9], tmp_path)


def test_a_sphere_file_whose_writer_calls_numbers_texts_is_refused_if_cut(tmp_path):
    data = content(SOUND, "NIST", "ULAW")
    assert b"sample_n_bytes -s1 1" in data
    message = refusal(data[: len(data) // 2], tmp_path, ".sph")
    assert "cut short: it promises 8000 bytes" in message


def test_samples_with_room_for_more_bits_than_they_have_are_refused(tmp_path):
    form = struct.pack("<HHIIHH", 1, 1, RATE, 4 * RATE, 4, 24)
    body = (SOUND * 2.0**31).astype("<i4").tobytes()
    message = refusal(wav(chunk(b"fmt ", form), samples(body=body)), tmp_path)
    assert "with samples of 24 bits in 4 bytes each" in message
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 12)
    found = heard(wav(chunk(b"fmt ", form), samples()), tmp_path)
    np.testing.assert_array_equal(found, SOUND)


def test_a_wav_file_over_2_gib_that_is_cut_is_refused(tmp_path):
    message = refusal(wav(HEAD, samples(0xB0000000)), tmp_path)
    assert (
        "cut short: it promises 2952790016 bytes of samples and holds 16000" in message
    )


def test_files_written_to_a_pipe_are_read_to_their_end(tmp_path):
    def put(data, place, size):
        return data[:place] + size + data[place + len(size) :]

    rf64 = content(SOUND, "RF64", "PCM_16")
    ds64 = rf64.index(b"ds64") + 8
    w64 = content(SOUND, "W64", "PCM_16")
    place = w64.index(b"data\xf3\xac") + 16
    caf = content(SOUND, "CAF", "PCM_16")
    aiff = content(SOUND, "AIFF", "PCM_16")
    frames, ssnd = aiff.index(b"COMM") + 10, aiff.index(b"SSND") + 4
    au = content(SOUND, "AU", "PCM_16")
    endless = b"\xff" * 8
    streamed = {
        "RF64, 0": put(rf64, ds64, bytes(24)),
        "RF64, -1": put(rf64, ds64, endless * 3),
        "W64, -1": put(put(w64, 16, endless), place, endless),
        "CAF, -1": put(caf, caf.rindex(b"data") + 4, endless),
        "AIFF, 0": put(put(put(aiff, 4, bytes(4)), frames, bytes(4)), ssnd, bytes(4)),
        "AIFF, sox": put(aiff, ssnd, b"\x7f\0\0\x08"),
        "AU, -1": put(au, 8, b"\xff" * 4),
        "AU, 0": put(au, 8, bytes(4)),
        # sox writes the header again at the end, as it should have been.
        "W64, sox": put(w64, place, (24).to_bytes(8, "little")) + 2 * w64[:104],
        "CAF, sox, header twice": 2 * put(caf[:4096], 4084, endless) + caf[4096:],
        "CAF, sox": put(caf, caf.rindex(b"data") + 4, bytes(8)) + 2 * caf[:4096],
    }
    for name, data in streamed.items():
        np.testing.assert_array_equal(heard(data, tmp_path), SOUND, err_msg=name)


def test_big_endian_wav_is_read_whatever_its_size_says(tmp_path):
    big = (SOUND * 32768).astype(">i2").tobytes()
    head = struct.pack(">HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    for size in (len(big), 0, 0xFFFFFFFF):
        data = b"RIFX" + struct.pack(">I", 36 + len(big)) + b"WAVEfmt "
        data += struct.pack(">I", 16) + head + b"data" + struct.pack(">I", size) + big
        np.testing.assert_array_equal(heard(data, tmp_path), SOUND)


def test_a_header_without_samples_holds_none(tmp_path):
    for data in (
        wav(HEAD, samples(0, b"")),
        wav(HEAD, samples(0, b""), chunk(b"LIST", LIST)),
    ):
        assert "holds no samples" in refusal(data, tmp_path)


def test_a_joined_file_of_two_rates_is_refused_as_that(tmp_path):
    data = content(SOUND, "WAV") + content(SOUND, "WAV", rate=8000)
    assert "one after the other, of 16000 Hz and of 8000 Hz" in refusal(data, tmp_path)


def test_a_joined_file_of_one_and_two_channels_is_read(tmp_path):
    data = content(SOUND, "WAV") + content(np.stack([SOUND, SOUND], 1), "WAV")
    np.testing.assert_array_equal(heard(data, tmp_path), np.tile(SOUND, 2))


@pytest.mark.parametrize(
    "tag, coding", [(0x161, "WMA"), (0xFF, "AAC"), (0x2000, "AC-3")]
)
def test_codings_that_no_decoder_here_knows_are_named(tmp_path, tag, coding):
    head = chunk(b"fmt ", struct.pack("<H", tag) + FORMAT[2:])
    message = refusal(wav(head, samples()), tmp_path)
    assert f"a WAV file whose sound is coded as {coding}; convert it" in message


def test_a_file_of_another_kind_after_the_end_is_said(tmp_path):
    mp3 = content(waveform(3.0), "MP3")
    for form in ("WAV", "FLAC", "OGG", "MP3"):
        own = content(SOUND, form)
        for after, told in ((b"", ()), (b"TAG" + bytes(125), ()), (bytes(9000), ())):
            heard(own + after, tmp_path)
            assert hear_clip(tmp_path / "clip.wav").oddities == told
        after = mp3 if form != "MP3" else content(SOUND, "WAV")
        heard(own + after, tmp_path)
        assert hear_clip(tmp_path / "clip.wav").oddities == (oddities.LOST,)


def test_more_after_the_end_than_tags_is_said(tmp_path):
    stale = wav(HEAD, samples(8000))  # its recorder wrote the size, and went on
    np.testing.assert_array_equal(heard(stale, tmp_path), SOUND[:4000])
    assert hear_clip(tmp_path / "clip.wav").oddities == (oddities.LOST,)


def test_the_encoding_tells_what_others_would_not_hear_whole(tmp_path):
    path = tmp_path / "clip.wav"
    path.write_bytes(wav(HEAD, samples()))
    assert encoding_of(path) == "WAV PCM_16"
    path.write_bytes(wav(HEAD, samples(0)))
    assert encoding_of(path) == "WAV PCM_16 by parts"
