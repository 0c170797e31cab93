"""Sounds as the bytes of files, and how they are heard in every way there is."""

import io

import numpy as np
import soundfile

from leaf_files.clips import decode_clip, read_clip
from leaf_files.errors import UserError
from leaf_files.sound import file_blocks

RATE = 16000


def waveform(seconds=0.5, seed=0, rate=RATE):
    """Noise whose samples 16 bits hold exactly, float32."""
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * rate))
    return (np.round(noise * 32768) / 32768).astype(np.float32)


def content(samples, form, subtype=None, rate=RATE, **settings):
    """The bytes of a file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype, **settings)
    return file.getvalue()


def heard(data, folder, extension=".wav", rate=RATE):
    """What is read of bytes, of their file, and of that block by block: the same."""
    path = folder / f"clip{extension}"
    path.write_bytes(data)
    from_bytes, own_rate = decode_clip(data, "clip")
    assert own_rate == rate
    assert_same(read_clip(path)[0], from_bytes)
    assert_same(np.concatenate(list(file_blocks(path, rate))), from_bytes)
    return from_bytes


def assert_same(found, expected):
    """To the last bits, which decoders of MP3 and Opus round as memory lies."""
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def refusal(data, folder, extension=".wav"):
    """The message that bytes, their file and its blocks are refused with."""
    path = folder / f"clip{extension}"
    path.write_bytes(data)
    said = set()
    for read in (
        lambda: decode_clip(data, path),
        lambda: read_clip(path),
        lambda: list(file_blocks(path, RATE)),
    ):
        try:
            read()
        except UserError as error:
            said.add(str(error))
        else:
            raise AssertionError("it was read")
    (message,) = said
    assert str(path) in message and "\n" not in message
    return message
