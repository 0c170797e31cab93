"""Reads damaged audio files: `python -m tests.fuzz.audio CASES SEED FOLDER`.

In a process of its own, so that a crash of a library is a failed test and not the
end of all tests. Prints how the cases ended, as JSON.
"""

import io
import os
import pathlib
import random
import signal
import sys

import numpy as np
import soundfile

from leaf_files.clips import AUDIO_EXTENSIONS, read_clip
from leaf_files.errors import UserError
from tests.fuzz.damage import damaged
from tests.fuzz.sandbox import Tally

SECONDS_A_CASE = 20
KINDS = (
    ("WAV", "PCM_16", ".wav"),
    ("WAV", "PCM_24", ".wav"),
    ("WAV", "FLOAT", ".wav"),
    ("WAV", "DOUBLE", ".wav"),
    ("WAV", "ULAW", ".wav"),
    ("WAV", "MS_ADPCM", ".wav"),
    ("WAV", "IMA_ADPCM", ".wav"),
    ("WAVEX", "PCM_32", ".wav"),
    ("RF64", "PCM_16", ".wav"),
    ("W64", "PCM_16", ".wav"),
    ("AIFF", "PCM_16", ".wav"),
    ("CAF", "ALAC_16", ".wav"),
    ("FLAC", "PCM_16", ".flac"),
    ("FLAC", "PCM_24", ".flac"),
    ("OGG", "VORBIS", ".ogg"),
    ("OGG", "OPUS", ".ogg"),
    ("MP3", "MPEG_LAYER_III", ".mp3"),
)


def sounds():
    """[(kind, extension, content)]: mono and stereo of each kind."""
    waveform = np.random.default_rng(0).uniform(-0.5, 0.5, (4000, 2))
    found = []
    for form, subtype, extension in KINDS:
        for channels in (1, 2):
            buffer = io.BytesIO()
            soundfile.write(
                buffer, waveform[:, :channels], 8000, format=form, subtype=subtype
            )
            name = f"{form} {subtype} {channels}"
            found.append((name, extension, buffer.getvalue()))
    return found


def names(random):
    """Names that a file may have; the last part is the extension's place."""
    return random.choice(
        [
            "clip",
            "größe 鍵 ключ",
            "two\nlines",
            "tab\tand 'quotes'",
            "n" * 250,
            "-rf",
            "%s{x}",
            ".hidden",
            "\udcff not text",
        ]
    )


def read(path):
    """How reading ends: "read", or "refused" in one line."""
    try:
        waveform, rate = read_clip(path, 16000)
    except UserError as error:
        assert str(error)
        return "refused"
    assert rate == 16000 and waveform.dtype == np.float32 and waveform.ndim == 1
    assert np.isfinite(waveform).all() and waveform.size
    return "read"


def main(n_cases, seed, folder):
    generator = random.Random(seed)
    found, tally = sounds(), Tally()
    for number in range(n_cases):
        kind, extension, content = generator.choice(found)
        content, how = damaged(content, generator)
        if generator.random() < 0.1:
            extension, how = generator.choice([*AUDIO_EXTENSIONS, ".txt", ""]), "rename"
        path = pathlib.Path(folder, names(generator) + extension)
        target = path
        if generator.random() < 0.1:
            target = pathlib.Path(folder, "target")
            path.symlink_to(target)
        if generator.random() < 0.95:  # else a link or a name without a file
            target.write_bytes(content)
        signal.alarm(SECONDS_A_CASE)
        with tally.case(f"{number}: {how} {kind} {path!r}") as ends:
            ends.append(read(path))
        signal.alarm(0)
        for left in (path, target):
            if os.path.lexists(left):
                left.unlink()
    tally.finish()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
