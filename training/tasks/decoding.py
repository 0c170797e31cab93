"""Audio files to waveforms inside a `tf.data` graph.

tensorflow-io's operators decode where they load, without Python and its lock; soundfile
decodes elsewhere, and the files that tensorflow-io can't read or may read in part only,
which `leaf_files.clips.encoding_of` calls "by parts". The samples are the same.
soundfile is no slower: by `python -m benchmarks input` it takes a third to two thirds
of the operators' time, as it releases Python's lock. soxr resamples in either case: the
resampler of tensorflow-io is a coarser one.
"""

import base64
import functools
import importlib.util
import os

import tensorflow as tf

from leaf_files.clips import decode_clip, read_clip, read_stretch, resample
from leaf_files.quiet import native_logs_hidden

TFIO, SOUNDFILE = "tensorflow-io", "soundfile"

# One sample of silence as 16 bit WAV.
_TINY_WAV = base64.b64decode(
    "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA=="
)


def libraries():
    """The names of the libraries that decode here, the default one first.

    >>> libraries()[-1]
    'soundfile'
    """
    return (TFIO, SOUNDFILE) if _operators() else (SOUNDFILE,)


def from_file(path, encoding, rate, sample_rate, library=None):
    """The waveform of an audio file, mono.

    Args:
        path, encoding, rate: Scalars: bytes of the path; format and subtype in
            soundfile's words, such as "FLAC PCM_16"; sample rate in Hz, int64.
        sample_rate: Rate of the waveform, Hz; clips of another rate are resampled.
        library: One of `libraries`; defaults to the first.

    Returns:
        float32 (samples,).

    >>> paths = tf.data.Dataset.from_tensors("drums/kick/0.wav")  # 0.1 s
    >>> [waveform] = paths.map(lambda p: from_file(p, "WAV PCM_16", 8000, 16000))
    >>> waveform.shape
    TensorShape([1600])
    """
    return _waveform(
        lambda: tf.io.read_file(path),
        lambda path: read_clip(os.fsdecode(path))[0],
        path,
        encoding,
        rate,
        sample_rate,
        library,
    )


def from_stretch(path, first, last, sample_rate):
    """The waveform of a stretch of an audio file, mono, exactly as it is in the whole.

    Args:
        path: Scalar, bytes of the path.
        first, last: Scalars, int64: samples of the file, the last one excluded.
        sample_rate: Rate of the waveform, Hz; the stretch is resampled to it.

    Returns:
        float32 (samples,).

    >>> paths = tf.data.Dataset.from_tensors("drums/kick/0.wav")
    >>> [waveform] = paths.map(lambda path: from_stretch(path, 100, 300, 8000))
    >>> waveform.shape
    TensorShape([200])
    """
    waveform = tf.numpy_function(
        lambda path, first, last: read_stretch(
            os.fsdecode(path), int(first), int(last), sample_rate
        )[0],
        [path, first, last],
        tf.float32,
    )
    return tf.ensure_shape(waveform, [None])


def from_bytes(content, encoding, rate, sample_rate, library=None):
    """The waveform of the content of an audio file; see `from_file`.

    >>> with open("drums/kick/0.wav", "rb") as file:  # 0.1 s
    ...     from_bytes(file.read(), "WAV PCM_16", 8000, 16000).shape
    TensorShape([1600])
    """
    return _waveform(
        lambda: content,
        lambda content: decode_clip(content, "of this example")[0],
        content,
        encoding,
        rate,
        sample_rate,
        library,
    )


def from_samples(samples, rate, sample_rate):
    """The waveform of samples that TFDS has decoded, mono.

    Args:
        samples: (samples,) or (samples, channels); integers in the range of int16 are
            scaled by 1 / 32768.
        rate: Rate of the samples, an int, Hz.
        sample_rate: Rate of the waveform, Hz.

    Returns:
        float32 (samples,).

    >>> stereo = tf.constant([[16384, 0], [0, 0]], tf.int16)
    >>> from_samples(stereo, 8000, 8000).numpy()
    array([0.25, 0.  ], dtype=float32)
    """
    waveform = tf.cast(samples, tf.float32)
    if samples.dtype.is_integer:
        waveform /= 32768.0
    if samples.shape.rank == 2:
        waveform = tf.reduce_mean(waveform, axis=1)
    return waveform if rate == sample_rate else _resampled(waveform, rate, sample_rate)


def _waveform(read, by_soundfile, source, encoding, rate, sample_rate, library):
    operators = _operators() if library in (None, TFIO) else {}

    def by_python():
        return tf.numpy_function(by_soundfile, [source], tf.float32)

    if operators:
        matches = tf.equal(encoding, list(operators))
        branches = [functools.partial(_mono, op, read) for op in operators.values()]
        branch = tf.where(tf.reduce_any(matches), tf.argmax(matches), len(branches))
        index = tf.cast(branch, tf.int32)
        waveform = tf.switch_case(index, [*branches, by_python])
    else:
        waveform = by_python()
    waveform = tf.ensure_shape(waveform, [None])
    return tf.cond(
        tf.equal(rate, sample_rate),
        lambda: waveform,
        lambda: _resampled(waveform, rate, sample_rate),
    )


def _resampled(waveform, rate, sample_rate):
    resampled = tf.numpy_function(
        lambda waveform, rate: resample(waveform, int(rate), sample_rate),
        [waveform, rate],
        tf.float32,
    )
    return tf.ensure_shape(resampled, [None])


def _mono(operator, read):
    return tf.reduce_mean(operator(read()), axis=1)


@functools.cache
def _operators():
    """{encoding: content -> float32 (samples, channels)}, of tensorflow-io."""
    audio = _tfio_audio()
    if audio is None:
        return {}

    def integers(decode, dtype):
        scale = 1 / -float(dtype.min)
        return lambda content: scale * tf.cast(decode(content, dtype=dtype), tf.float32)

    return {
        "WAV PCM_16": integers(audio.decode_wav, tf.int16),
        "WAV PCM_24": integers(audio.decode_wav, tf.int32),
        "WAV FLOAT": lambda content: audio.decode_wav(content, dtype=tf.float32),
        "FLAC PCM_16": integers(audio.decode_flac, tf.int16),
        "FLAC PCM_24": integers(audio.decode_flac, tf.int32),
        "OGG VORBIS": audio.decode_vorbis,
        "MP3 MPEG_LAYER_III": audio.decode_mp3,
    }


def _tfio_audio():
    """tfio.audio if its native operators load beside this TensorFlow, else None."""
    if importlib.util.find_spec("tensorflow_io") is None:
        return None
    try:
        with native_logs_hidden():
            from tensorflow_io import audio

            audio.decode_wav(tf.constant(_TINY_WAV), dtype=tf.int16)
    # Built for another TensorFlow, it raises errors of many types.
    except Exception:
        return None
    return audio
