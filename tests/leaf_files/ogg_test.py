"""OGG: chained streams, FLAC inside, pages that are missing."""

import struct
import zlib

import numpy as np
import pytest

from leaf_files import oddities
from leaf_files.clips import hear_clip
from tests.leaf_files.sounds import assert_same, content, heard, refusal, waveform

REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
CODECS = ["VORBIS", "OPUS"]


def page(body, flags, granule, serial, number, lacing):
    """A page; its checksum is that of zlib with all bits reversed, begun with 0."""
    head = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, serial, number, 0)
    whole = bytearray(head + bytes([len(lacing)]) + bytes(lacing) + body)
    crc = zlib.crc32(bytes(whole).translate(REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    whole[22:26] = int(f"{crc:032b}"[::-1], 2).to_bytes(4, "little")
    return bytes(whole)


def pages(data):
    """The bytes of each page."""
    found, place = [], 0
    while place < len(data):
        n = data[place + 26]
        stop = place + 27 + n + sum(data[place + 27 : place + 27 + n])
        found.append(data[place:stop])
        place = stop
    return found


def changed(data, flags=None, serial=None):
    head = struct.unpack("<4sBBqIII", data[:26])
    n = data[26]
    return page(
        data[27 + n :],
        head[2] if flags is None else flags,
        head[3],
        head[4] if serial is None else serial,
        head[5],
        data[27 : 27 + n],
    )


def flac_in_ogg(sound, serial=1):
    """FLAC in OGG, without its length at the beginning, as writers of pipes have it."""
    data = content(sound, "FLAC", "PCM_16")
    blocks = [data[4:42]]
    while not blocks[-1][0] & 128:
        start = 4 + sum(map(len, blocks))
        size = 4 + int.from_bytes(data[start + 1 : start + 4], "big")
        blocks.append(data[start : start + size])
    frames = data[4 + sum(map(len, blocks)) :]
    info = bytes([blocks[0][0] & 127]) + blocks[0][1:17] + bytes([blocks[0][17] & 0xF0])
    info += bytes(4) + blocks[0][22:]
    first = b"\x7fFLAC\1\0" + struct.pack(">H", len(blocks) - 1) + b"fLaC" + info
    bodies = [first, *blocks[1:]]
    bodies += [frames[i : i + 60_000] for i in range(0, len(frames), 60_000)]
    return b"".join(
        page(
            body,
            2 * (i == 0) + 4 * (i == len(bodies) - 1),
            len(sound) if i == len(bodies) - 1 else 0,
            serial,
            i,
            [255] * (len(body) // 255) + [len(body) % 255],
        )
        for i, body in enumerate(bodies)
    )


def test_flac_in_ogg_is_heard(tmp_path):
    sounds = waveform(4.0), waveform(0.4, seed=1)
    found = heard(flac_in_ogg(sounds[0]), tmp_path, ".ogg")
    assert_same(found, sounds[0])
    chain = b"".join(flac_in_ogg(sound, i) for i, sound in enumerate(sounds))
    assert_same(heard(chain, tmp_path, ".ogg"), np.concatenate(sounds))


@pytest.mark.parametrize("codec", CODECS)
def test_a_chain_is_heard_to_its_last_stream(tmp_path, codec):
    sounds = [waveform(seconds, i) for i, seconds in enumerate((0.5, 0.3, 0.7))]
    links = [content(sound, "OGG", codec) for sound in sounds]
    alone = [heard(link, tmp_path, ".ogg") for link in links]
    assert [one.size for one in alone] == [sound.size for sound in sounds]
    found = heard(b"".join(links), tmp_path, ".ogg")
    assert_same(found, np.concatenate(alone))


@pytest.mark.parametrize("codec", CODECS)
def test_links_may_be_of_one_serial(tmp_path, codec):
    own = content(waveform(), "OGG", codec)
    one = heard(own, tmp_path, ".ogg")
    found = heard(own + own, tmp_path, ".ogg")
    assert_same(found, np.concatenate([one, one]))


def test_links_may_lack_their_last_pages(tmp_path):
    own = content(waveform(), "OGG", "VORBIS")
    one = heard(own, tmp_path, ".ogg")
    *body, last = pages(own)
    open_end = b"".join([*body, changed(last, flags=0)])
    found = heard(open_end + own, tmp_path, ".ogg")
    assert found.size == 2 * one.size


@pytest.mark.parametrize("codec", CODECS)
def test_a_chain_of_two_rates_is_refused_as_that(tmp_path, codec):
    sound = waveform()
    data = content(sound, "OGG", codec) + content(sound, "OGG", codec, rate=8000)
    assert "of 16000 Hz and of 8000 Hz" in refusal(data, tmp_path, ".ogg")


@pytest.mark.parametrize("codec", CODECS)
def test_a_page_that_is_not_whole_is_cut_short(tmp_path, codec):
    data = content(waveform(2.0), "OGG", codec)
    for kept in (len(data) // 2, len(data) - 1):
        message = refusal(data[:kept], tmp_path, ".ogg")
        assert "cut short: its last OGG page is not whole" in message


@pytest.mark.parametrize("codec", CODECS)
def test_a_file_without_its_last_page_says_so(tmp_path, codec):
    whole = content(waveform(9.0), "OGG", codec)
    data = b"".join(pages(whole)[:-1])
    assert 0 < heard(data, tmp_path, ".ogg").size < 9 * 16000
    assert oddities.UNCLOSED in hear_clip(tmp_path / "clip.ogg").oddities


def test_another_stream_beside_the_sound_is_passed_over(tmp_path):
    own = content(waveform(), "OGG", "VORBIS")
    expected = heard(own, tmp_path, ".ogg")
    first, *others = pages(own)
    body = b"fishead\0" + bytes(56)
    beside = page(body, 2, 0, 999, 0, [len(body)])
    found = heard(beside + first + b"".join(others), tmp_path, ".ogg")
    assert_same(found, expected)


def test_what_an_ogg_file_holds_instead_is_named(tmp_path):
    speex = page(b"Speex   " + bytes(72), 6, 0, 1, 0, [80])
    assert "an OGG file with sound in Speex; convert" in refusal(
        speex, tmp_path, ".ogg"
    )
    first, *others = pages(content(waveform(), "OGG", "VORBIS"))
    twice = changed(first, serial=7) + first + b"".join(others)
    assert "2 sounds that play at once" in refusal(twice, tmp_path, ".ogg")
