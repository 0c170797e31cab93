"""Reads sound block by block: files and pipes may be larger than memory."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from leaf_files.clips import opened, require_audio_file, require_audio_rate
from leaf_files.containers import kind_of_raw
from leaf_files.errors import UserError

_BLOCK_SECONDS = 1.0
_FULL_SCALE = 32768.0
# Enough for several frames, if it is MP3.
_TELLING_BYTES = 8192


def file_blocks(
    path: str | Path, sample_rate: int, tell: Callable | None = None
) -> Iterator[np.ndarray]:
    """An audio file as mono waveform, a second at a time.

    Args:
        path: Audio file that `clips.read_clip` reads.
        sample_rate: Rate to resample to, Hz.
        tell: Called at the end with its oddities, of `leaf_files.oddities`.

    Yields:
        (samples,), float32, full scale is [-1, 1]; together they are what
        `clips.read_clip` returns.

    Raises:
        UserError: For the reasons of `clips.read_clip`, as soon as that part is read.

    >>> from leaf_files.clips import write_clip
    >>> write_clip("tone.wav", np.zeros(20000), 8000)
    >>> [block.size for block in file_blocks("tone.wav", sample_rate=8000)]
    [8000, 8000, 4000]
    """
    blocks = FileBlocks(path, sample_rate)
    yield from blocks
    if tell is not None:
        tell(blocks.oddities)


class FileBlocks:
    """An audio file as `file_blocks` yields it, and how much of it was read.

    Args:
        path, sample_rate: Arguments of `file_blocks`.

    Attributes:
        path: Path of the file.
        sample_rate: Rate of the waveform, Hz.
        file_rate: Rate of the file itself, Hz; 0 until the first block.
        file_samples: Samples of a channel that were read so far, at that rate.
        oddities: Its oddities, of `leaf_files.oddities`; complete after the last block.

    >>> from leaf_files.clips import write_clip
    >>> write_clip("tone.wav", np.zeros(12000), 8000)
    >>> blocks = FileBlocks("tone.wav", sample_rate=16000)
    >>> sum(block.size for block in blocks), blocks.file_rate, blocks.file_samples
    (24000, 8000, 12000)
    """

    def __init__(self, path: str | Path, sample_rate: int):
        self.path, self.sample_rate = Path(path), sample_rate
        self.file_rate = self.file_samples = 0
        self.oddities: tuple = ()

    def __iter__(self) -> Iterator[np.ndarray]:
        require_audio_file(self.path)
        with opened(self.path, self.path) as sound:
            self.file_rate = sound.sample_rate
            blocks = self._counted(sound)
            if self.file_rate != self.sample_rate:
                require_audio_rate(self.file_rate, self.path)
                blocks = _resampled(blocks, self.file_rate, self.sample_rate)
            yield from blocks
            self.oddities = sound.oddities

    def _counted(self, sound):
        self.file_samples = 0
        for block in sound.mono_blocks(max(1, round(_BLOCK_SECONDS * self.file_rate))):
            self.file_samples += block.size
            yield block


def raw_blocks(file: BinaryIO, samples: int, name: str) -> Iterator[np.ndarray]:
    """Raw samples, 16 bit, little-endian, mono, as a waveform.

    Args:
        file: Binary file or pipe.
        samples: Number of samples in a block; the last may be shorter.
        name: Name of the file, for messages.

    Yields:
        (samples,), float32, full scale is [-1, 1], as soon as they are there. An odd
        byte at the end is left out.

    Raises:
        UserError: It begins as an audio file does, or holds no samples.

    >>> file = io.BytesIO(np.array([0, 16384, -32768], "<i2").tobytes())
    >>> [block.tolist() for block in raw_blocks(file, samples=2, name="stdin")]
    [[0.0, 0.5], [-1.0]]
    """
    start = b""
    while content := file.read(2 * samples):
        if len(start) < _TELLING_BYTES:
            start += content
            _require_raw(start, name)
        block = np.frombuffer(content[: len(content) // 2 * 2], "<i2")
        if block.size:
            yield block.astype(np.float32) / _FULL_SCALE
    if not start:
        raise UserError(f"{name} holds no samples")


def in_chunks(blocks: Iterable[np.ndarray], samples: int) -> Iterator[np.ndarray]:
    """Blocks of any lengths cut anew.

    Args:
        blocks: Iterable of (n,).
        samples: Number of samples in a chunk.

    Yields:
        (samples,), the last one shorter if the blocks end within it.

    >>> [chunk.tolist() for chunk in in_chunks([np.arange(3), np.arange(2)], samples=2)]
    [[0, 1], [2, 0], [1]]
    """
    waiting = np.zeros(0, np.float32)
    for block in blocks:
        waiting = np.concatenate([waiting, block]) if waiting.size else block
        whole = waiting.size // samples * samples
        yield from waiting[:whole].reshape(-1, samples)
        waiting = waiting[whole:]
    if waiting.size:
        yield waiting


def _resampled(blocks, from_rate, to_rate):
    import soxr

    stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")
    for block in blocks:
        resampled = stream.resample_chunk(block)
        if resampled.size:
            yield resampled
    resampled = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    if resampled.size:
        yield resampled


def _require_raw(start, name):
    kind = kind_of_raw(start)
    if kind is not None:
        raise UserError(
            f"{name} holds {kind}, not raw samples: give the file by its name, or "
            "convert it to raw 16 bit mono first (ffmpeg -f s16le -ac 1 -ar RATE)"
        )
