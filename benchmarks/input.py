"""`python -m benchmarks input`: how many clips a second each way of reading gives."""

import functools
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import tensorflow as tf

from benchmarks import tfds_clips
from benchmarks.signals import audio_paths
from benchmarks.speed import machine
from benchmarks.timing import interleave
from leaf_files.clips import encoding_of, read_clip
from training.tasks import decoding

SAMPLE_RATE = 16000
# Extension, subtype, rate and channels of the clips that are made.
FORMATS = (
    ("wav", "PCM_16", 16000, 1),
    ("flac", "PCM_16", 16000, 1),
    ("flac", "PCM_24", 44100, 2),
    ("ogg", "VORBIS", 44100, 2),
    ("mp3", "MPEG_LAYER_III", 44100, 2),
)


def measure(seconds_each, n_clips=64, clip_seconds=4.0, folder=None):
    """Reads all clips again and again, each way in turn.

    The files lie in the memory of the operating system after the first pass: what is
    measured is decoding, resampling to 16 kHz, and TensorFlow's pipeline.

    Args:
        seconds_each: Time for each way.
        n_clips: Number of clips of each format that is made.
        clip_seconds: Their length.
        folder: Folder of clips to read instead, a Path.

    Returns:
        A dict for JSON: "machine"; "rows", one a way and format, each with
        "clips_per_second" and the quartiles of it, and "times_real_time".
    """
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        if folder is not None:
            groups = {str(folder): _found(folder)}
        else:
            _say(f"making clips of {clip_seconds:g} s")
            groups = _made(scratch, n_clips, clip_seconds)
        ways = {
            (library, title): _files(paths, library)
            for title, paths in groups.items()
            for library in decoding.libraries()
        }
        if folder is None:
            [(title, paths), *_] = groups.items()
            data = tfds_clips.prepare(scratch / "tfds", paths)
            ways["TFDS, one after the other", f"samples of {title}"] = data.in_order
            ways["TFDS, by number", f"samples of {title}"] = data.samples
            ways["TFDS, by number", f"files, {title}"] = data.files
        return {
            "machine": {**machine(), "tensorflow": tf.__version__},
            "rows": _time(ways, seconds_each),
        }


def _time(ways, seconds_each):
    """Rows for {(way, clips): dataset of waveforms}."""
    lengths = {
        key: [len(waveform) for waveform in dataset.as_numpy_iterator()]
        for key, dataset in ways.items()
    }
    times = interleave(
        {": ".join(key): functools.partial(_pass, ways[key]) for key in ways},
        seconds_each,
        report=lambda name, number: _say(name) if number == 1 else None,
    )
    rows = []
    for (way, clips), value in zip(ways, times.values()):
        n_clips = len(lengths[way, clips])
        seconds = sum(lengths[way, clips]) / SAMPLE_RATE
        rows.append(
            {
                "way": way,
                "clips": clips,
                "n_clips": n_clips,
                "clips_per_second": n_clips / value.median,
                "quartiles": [n_clips / q for q in value.quartiles[::-1]],
                "times_real_time": seconds / value.median,
            }
        )
    return rows


def _pass(dataset):
    """Reads all clips once, without handing them to Python."""
    dataset.reduce(np.int64(0), lambda n, waveform: n + tf.size(waveform, tf.int64))


def _files(paths, library):
    """The waveforms of files, as the pipeline of training reads them."""
    infos = [soundfile.info(path) for path in paths]
    table = (
        [str(path) for path in paths],
        [encoding_of(path) for path in paths],
        np.array([info.samplerate for info in infos], np.int64),
    )
    return tf.data.Dataset.from_tensor_slices(table).map(
        lambda path, encoding, rate: decoding.from_file(
            path, encoding, rate, SAMPLE_RATE, library
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )


def _made(folder, n_clips, clip_seconds):
    """{what they are: paths} of noisy tones in each of `FORMATS`."""
    random = np.random.default_rng(0)
    groups = {}
    for extension, subtype, rate, channels in FORMATS:
        paths = []
        for index in range(n_clips):
            time = np.arange(int(clip_seconds * rate)) / rate
            tone = 0.3 * np.sin(2 * np.pi * random.uniform(100, 4000) * time)
            noise = random.uniform(-0.1, 0.1, (len(time), channels))
            path = folder / f"{extension}_{rate}_{channels}_{index}.{extension}"
            soundfile.write(path, tone[:, None] + noise, rate, subtype=subtype)
            paths.append(path)
        sounds = "mono" if channels == 1 else "stereo"
        groups[f"{encoding_of(paths[0])}, {rate} Hz, {sounds}"] = paths
    return groups


def _found(folder):
    paths = audio_paths(folder)
    for path in paths:
        read_clip(path)  # a damaged one is named
    return paths


def _say(line):
    print(line, file=sys.stderr, flush=True)
