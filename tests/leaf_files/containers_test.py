"""Files that no decoder here reads are named; raw sound isn't taken for them."""

import io
import struct

import numpy as np
import pytest

from leaf_files import containers
from leaf_files.errors import UserError
from leaf_files.sound import raw_blocks
from tests.leaf_files.sounds import content, heard, refusal, waveform

ADTS = b"\xff\xf1\x50\x80\x0c\x9f\xfc" + bytes(93)  # a frame of 100 bytes
UNREAD = {
    b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom": "an M4A (AAC or ALAC) file",
    b"\0\0\0\x1cftypisom\0\0\x02\0isomiso2mp41": "an MP4 or 3GP file",
    b"\0\0\0\x14ftypqt  \0\0\2\0qt  ": "a QuickTime file",
    b"\x1aE\xdf\xa3\x9fB\x86\x81\1": "a Matroska or WebM file",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9": "a WMA (ASF) file",
    b"#!AMR\n<": "an AMR file",
    b"RIFF\0\1\0\0AVI LIST": "an AVI video",
    b"wvpk\x24\0\0\0": "a WavPack file",
    b"FRM8\0\0\0\0": "a DSDIFF file",
    b".SoX\x2c\0\0\0\0\x80\x3e": "a SoX file",
    ADTS * 4: "an AAC (ADTS) file",
    b"ID3\4\0\0\0\0\0\x0a" + bytes(10) + ADTS * 4: "an AAC (ADTS) file",
}
NO_MEDIA = {
    b"PK\3\4\x14\0\0\0": "a ZIP archive",
    b"\x1f\x8b\x08\0\0\0": "a gzip archive",
    b"\x89PNG\r\n\x1a\n": "a picture",
    b"%PDF-1.4": "a PDF file",
    b"<!DOCTYPE html><html>": "a web page",
    b"\n<html lang='en'>": "a web page",
    b"version https://git-lfs.github.com/spec/v1\n": "a pointer of Git LFS",
}


@pytest.mark.parametrize("extension", [".wav", ".mp3"])
def test_what_a_file_holds_is_said(tmp_path, extension):
    for start, kind in (UNREAD | NO_MEDIA).items():
        message = refusal(start + bytes(5000), tmp_path, extension)
        assert f"it holds {kind}" in message
        assert ("ffmpeg -i IN OUT.flac" in message) == (start in UNREAD)


FORMS = {
    "WAV": "a WAV file",
    "WAVEX": "a WAV file",
    "RF64": "a WAV file",
    "W64": "a W64 file",
    "AIFF": "an AIFF file",
    "CAF": "a CAF file",
    "AU": "an AU file",
    "FLAC": "a FLAC file",
    "OGG": "an OGG file",
    "MP3": "an MP3 file",
}
# Read as well, by their decoders alone.
OTHER_FORMS = {
    "NIST": "a NIST SPHERE file",
    "VOC": "a VOC file",
    "SVX": "an SVX file",
    "PVF": "a PVF file",
    "PAF": "a PAF file",
    "MAT5": "a MATLAB file",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("extension", [".wav", ".flac", ".ogg", ".mp3"])
def test_content_counts_not_names(tmp_path, form, extension):
    data = content(waveform(), form)
    assert heard(data, tmp_path, extension).size == waveform().size


@pytest.mark.parametrize("samples", [40, 160, 8000])
def test_files_in_a_pipe_of_raw_sound_are_refused(samples):
    forms = FORMS | OTHER_FORMS
    files = {content(waveform(), form): kind for form, kind in forms.items()}
    big_endian = content(waveform(), "WAV", "PCM_16", endian="BIG")
    little_au = content(waveform(), "AU", "PCM_16", endian="LITTLE")
    mp3 = content(waveform(), "MP3")
    files |= {big_endian: "a WAV file", little_au: "an AU file"}
    files |= {b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + mp3: "an MP3 file, or another"}
    files |= {start + bytes(5000): kind for start, kind in UNREAD.items()}
    for data, kind in files.items():
        kind = "an MP3 file, or another" if data[:3] == b"ID3" else kind
        with pytest.raises(UserError, match="not raw samples: give the file") as error:
            list(raw_blocks(io.BytesIO(data), samples, "stdin"))
        assert str(error.value).startswith(f"stdin holds {kind}")


def test_raw_sound_is_not_taken_for_a_file():
    generator = np.random.default_rng(0)
    for start in (
        b"\xff\xfb\x90\x64",  # of MP3, once
        b"\xff\xf1\x50\x80",
        b"\xff\xd8\xff\xe0",  # of a picture
        b"\x0b\x77\0\0\0\x40",
        b"ID3\xff\xff\xff",
        b"RIFF\0\1\0\0wave",
        b"FORM",
        b"\0\0\1\xba",
    ):
        for _ in range(20):
            noise = generator.integers(-3000, 3000, 9000).astype("<i2").tobytes()
            blocks = list(raw_blocks(io.BytesIO(start + noise), 512, "stdin"))
            assert sum(block.size for block in blocks) == len(start + noise) // 2
    for _ in range(3000):
        assert containers.kind_of_raw(generator.bytes(4096)) is None
    for value in range(-4, 5):  # quiet sound
        assert containers.kind_of_raw(struct.pack("<h", value) * 4096) is None
