"""Pipes as files, and files put together."""

import io
import os
import threading

import numpy as np
import pytest

from leaf_files import sources
from leaf_files.clips import read_clip
from leaf_files.errors import UserError
from leaf_files.sound import file_blocks
from leaf_files.sources import Spliced
from tests.leaf_files.sounds import RATE, content, waveform

SOUND = waveform()
pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes have no names there")


def piped(data, name=None):
    """A pipe with a writer behind; its path, and what is to be closed."""
    reading, writing = os.pipe()

    def write():
        with open(writing, "wb") as pipe:
            try:
                pipe.write(data)
            except BrokenPipeError:
                pass

    threading.Thread(target=write, daemon=True).start()
    return reading, f"/dev/fd/{reading}"


@pytest.mark.parametrize("form", ["WAV", "FLAC", "OGG", "MP3", "AIFF"])
@pytest.mark.parametrize("in_blocks", [True, False])
def test_a_pipe_is_read_to_its_end(form, in_blocks):
    sound = np.tile(SOUND, 8)  # more than a pipe holds
    reading, path = piped(content(sound, form))
    if in_blocks:
        found = np.concatenate(list(file_blocks(path, RATE)))
    else:
        found, _ = read_clip(path)
    os.close(reading)
    assert found.size == sound.size
    if form in ("WAV", "FLAC", "AIFF"):
        np.testing.assert_array_equal(found, sound)


def test_a_named_pipe_needs_no_ending(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[content(SOUND, "WAV")])
    writer.start()
    found, _ = read_clip(path)
    writer.join()
    np.testing.assert_array_equal(found, SOUND)


def test_what_comes_out_of_a_pipe_is_judged(monkeypatch):
    monkeypatch.setattr(sources, "_MOST_PIPED_BYTES", 3_000_000)
    for data, message in (
        (b"", "nothing came out of the pipe /dev/fd/"),
        (b"Not a sound. " * 100, "holds no audio"),
        (bytes(5_000_000), "more than 2 MiB come out of the pipe"),
    ):
        reading, path = piped(data)
        with pytest.raises(UserError, match=message):
            read_clip(path)
        os.close(reading)
    with pytest.raises(UserError, match="nothing came out of the pipe /dev/null"):
        read_clip("/dev/null")
    with pytest.raises(UserError, match="more than 2 MiB come out of the pipe /dev/z"):
        read_clip("/dev/zero")


def test_spliced_pieces_are_one_file():
    content = bytes(range(200))
    pieces = [b"head", (10, 20), b"", (5, 5), (150, 200), b"x"]
    whole = b"head" + content[10:20] + content[150:200] + b"x"
    file = Spliced(io.BytesIO(content), pieces)
    assert file.seek(0, os.SEEK_END) == file.tell() == len(whole)
    assert file.read(5) == b""
    generator = np.random.default_rng(0)
    for _ in range(200):
        start, n_bytes = (int(n) for n in generator.integers(0, 80, 2))
        file.seek(start)
        assert file.read(n_bytes) == whole[start : start + n_bytes]
    file.seek(3)
    file.seek(2, os.SEEK_CUR)
    assert file.read() == whole[5:]
