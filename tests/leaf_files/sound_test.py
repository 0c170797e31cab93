import io
import tracemalloc

import numpy as np
import pytest
import soundfile

from leaf_files.clips import read_clip
from leaf_files.errors import UserError
from leaf_files.sound import file_blocks, in_chunks, raw_blocks


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100])
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_a_file_is_what_read_clip_reads(tmp_path, rng, rate, ending):
    path = tmp_path / f"clip.{ending}"
    soundfile.write(path, rng.uniform(-0.5, 0.5, (int(2.3 * rate), 2)), rate)
    expected, _ = read_clip(path, 16000)
    blocks = list(file_blocks(path, 16000))
    assert len(blocks) >= 3
    # Resampled in parts or at once: the same filter, other roundings.
    np.testing.assert_allclose(np.concatenate(blocks), expected, atol=1e-5)


def test_memory_does_not_follow_the_file(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(8000 * 300, np.int16), 8000)
    tracemalloc.start()
    assert sum(block.size for block in file_blocks(path, 16000)) == 16000 * 300
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000  # the waveform takes 19 MB


def test_raw_samples():
    content = np.array([0, 16384, -32768, 32767], "<i2").tobytes() + b"\x01"
    blocks = list(raw_blocks(io.BytesIO(content), 3, "pipe"))
    assert [block.size for block in blocks] == [3, 1]
    expected = [0.0, 0.5, -1.0, 32767 / 32768]
    np.testing.assert_array_equal(np.concatenate(blocks), np.float32(expected))


@pytest.mark.parametrize(
    "content, message",
    [
        (b"RIFF....WAVE", "pipe holds a WAV file, not raw samples"),
        (b"fLaC....", "pipe holds a FLAC file, not raw samples"),
        (b"", "pipe holds no samples"),
    ],
)
def test_what_is_no_raw_sound_is_refused(content, message):
    with pytest.raises(UserError, match=message):
        list(raw_blocks(io.BytesIO(content), 100, "pipe"))


def test_a_file_that_is_cut_short_says_so_after_what_it_holds(tmp_path, rng):
    path = tmp_path / "cut.flac"
    soundfile.write(path, rng.uniform(-0.5, 0.5, 8000 * 4), 8000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 3 // 4])
    heard = 0
    with pytest.raises(UserError, match="cut.flac"):
        for block in file_blocks(path, 8000):
            heard += block.size
    assert heard >= 16000


@pytest.mark.parametrize("sizes", [[1] * 10, [10], [3, 3, 4], [7, 0, 3], [12, 1]])
def test_chunks(sizes):
    values = np.arange(sum(sizes), dtype=np.float32)
    blocks = np.split(values, np.cumsum(sizes)[:-1])
    chunks = list(in_chunks(blocks, 4))
    assert [chunk.size for chunk in chunks[:-1]] == [4] * (len(chunks) - 1)
    np.testing.assert_array_equal(np.concatenate(chunks), values)
