"""`python -m training prepare`: a task's clips as shards."""

import hashlib
import io
import json
import os
from pathlib import Path

import numpy as np
import soundfile
import tensorflow as tf
from tqdm import tqdm

from leaf_files.atomic import make_folder, replacing, write_json, write_rows
from leaf_files.clips import read_stretch
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from training.tasks.clip_sets import SPLITS
from training.tasks.own.hearing import WHOLE
from training.tasks.shards import (
    AFTER,
    BEFORE,
    FORMAT,
    MANIFEST,
    OURS,
    PLAN,
    TABLE,
    Shelved,
    read_rows,
    require_output,
)

_SHARD_BYTES = 256 * 2**20
_SHARD = "{split}-{n:05d}-of-{of:05d}.tfrecord"
_PCM_SCALE = 32768


def prepare(task, seed, output, say, shard_bytes=_SHARD_BYTES):
    """Writes the clips of a task of the user's own as shards.

    Each shard is written whole. A preparation of the same clips that was cut off goes
    on after its last shard; one of others starts anew.

    Args:
        task: `OwnTask`.
        seed: Seed of its splits.
        output: Folder to write: new, empty, or of a preparation that didn't finish.
        say: Function that is called with lines on what is done.
        shard_bytes: Size from which a shard is closed.

    Raises:
        UserError: The folder holds something else, or the clips can't be used.

    >>> from training.tasks.own.folder import FolderTask
    >>> prepare(FolderTask(Path("drums")), 0, "shards", print)
    reading the clips of folder:drums
    6 train, 2 validation, 2 test clips in 3 shards, 0.0 MiB
    """
    require_output(output)
    output = Path(output)
    task.require_outside(output)
    say(f"reading the clips of {task.name}")
    data, clips = task.load_clips(seed)
    shards = {split: _cut(clips[split], shard_bytes) for split in SPLITS}
    plan = _plan(task, data, clips, shard_bytes)
    make_folder(output)
    if (output / MANIFEST).exists():
        if read_json(output / MANIFEST).get("plan") == plan:
            say(f"the shards in {output} are these clips, and whole")
            return
        raise UserError(
            f"{output} holds the shards of other clips, of these before they changed, "
            "or split otherwise; name a new or an empty folder"
        )
    n_done = _begin(output, plan)
    if n_done:
        say(f"going on after {n_done} shards")
    rows, sizes = [], {}
    n_clips = sum(len(of_split) for of_split in clips.values())
    with tqdm(total=n_clips, desc="writing", unit=" clips", disable=None) as bar:
        for split in SPLITS:
            for n, of_shard in enumerate(shards[split]):
                path = output / _SHARD.format(split=split, n=n, of=len(shards[split]))
                rows += _shard(path, split, of_shard, task.folder, bar)
                sizes[path.name] = path.stat().st_size
    write_rows(output / TABLE, Shelved._fields, rows)
    write_json(
        output / MANIFEST,
        {
            "format": FORMAT,
            "task": task.name,
            "labels": list(data.labels),
            "multi_label": data.multi_label,
            "splits": {split: len(clips[split]) for split in SPLITS},
            "shards": sizes,
            "plan": plan,
        },
    )
    for name in _names(output, ".csv"):
        (output / name).unlink()
    (output / PLAN).unlink()
    counts = ", ".join(f"{len(clips[split])} {split}" for split in SPLITS)
    n_bytes = sum(sizes.values())
    say(f"{counts} clips in {len(sizes)} shards, {n_bytes / 2**20:.1f} MiB")


def _cut(clips, shard_bytes):
    """Lists of clips, a shard each, by the sizes of their files."""
    shards: list[list] = []
    n_bytes = shard_bytes
    for clip in clips:
        if n_bytes >= shard_bytes:
            shards.append([])
            n_bytes = 0
        shards[-1].append(clip)
        if clip.stretch == WHOLE:
            n_bytes += clip.path.stat().st_size
        else:
            n_bytes += 4 * (clip.heard.last - clip.heard.first)
    return shards


def _plan(task, data, clips, shard_bytes):
    """A fingerprint of all that shards depend on."""
    digest = hashlib.sha256(f"{FORMAT} {shard_bytes} {data.multi_label}".encode())
    digest.update(json.dumps(data.labels).encode())
    for split in SPLITS:
        for clip in clips[split]:
            digest.update(repr(_about(split, "", 0, 0, clip, task.folder)).encode())
    return digest.hexdigest()


def _begin(output, plan):
    """Makes a folder ready; returns the number of shards that are there already."""
    path = output / PLAN
    try:
        is_same = read_json(path) == plan
    except (OSError, ValueError):
        is_same = False
    if not is_same:
        for name in _names(output, ".tfrecord", ".csv"):
            (output / name).unlink()
        write_json(path, plan)
    for half in output.glob(".*"):
        half.unlink()
    return len(_names(output, ".csv"))


def _names(output, *extensions):
    """Names of the files of shards."""
    return [
        path.name
        for path in output.iterdir()
        if OURS.fullmatch(path.name)
        and path.suffix in extensions
        and path.name != TABLE
    ]


def _shard(path, split, clips, folder, bar):
    """Writes a shard, unless it is there; returns the rows of its clips."""
    table = path.with_suffix(".csv")
    if path.exists() and table.exists():
        bar.update(len(clips))
        return [*read_rows(table.read_bytes())]
    rows, position = [], 0
    with (
        replacing(path) as temporary,
        tf.io.TFRecordWriter(os.fspath(temporary)) as writer,
    ):
        for clip in clips:
            content, encoding = _audio(clip)
            about = _about(split, path.name, 0, 0, clip, folder)
            record = _example(content, about, encoding)
            writer.write(record)
            rows.append(
                about._replace(
                    start=position + BEFORE, length=len(record), encoding=encoding
                )
            )
            position += BEFORE + len(record) + AFTER
            bar.update()
        writer.flush()
    write_rows(table, Shelved._fields, rows)
    return rows


def _audio(clip):
    """(bytes of the audio file of a clip, its encoding)."""
    if clip.stretch == WHOLE:
        try:
            return clip.path.read_bytes(), clip.heard.encoding
        except OSError as error:
            raise UserError(
                f"cannot read the audio file {clip.path}: {error.strerror or error}"
            ) from error
    waveform, rate = read_stretch(clip.path, clip.heard.first, clip.heard.last)
    content = io.BytesIO()
    pcm = np.round(waveform * _PCM_SCALE)
    is_exact = np.array_equal(pcm / np.float32(_PCM_SCALE), waveform)
    if is_exact and pcm.min() >= -_PCM_SCALE and pcm.max() < _PCM_SCALE:
        form, subtype, samples = "FLAC", "PCM_16", pcm.astype(np.int16)
    else:
        form, subtype, samples = "WAV", "FLOAT", waveform
    soundfile.write(content, samples, rate, format=form, subtype=subtype)
    return content.getvalue(), f"{form} {subtype}"


def _about(split, shard, start, length, clip, folder):
    """The `Shelved` entry of an `OwnClip`."""
    listed = clip.listed(folder)
    return Shelved(
        split,
        shard,
        start,
        length,
        clip.heard.encoding,
        clip.heard.sample_rate,
        clip.heard.identity,
        listed.label,
        clip.entry.group or "",
        clip.entry.weight,
        listed.file,
    )


def _example(content, about, encoding):
    """The bytes of a `tf.train.Example`."""

    def feature(value):
        if isinstance(value, int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        if isinstance(value, float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    values = {
        "audio": content,
        "encoding": encoding.encode(),
        "sample_rate": about.sample_rate,
        "sound": about.sound.encode(),
        "labels": about.labels.encode(),
        "group": about.group.encode(errors="surrogateescape"),
        "weight": float(about.weight),
        "clip": about.clip.encode(errors="surrogateescape"),
    }
    features = {key: feature(value) for key, value in values.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)
