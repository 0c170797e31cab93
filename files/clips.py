"""Reads and writes clips: any format, rate and channels to a mono waveform."""

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import soundfile

from files.atomic import replacing
from files.errors import UserError
from files.quiet import native_logs_hidden

# What libsndfile reads, by the ends of names; the content says what it is.
AUDIO_EXTENSIONS = (
    *(".wav", ".flac", ".ogg", ".mp3", ".opus", ".oga", ".mp2", ".wave", ".bwf"),
    *(".rf64", ".w64", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".sph"),
    ".nist",
)

# Values read at once: a damaged header may promise any number of frames, so
# memory follows what the file holds.
_BLOCK_VALUES = 2**20

# How libsndfile tells that a WAV file holds less than its header promises.
_SHORT_DATA = re.compile(r"^data : (\d+) \(should be (\d+)\)", re.MULTILINE)
_BLOCK_ALIGN = re.compile(r"Block Align +: (\d+)")
# Sizes from here on stand for "until the end", in files that were streamed.
_UNKNOWN_SIZE = 0x7FFFF000

# Rates of audio, in Hz. A damaged header may say 1 Hz, and a second of that resampled
# to what models take would fill the memory.
_RATES = (100, 10_000_000)
# What frontends can take without a number that isn't finite; full scale is 1.
_LOUDEST = 1e6


def is_audio_path(path):
    """True if the name ends in one of `AUDIO_EXTENSIONS`, in any case."""
    return Path(path).suffix.lower() in AUDIO_EXTENSIONS


def read_clip(path, sample_rate=None):
    """Reads an audio file as one mono waveform.

    Args:
        path: Audio file, named as one of `AUDIO_EXTENSIONS`, of any rate; channels
            are averaged.
        sample_rate: In Hz, the rate to resample to. Defaults to the file's.

    Returns:
        (waveform, sample_rate): float32 (samples,), full scale is [-1, 1]
        (lossy formats and resampling may overshoot a little), and its rate in
        Hz.

    Raises:
        UserError: The file is missing, a folder, empty, no audio by its name
            or content, cut short, without samples, with samples that are not
            finite or beyond 1e6, or, where it is to be resampled, of a rate that is
            none of audio. The message names the file.
    """
    path = Path(path)
    try:
        require_audio_file(path)
        return _decode(path, path, sample_rate)
    except OSError as error:
        raise UserError(
            f"cannot read the audio file {path}: {error.strerror or error}"
        ) from error


def decode_clip(content, name, sample_rate=None):
    """Reads the bytes of an audio file as `read_clip` reads a file.

    Args:
        content: Of an audio file.
        name: What messages call it.
        sample_rate: In Hz, the rate to resample to. Defaults to the file's.

    Returns:
        (waveform, sample_rate).

    Raises:
        UserError: As `read_clip`.
    """
    return _decode(io.BytesIO(content), name, sample_rate)


def require_audio_rate(rate, name):
    """Checks a rate before resampling.

    Args:
        rate: Of a file, in Hz.
        name: What messages call the file.

    Raises:
        UserError: It is none of audio: below 100 Hz, or above 10 MHz.
    """
    low, high = _RATES
    if not low <= rate <= high:
        raise UserError(
            f"the audio file {name} says that it has {rate} samples a second; audio "
            f"has {low} to {high}"
        )


def encoding_of(source):
    """What is in an audio file, in soundfile's words, such as "WAV PCM_24".

    Args:
        source: Path of the file, or a binary file object.
    """
    info = soundfile.info(source)
    return f"{info.format} {info.subtype}"


def write_clip(path, waveform, sample_rate):
    """Writes a mono waveform as 16 bit audio, whole or not at all.

    `read_clip` returns the same samples, rounded to 1 / 32768.

    Args:
        path: Name that ends in .flac or .wav.
        waveform: (samples,), finite; clipped to [-1, 1].
        sample_rate: In Hz.

    Raises:
        ValueError: Another extension, or not a finite (samples,) waveform.
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


def resample(waveform, from_rate, to_rate):
    """Resamples a waveform, with an anti-aliasing filter.

    Args:
        waveform: (samples,), float32.
        from_rate, to_rate: In Hz, above 0.

    Returns:
        (round(samples * to_rate / from_rate),), float32, at least one sample;
        the waveform itself when the rates are equal.

    Raises:
        ValueError: A rate that is not above 0.
    """
    if from_rate <= 0 or to_rate <= 0:
        raise ValueError(
            "`from_rate` and `to_rate` must be above 0 Hz. "
            f"Received: {from_rate}, {to_rate}"
        )
    if from_rate == to_rate:
        return waveform
    import soxr

    least_samples = -(-from_rate // to_rate)
    if waveform.size < least_samples:  # else nothing would be left
        waveform = np.pad(waveform, (0, int(least_samples) - waveform.size))
    return soxr.resample(waveform, from_rate, to_rate)


def require_audio_file(path):
    """Raises a `UserError` unless a path is that of an audio file that holds bytes."""
    if path.is_dir():
        raise UserError(f"expected an audio file, but {path} is a folder")
    if not path.is_file():
        raise UserError(f"there is no audio file {path}")
    if not is_audio_path(path):
        raise UserError(
            f"cannot read {path}: an audio file's name must end in one of "
            f"{', '.join(AUDIO_EXTENSIONS)}; convert it to one of them"
        )
    if not path.stat().st_size:
        raise UserError(f"the audio file {path} is empty (0 bytes)")


@contextlib.contextmanager
def opened(source, name):
    """An open `soundfile.SoundFile`; what is wrong with it becomes a `UserError`.

    Args:
        source: Path, or binary file object.
        name: What messages call it.
    """
    try:
        with _quiet(_may_be_mp3(source, name)):
            file = soundfile.SoundFile(source)
        with file:
            if file.format == "RAW":  # .au and .snd without a header, taken on trust
                raise UserError(
                    f"the audio file {name} has no header: it holds no audio"
                )
            yield file
    except soundfile.LibsndfileError as error:
        raise UserError(
            f"cannot read the audio file {name}: it is damaged, cut short or "
            "holds no audio"
        ) from error
    except UnicodeEncodeError as error:
        raise UserError(
            f"cannot open the audio file {name}: its name is not valid text; rename it"
        ) from error


def mono_blocks(file, name, frames=_BLOCK_VALUES):
    """The mean of the channels of an open file, block by block.

    Args:
        file: Of `opened`.
        name: What messages call it.
        frames: Most samples in a block.

    Yields:
        (samples,), float32.

    Raises:
        UserError: It is cut short, without samples, or with samples that are not
            finite or beyond 1e6; of that a block before may have been yielded.
    """
    frames = max(1, min(frames, _BLOCK_VALUES // file.channels))
    n_read, is_more = 0, True
    while is_more:
        with _quiet(file.format == "MP3"):
            block = file.read(frames, dtype="float32", always_2d=True)
        with np.errstate(all="ignore"):  # damaged samples are any numbers
            block = block.mean(axis=1)
        _check_samples(block, name)
        n_read += block.size
        is_more = block.size == frames
        if block.size:
            yield block
    # Only an estimate for an MP3 without a Xing header: no promise to hold.
    if file.format != "MP3" and n_read < file.frames:
        raise UserError(
            f"the audio file {name} is cut short: it promises {file.frames} "
            f"frames and holds {n_read}"
        )
    _check_promised_bytes(file.extra_info, name)
    if not n_read:
        raise UserError(f"the audio file {name} holds no samples")


def _quiet(is_mp3):
    """The MP3 decoder writes to stderr of what it mends or skips."""
    return native_logs_hidden() if is_mp3 else contextlib.nullcontext()


def _may_be_mp3(source, name):
    """By the first bytes of a file or by its name, as libsndfile tells."""
    if str(name).lower().endswith(".mp3"):
        return True
    if hasattr(source, "read"):
        start = source.read(3)
        source.seek(0)
    else:
        with open(source, "rb") as file:
            start = file.read(3)
    return start == b"ID3" or (start[:1] == b"\xff" and start[1:2] >= b"\xe0")


def _decode(source, name, sample_rate):
    """`read_clip` of a path or an open file."""
    try:
        with opened(source, name) as file:
            waveform = np.concatenate(list(mono_blocks(file, name)))
            file_rate = file.samplerate
    except MemoryError as error:
        raise UserError(
            f"the audio file {name} is too long for the memory of this machine"
        ) from error
    if sample_rate in (None, file_rate):
        return waveform, file_rate
    require_audio_rate(file_rate, name)
    return resample(waveform, file_rate, sample_rate), sample_rate


def _check_samples(waveform, name):
    loudest = np.max(np.abs(waveform), initial=0.0)
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


def _check_promised_bytes(log, name):
    """libsndfile takes a WAV file that was cut short for a shorter one."""
    found = _SHORT_DATA.search(log)
    if not found:
        return
    promised, held = map(int, found.groups())
    align = _BLOCK_ALIGN.search(log)
    least = max(1, int(align[1]) if align else 1)
    if promised < _UNKNOWN_SIZE and promised - held >= least:
        raise UserError(
            f"the audio file {name} is cut short: it promises {promised} bytes of "
            f"samples and holds {held}"
        )
