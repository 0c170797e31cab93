"""Reads and writes clips: any format, rate and channels to a mono waveform."""

import contextlib
import dataclasses
import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from leaf_files.arithmetic import ceil_div
from leaf_files.atomic import replacing
from leaf_files.errors import UserError
from leaf_files.oddities import Listener
from leaf_files.parts import Parts, parts_of
from leaf_files.quiet import native_logs_hidden
from leaf_files.sources import Source, Spliced, is_stream, opened_source

# Ends of the names of what libsndfile reads; the content decides on the format.
AUDIO_EXTENSIONS = (
    *(".wav", ".flac", ".ogg", ".mp3", ".opus", ".oga", ".mp2", ".wave", ".bwf"),
    *(".rf64", ".w64", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".sph"),
    ".nist",
)

# Values read at once: a damaged header may promise any number of frames, so
# memory follows what the file holds.
_BLOCK_VALUES = 2**20

# Subtypes, besides PCM, of samples that each are coded by themselves.
_SAMPLE_BY_SAMPLE = ("FLOAT", "DOUBLE", "ULAW", "ALAW")
# Formats in which libsndfile may land beside the sample that is sought.
_IN_PACKETS = ("OGG", "MP3", "MPEG")

# Rates of audio, in Hz. A damaged header may say 1 Hz, and a second of that resampled
# to what models take would fill the memory.
_RATES = (100, 10_000_000)
# The largest sample that keeps all numbers in frontends finite; full scale is 1.
_LOUDEST = 1e6


@dataclasses.dataclass(frozen=True)
class Clip:
    """The content of an audio file.

    Attributes:
        waveform: (samples,), float32, full scale is [-1, 1].
        sample_rate: Sample rate, Hz.
        encoding: Encoding of the file, as `encoding_of` gives it.
        oddities: Its oddities, of `leaf_files.oddities`.

    >>> write_clip("tone.wav", np.zeros(160), 16000)
    >>> clip = hear_clip("tone.wav")
    >>> clip.waveform.shape, clip.sample_rate, clip.encoding, clip.oddities
    ((160,), 16000, 'WAV PCM_16', ('digital silence',))
    """

    waveform: np.ndarray
    sample_rate: int
    encoding: str
    oddities: tuple


def is_audio_path(path: str | Path) -> bool:
    """True if the name ends in one of `AUDIO_EXTENSIONS`, in any case.

    >>> is_audio_path("clips/0.FLAC"), is_audio_path("notes.txt")
    (True, False)
    """
    return Path(path).suffix.lower() in AUDIO_EXTENSIONS


def read_clip(
    path: str | Path, sample_rate: int | None = None
) -> tuple[np.ndarray, int]:
    """Reads an audio file as one mono waveform.

    Args:
        path: Audio file, named as one of `AUDIO_EXTENSIONS`, of any rate; channels
            are averaged. A pipe or a device such as /dev/stdin is read to its end.
        sample_rate: Rate to resample to, Hz. Defaults to the file's.

    Returns:
        (waveform, sample_rate): float32 (samples,), full scale is [-1, 1]
        (lossy formats and resampling may overshoot a little), and its rate in
        Hz. All that the file holds, whatever it says of its length.

    Raises:
        UserError: The file is missing, a folder, empty, no audio by its name
            or content, cut short, without samples, with samples that are not
            finite or beyond 1e6, of parts that differ in their rates, or, where it is
            to be resampled, of a rate that is none of audio. The message names the
            file.

    >>> write_clip("tone.wav", np.full(8000, 0.5), 8000)
    >>> waveform, sample_rate = read_clip("tone.wav", sample_rate=16000)
    >>> waveform.shape, sample_rate
    ((16000,), 16000)
    """
    clip = hear_clip(path, sample_rate)
    return clip.waveform, clip.sample_rate


def hear_clip(path: str | Path, sample_rate: int | None = None) -> Clip:
    """Reads an audio file as `read_clip` does, into a `Clip`.

    >>> hear_clip("no.wav")
    Traceback (most recent call last):
    leaf_files.errors.UserError: there is no audio file no.wav
    """
    path = Path(path)
    with _named(path):
        require_audio_file(path)
        return _decode(path, path, sample_rate)


@contextlib.contextmanager
def _named(path):
    """Turns a refusal of the system into a `UserError` that names the file."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot read the audio file {path}: {error.strerror or error}"
        ) from error


@contextlib.contextmanager
def open_clip(path: str | Path) -> Iterator["Sound"]:
    """An open `Sound` of an audio file, to be read block by block.

    Args:
        path: Argument of `read_clip`.

    Raises:
        UserError: As `read_clip`, also while it is read.

    >>> write_clip("tone.wav", np.zeros(1000), 16000)
    >>> with open_clip("tone.wav") as sound:
    ...     print([block.size for block in sound.mono_blocks(600)])
    [600, 400]
    """
    path = Path(path)
    with _named(path):
        require_audio_file(path)
        with opened(path, path) as sound:
            yield sound


def read_stretch(
    path: str | Path, first: int, last: int, sample_rate: int | None = None
) -> tuple[np.ndarray, int]:
    """Reads a stretch of an audio file, exactly as `read_clip` and a slice do.

    Of formats in which any sample can be sought exactly no more is read; of others all
    that comes before is decoded, too.

    Args:
        path: Argument of `read_clip`.
        first, last: Samples of the file at its own rate, the last one excluded.
        sample_rate: Rate to which the stretch is resampled, Hz. Defaults to the file's.

    Returns:
        (waveform, sample_rate): float32 (samples,), and its rate in Hz.

    Raises:
        UserError: As `read_clip`, of what is read; or the file ends before `last`.

    >>> write_clip("steps.wav", np.repeat([0.25, 0.5], 100), 8000)
    >>> read_stretch("steps.wav", 99, 102)
    (array([0.25, 0.5 , 0.5 ], dtype=float32), 8000)
    """
    with open_clip(path) as sound:
        waveform, file_rate = sound.mono_stretch(first, last), sound.sample_rate
    if sample_rate in (None, file_rate):
        return waveform, file_rate
    require_audio_rate(file_rate, path)
    return resample(waveform, file_rate, sample_rate), sample_rate


def decode_clip(
    content: bytes, name: str, sample_rate: int | None = None
) -> tuple[np.ndarray, int]:
    """Reads the bytes of an audio file as `read_clip` reads a file.

    Args:
        content: Bytes of an audio file.
        name: Name in messages.
        sample_rate: Rate to resample to, Hz. Defaults to the file's.

    Returns:
        (waveform, sample_rate).

    Raises:
        UserError: For the reasons of `read_clip`.

    >>> write_clip("tone.wav", np.full(160, 0.5), 16000)
    >>> decode_clip(Path("tone.wav").read_bytes(), "tone")[0][:2].tolist()
    [0.5, 0.5]
    """
    clip = _decode(io.BytesIO(content), name, sample_rate)
    return clip.waveform, clip.sample_rate


def seconds_of(path: str | Path) -> float:
    """The length of an audio file, seconds: by its header where that can be relied on.

    Args:
        path: Audio file, as of `read_clip`.

    Raises:
        UserError: As `read_clip`; where the header is enough, samples aren't judged.

    >>> write_clip("tone.wav", np.zeros(4000), 8000)
    >>> seconds_of("tone.wav")
    0.5
    """
    with open_clip(path) as sound:
        require_audio_rate(sound.sample_rate, path)
        frames = sound.frames
        if frames is None:
            frames = sum(block.size for block in sound.mono_blocks())
        return frames / sound.sample_rate


def require_audio_rate(rate: int, name: str | Path) -> None:
    """Checks a rate before resampling.

    Args:
        rate: Sample rate of a file, Hz.
        name: Name of the file in messages.

    Raises:
        UserError: It is none of audio: below 100 Hz, or above 10 MHz.

    >>> require_audio_rate(1, "0.wav")
    Traceback (most recent call last):
    leaf_files.errors.UserError: the audio file 0.wav says that it has 1 samples ...
    """
    low, high = _RATES
    if not low <= rate <= high:
        raise UserError(
            f"the audio file {name} says that it has {rate} samples a second; audio "
            f"has {low} to {high}"
        )


def encoding_of(source: str | Path | BinaryIO) -> str:
    """The encoding of an audio file, in soundfile's words, such as "WAV PCM_24".

    Of a file that has to be decoded in parts, or with another header than its own,
    "by parts" follows: other decoders may read less of it.

    Args:
        source: Path of the file, or a binary file object.

    >>> write_clip("tone.flac", np.zeros(160), 16000)
    >>> encoding_of("tone.flac")
    'FLAC PCM_16'
    """
    with opened(source, "") as sound:
        return sound.encoding


def write_clip(path: str | Path, waveform: np.ndarray, sample_rate: int) -> None:
    """Writes a mono waveform as 16 bit audio, whole or not at all.

    `read_clip` returns the same samples, rounded to 1 / 32768.

    Args:
        path: Name that ends in .flac or .wav.
        waveform: (samples,), finite; clipped to [-1, 1].
        sample_rate: Sample rate, Hz.

    Raises:
        ValueError: Another extension, or not a finite (samples,) waveform.

    >>> write_clip("tone.wav", np.array([0.5, 2.0]), 16000)
    >>> read_clip("tone.wav")[0].round(3).tolist()
    [0.5, 1.0]
    """
    path = Path(path)
    if path.suffix.lower() not in (".flac", ".wav"):
        raise ValueError(f"`path` must end in .flac or .wav. Received: {path.name}")
    waveform = np.asarray(waveform)
    if waveform.ndim != 1 or not waveform.size:
        raise ValueError(
            "`waveform` must be (samples,) with at least one sample. "
            f"Received shape: {waveform.shape}"
        )
    if not np.isfinite(waveform).all():
        raise ValueError("`waveform` must hold finite numbers only.")
    pcm = np.clip(np.round(waveform * 32768.0), -32768, 32767)
    # libsndfile doesn't say of a full disk that it is full.
    content = io.BytesIO()
    form = path.suffix[1:].upper()
    soundfile.write(
        content, pcm.astype(np.int16), sample_rate, format=form, subtype="PCM_16"
    )
    with replacing(path) as temporary:
        temporary.write_bytes(content.getvalue())


def resample(waveform: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Resamples a waveform, with an anti-aliasing filter.

    Args:
        waveform: (samples,), float32.
        from_rate, to_rate: Sample rates, Hz, above 0.

    Returns:
        (round(samples * to_rate / from_rate),), float32, at least one sample;
        the waveform itself when the rates are equal.

    Raises:
        ValueError: A rate that is not above 0.

    >>> resample(np.zeros(441, np.float32), 44100, 16000).shape
    (160,)
    """
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError(
            "`from_rate` and `to_rate` must be above 0 Hz. "
            f"Received: {from_rate}, {to_rate}"
        )
    if from_rate == to_rate:
        return waveform
    import soxr

    least_samples = ceil_div(from_rate, to_rate)
    if waveform.size < least_samples:  # else nothing would be left
        waveform = np.pad(waveform, (0, int(least_samples) - waveform.size))
    return soxr.resample(waveform, from_rate, to_rate)


def require_audio_file(path: Path) -> None:
    """Raises a `UserError` unless a path is that of an audio file that holds bytes.

    A pipe or a device passes: its content is checked when it is read.

    >>> require_audio_file(Path("-"))
    Traceback (most recent call last):
    leaf_files.errors.UserError: there is no audio file -; standard input is /dev/stdin
    """
    try:
        status = path.stat()
    except (OSError, ValueError):
        hint = "; standard input is /dev/stdin" if str(path) == "-" else ""
        raise UserError(f"there is no audio file {path}{hint}") from None
    if stat.S_ISDIR(status.st_mode):
        raise UserError(f"expected an audio file, but {path} is a folder")
    if is_stream(path, status.st_mode):
        return
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"there is no audio file {path}: it is neither file nor pipe")
    if not is_audio_path(path):
        raise UserError(
            f"cannot read {path}: an audio file's name must end in one of "
            f"{', '.join(AUDIO_EXTENSIONS)}; convert it to one of them"
        )
    if not status.st_size:
        raise UserError(f"the audio file {path} is empty (0 bytes)")


@contextlib.contextmanager
def opened(source: Any, name: str | Path) -> Iterator["Sound"]:
    """An open `Sound`; faults of the file become a `UserError`.

    Args:
        source: Path, or binary file object.
        name: Name in messages.

    >>> write_clip("tone.wav", np.zeros(1000), 16000)
    >>> with opened("tone.wav", "tone.wav") as sound:
    ...     print(sound.sample_rate, [block.size for block in sound.mono_blocks(600)])
    16000 [600, 400]
    """
    is_file = hasattr(source, "read")
    given_source = contextlib.nullcontext(Source(source, name)) if is_file else None
    with given_source or opened_source(source) as of_bytes:
        parts = parts_of(of_bytes)
        with _opened_part(of_bytes, parts.parts[0], parts) as first:
            yield Sound(of_bytes, parts, first)


class Sound:
    """An open audio file.

    Args:
        source: `sources.Source`.
        parts: `parts.Parts`.
        first: `soundfile.SoundFile` of the first one.

    Attributes:
        sample_rate: Sample rate, Hz.
        encoding: Encoding, as `encoding_of` gives it.
        oddities: Its oddities, of `leaf_files.oddities`; complete once its last
            block is read.

    >>> write_clip("tone.wav", np.zeros(160), 16000)
    >>> with opened("tone.wav", "tone.wav") as sound:
    ...     _ = list(sound.mono_blocks())
    >>> sound.encoding, sound.oddities
    ('WAV PCM_16', ('digital silence',))
    """

    def __init__(self, source: Source, parts: Parts, first: soundfile.SoundFile):
        self._source, self._parts, self._first = source, parts, first
        self.sample_rate = first.samplerate
        self.encoding = f"{first.format} {first.subtype}"
        if not parts.is_plain:
            self.encoding += " by parts"
        self.oddities = parts.oddities

    @property
    def frames(self) -> int | None:
        """Samples of the waveform by the header; None if only reading can tell."""
        # Only an estimate for an MP3 without a Xing header.
        if self._parts.is_plain and self._first.format != "MP3":
            return self._first.frames
        return None

    def mono_blocks(self, frames: int = _BLOCK_VALUES) -> Iterator[np.ndarray]:
        """The mean of the channels, block by block; once only.

        Args:
            frames: Most samples in a block.

        Yields:
            (samples,), float32.

        Raises:
            UserError: It is cut short, without samples, or with samples that are not
                finite or beyond 1e6; blocks before the fault may have been yielded.
        """
        listener = Listener(self._first.subtype in ("FLOAT", "DOUBLE"))
        n_read = 0
        for file, part in self._files():
            n_in_part = 0
            for block in self._blocks(file, frames):
                mean = _mean(block)
                low, high = float(mean.min()), float(mean.max())
                _check_range(low, high, self._source.name)
                listener.hear(block, mean, low, high)
                n_in_part += mean.size
                yield mean
            _require_all(file, n_in_part, part.least, self._source.name)
            n_read += n_in_part
        if not n_read:
            raise UserError(f"the audio file {self._source.name} holds no samples")
        self.oddities += tuple(listener.oddities())

    def mono_stretch(self, first: int, last: int) -> np.ndarray:
        """The mean of the channels of a stretch, as in `mono_blocks`; once only.

        Args:
            first, last: Samples, the last one excluded.

        Returns:
            (last - first,), float32.

        Raises:
            UserError: As `mono_blocks`, of what is read; or it ends before `last`.
        """
        blocks, start = self.mono_blocks(), 0
        if self._seeks_exactly:
            with _refused(self._source.name, self._parts):
                self._first.seek(first)
            blocks, start = map(_mean, self._blocks(self._first, last - first)), first
        pieces = []
        for block in blocks:
            if start + block.size > first:
                pieces.append(block[max(0, first - start) : last - start])
            start += block.size
            if start >= last:
                break
        if start < last:
            raise UserError(
                f"the audio file {self._source.name} ends at sample {start}, before "
                f"sample {last}"
            )
        stretch = np.concatenate(pieces)
        low, high = float(stretch.min()), float(stretch.max())
        _check_range(low, high, self._source.name)
        return stretch

    @property
    def _seeks_exactly(self):
        """Whether any sample is found without decoding those before it."""
        kind, subtype = self._first.format, self._first.subtype
        is_simple = subtype.startswith("PCM_") or subtype in _SAMPLE_BY_SAMPLE
        return self._parts.is_plain and kind not in _IN_PACKETS and is_simple

    def _files(self):
        """(`soundfile.SoundFile`, `Part`) of each part, open while it is read."""
        first, *others = self._parts.parts
        yield self._first, first
        for part in others:
            with _opened_part(self._source, part, self._parts) as file:
                if file.samplerate != self.sample_rate:
                    raise UserError(
                        f"the audio file {self._source.name} holds several sounds one "
                        f"after the other, of {self.sample_rate} Hz and of "
                        f"{file.samplerate} Hz; cut it into its parts, or convert it "
                        "to one rate"
                    )
                yield file, part

    def _blocks(self, file, frames):
        frames = max(1, min(frames, _BLOCK_VALUES // file.channels))
        is_more = True
        while is_more:
            with _refused(self._source.name, self._parts), _quiet(self._parts):
                block = file.read(frames, dtype="float32", always_2d=True)
            is_more = len(block) == frames
            if len(block):
                yield block


@contextlib.contextmanager
def _opened_part(source, part, parts):
    """The `soundfile.SoundFile` of a `parts.Part`."""
    if part.pieces is not None:
        file = Spliced(source.file, part.pieces)
    elif source.path is not None:
        file = source.path
    else:
        file = source.file
        file.seek(0)
    with _refused(source.name, parts), _quiet(parts):
        opened_file = soundfile.SoundFile(file)
    with opened_file:
        if opened_file.format == "RAW":  # .au and .snd without a header
            raise UserError(
                f"the audio file {source.name} has no header: it holds no audio"
            )
        yield opened_file


@contextlib.contextmanager
def _refused(name, parts):
    """Turns a refusal of libsndfile into a `UserError`."""
    try:
        yield
    except soundfile.LibsndfileError as error:
        reason = "it is damaged, cut short or holds no audio"
        if parts.kind is not None:
            reason = (
                f"it begins as {parts.kind} does, and is damaged, cut short or coded "
                "in a way that can't be read here"
            )
        raise UserError(f"cannot read the audio file {name}: {reason}") from error
    except UnicodeEncodeError as error:
        raise UserError(
            f"cannot open the audio file {name}: its name is not valid text; rename it"
        ) from error


def _quiet(parts):
    """Hides what the MP3 decoder writes to stderr about repairs."""
    return native_logs_hidden() if parts.is_mpeg else contextlib.nullcontext()


def _mean(block):
    """The mean of the channels, (samples,)."""
    if block.shape[1] == 1:
        return block[:, 0]
    with np.errstate(all="ignore"):  # damaged samples are any numbers
        if block.shape[1] == 2:  # the same, several times as fast
            return (block[:, 0] + block[:, 1]) / np.float32(2)
        return block.mean(axis=1)


def _decode(source, name, sample_rate):
    """The `Clip` of a path or an open file."""
    try:
        with opened(source, name) as sound:
            blocks = list(sound.mono_blocks())
            waveform = blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
            file_rate, encoding = sound.sample_rate, sound.encoding
            oddities = sound.oddities
    except MemoryError as error:
        raise UserError(
            f"the audio file {name} is too long for the memory of this machine"
        ) from error
    if sample_rate in (None, file_rate):
        return Clip(waveform, file_rate, encoding, oddities)
    require_audio_rate(file_rate, name)
    waveform = resample(waveform, file_rate, sample_rate)
    return Clip(waveform, sample_rate, encoding, oddities)


def _check_range(low, high, name):
    loudest = max(high, -low)
    if not np.isfinite(loudest):
        raise UserError(
            f"the audio file {name} holds samples that are not finite numbers"
        )
    if loudest > _LOUDEST:
        raise UserError(
            f"the audio file {name} holds samples up to {loudest:.3g}, where full "
            f"scale is 1, and at most {_LOUDEST:.0e} is allowed; it is damaged, or has "
            "to be scaled"
        )


def _require_all(file, n_read, least, name):
    """Checks that as many samples came as a part of a file promises."""
    # Only an estimate for an MP3 without a Xing header: no promise to hold.
    promised = least if file.format == "MP3" else file.frames
    if n_read < promised:
        raise UserError(
            f"the audio file {name} is cut short: it promises {promised} "
            f"frames and holds {n_read}"
        )
