"""Clips in shards: few large files in place of many small ones, on a disk or a bucket.

`python -m training prepare` writes them, by `training.tasks.preparing`. A folder of
shards holds

- `shards.json`, written last: the task, its labels and splits;
- `clips.csv`: a line a clip, and where it is located;
- `SPLIT-NNNNN-of-NNNNN.tfrecord`: one `tf.train.Example` a clip, whose "audio" is its
  audio file, whole.
"""

import csv
import dataclasses
import io
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from leaf_files.clips import decode_clip
from leaf_files.command_line import program
from leaf_files.errors import UserError
from leaf_files.json_files import parse_json
from leaf_files.run_folder import LABEL_SEPARATOR
from training.tasks.background.adding import with_background
from training.tasks.background.sources import BackgroundSources
from training.tasks.clip_sets import SPLITS, ClipSet, ListedClip, TaskData
from training.tasks.identity import SOUND_DIGITS

PREFIX = "shards:"
MANIFEST, TABLE = "shards.json", "clips.csv"
FORMAT = 1
# What a preparation that isn't finished is of.
PLAN = "plan.json"
OURS = re.compile(
    rf"(?:{'|'.join(SPLITS)})-\d{{5}}-of-\d{{5}}\.(?:tfrecord|csv)"
    rf"|{re.escape(TABLE)}|{re.escape(PLAN)}|\.[0-9a-f]{{32}}\.(?:tfrecord|csv|json)"
)
# Before the data of a record are its length and a checksum, after it a checksum.
BEFORE, AFTER = 12, 4


class Shelved(NamedTuple):
    """A clip in a shard.

    Attributes:
        split: Split of the clip.
        shard: Name of the file.
        start, length: Place of the record's data in it, bytes.
        encoding, sample_rate: Encoding and rate of the audio file, see `Heard`.
        sound: Identity of the sound.
        labels: Names of its classes, separated by "|".
        group: Group of the clip; "" if unknown.
        weight: Weight in the loss.
        clip: Name of the clip.

    >>> row = ("WAV PCM_16", 8000, "9f3c", "dog", "", 1.0, "dog/a.wav")
    >>> Shelved("test", "test-00000-of-00001.tfrecord", 12, 2000, *row).labels
    'dog'
    """

    split: str
    shard: str
    start: int
    length: int
    encoding: str
    sample_rate: int
    sound: str
    labels: str
    group: str
    weight: float
    clip: str


@dataclasses.dataclass(frozen=True)
class ShardsTask:
    """The task `shards:FOLDER`, with the splits that were prepared.

    Attributes:
        path: Folder of the shards, a str; or the address of one in a bucket.
        metric: Main metric of the task.
        sources: `BackgroundSources` by the settings of the run, or None.
        splitting: None: no settings split it.
        split_rule: Rule of the splits, in words.

    >>> ShardsTask("/data/drums").is_same(ShardsTask("/data/../data/drums"))
    True
    """

    path: str
    metric: str = "accuracy"
    sources: BackgroundSources | None = None

    splitting = None
    split_rule = "as they were prepared"

    @property
    def name(self):
        return f"{PREFIX}{self.path}"

    @property
    def why_not_split(self):
        """A line that says why nobody's settings split it."""
        return f"the splits of {self.name} are those it was prepared with"

    def is_same(self, other):
        """Whether another task is this one."""
        if not isinstance(other, ShardsTask):
            return False
        return _real(self.path) == _real(other.path)

    def load(self, data_dir=None, seed=0):
        """Opens the shards.

        Args:
            data_dir: Ignored: the folder is the data.
            seed: Seed of the background's split; that of the clips is fixed.

        Returns:
            A `TaskData`: the one that was prepared, with its background.

        Raises:
            UserError: There are none, or they are damaged.
        """
        manifest, clips = self._read()
        labels = tuple(manifest["labels"])
        multi_label = manifest["multi_label"]
        splits = {
            split: self._clip_set(
                [clip for clip in clips if clip.split == split], labels, multi_label
            )
            for split in SPLITS
        }
        data = TaskData(labels, splits, multi_label)
        return with_background(data, self.sources, seed)

    def _read(self):
        """(content of the manifest, `Shelved` clips)."""
        manifest_path = _join(self.path, MANIFEST)
        if not _exists(self.path):
            raise UserError(f"there is no folder {self.path}; {_wanted()}")
        if not _exists(manifest_path):
            raise UserError(
                f"{self.path} holds no {MANIFEST}, so that it is no folder of shards, "
                f"or was not written to its end; {_wanted()}"
            )
        try:
            manifest = parse_json(_content(manifest_path))
            if manifest["format"] != FORMAT:
                raise ValueError(f"it is of format {manifest['format']}, not {FORMAT}")
            clips = [*read_rows(_content(_join(self.path, TABLE)))]
            self._require_whole(manifest, clips)
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise UserError(
                f"the shards in {self.path} are damaged ({_reason(error)}); bring them "
                "back as they were, or prepare them anew in another folder"
            ) from error
        return manifest, clips

    def _require_whole(self, manifest, clips):
        """Checks that all is there, by the sizes of files."""
        counts = {split: 0 for split in SPLITS}
        for clip in clips:
            counts[clip.split] += 1
        if counts != manifest["splits"]:
            raise ValueError(f"{TABLE} lists other clips than {MANIFEST} counts")
        for shard, size in manifest["shards"].items():
            n_bytes = _size(_join(self.path, shard))
            if n_bytes != size:
                raise ValueError(f"{shard} has {n_bytes} bytes, not {size}")

    def _clip_set(self, clips, labels, multi_label):
        reading = _Reading(self.path, clips, labels, multi_label)
        groups = [clip.group for clip in clips]
        return ClipSet.by_index(
            len(clips),
            reading.at,
            lambda: reading.targets,
            [ListedClip(c.sound[:SOUND_DIGITS], c.labels, c.clip) for c in clips],
            groups=groups if all(groups) else None,
            weighted=reading.weighted,
            waveforms=reading,
        )


class _Reading:
    """Reads clips of shards: `ClipSet.at` and `ClipSet.waveforms`.

    Args:
        path: Folder of the shards.
        clips: `Shelved` ones.
        labels: Names of the classes.
        multi_label: Whether a clip may have several labels.
    """

    def __init__(self, path, clips, labels, multi_label):
        self._path = path
        self._clips = clips
        self.targets = _targets(clips, labels, multi_label)
        self.weighted = any(clip.weight != 1 for clip in clips)

    def in_memory(self, sample_rate):
        """False: clips are read when they are asked for."""
        return False

    def read(self, sample_rate, index):
        """The waveform of the clip at an index, an int; from any thread."""
        clip = self._clips[index]
        return decode_clip(self._audio(index), clip.clip, sample_rate)[0]

    def at(self, sample_rate):
        """See `ClipSet.at`."""
        import tensorflow as tf

        from training.tasks import decoding

        clips = self._clips
        encodings = tf.constant([clip.encoding for clip in clips], tf.string)
        rates = tf.constant([clip.sample_rate for clip in clips], tf.int64)
        tensors = {
            "label": tf.constant(self.targets),
            "clip": tf.constant([os.fsencode(clip.clip) for clip in clips], tf.string),
        }
        if self.weighted:
            weights = [clip.weight for clip in clips]
            tensors["weight"] = tf.constant(weights, tf.float32)

        def clip(index):
            content = tf.numpy_function(self._audio, [index], tf.string)
            waveform = decoding.from_bytes(
                tf.ensure_shape(content, []),
                encodings[index],
                rates[index],
                sample_rate,
            )
            parts = {key: tensor[index] for key, tensor in tensors.items()}
            return {"waveform": waveform, **parts}

        return clip

    def _audio(self, index):
        """The bytes of the audio file of the clip at an index."""
        import tensorflow as tf

        clip = self._clips[index]
        path = _join(self._path, clip.shard)
        record = _content(path, clip.start, clip.length)
        try:
            example = tf.train.Example.FromString(record)
            [content] = example.features.feature["audio"].bytes_list.value
        # Of bytes that are no message it says so in its own ways.
        except Exception as error:
            raise UserError(
                f"the clip {clip.clip} in {path} can't be read: its record is damaged"
            ) from error
        return content


def _targets(clips, labels, multi_label):
    """Class indices, int64 (n_clips,), or float32 (n_clips, n_classes) of 0 and 1."""
    place = {label: n for n, label in enumerate(labels)}
    if not multi_label:
        return np.array([place[clip.labels] for clip in clips], np.int64)
    hot = np.zeros((len(clips), len(labels)), np.float32)
    for row, clip in zip(hot, clips):
        row[[place[name] for name in clip.labels.split(LABEL_SEPARATOR) if name]] = 1
    return hot


def read_rows(content):
    """Yields the `Shelved` clips of a table.

    >>> header = ",".join(Shelved._fields)
    >>> row = "test,0.tfrecord,12,2000,WAV PCM_16,8000,9f3c,dog,,1.0,dog/a.wav"
    >>> [clip] = read_rows(f"{header}\\n{row}".encode())
    >>> clip.start, clip.labels, clip.weight
    (12, 'dog', 1.0)
    """
    text = content.decode(errors="surrogateescape")
    rows = csv.reader(io.StringIO(text, newline=""))
    if tuple(next(rows, ())) != Shelved._fields:
        raise ValueError(f"{TABLE} has other columns")
    kinds = tuple(Shelved.__annotations__.values())
    for row in rows:
        if len(row) != len(kinds):
            raise ValueError(f"line {rows.line_num} of {TABLE} has {len(row)} columns")
        clip = Shelved(*(kind(value) for kind, value in zip(kinds, row)))
        if clip.split not in SPLITS:
            raise ValueError(f"line {rows.line_num} of {TABLE} has no split")
        yield clip


def _wanted():
    return f"write shards with: {program('training')} prepare TASK --output FOLDER"


def require_output(output):
    """Refuses, before any long work, what can't be a folder of shards.

    Raises:
        UserError: It is a bucket, a file, or a folder of other things.

    >>> require_output("drums")
    Traceback (most recent call last):
    leaf_files.errors.UserError: will not write into the folder drums: ...
    """
    if _is_remote(str(output)):
        raise UserError(
            f"shards are written to a folder of this machine, not to {output}; copy "
            "the folder there when it is finished"
        )
    output = Path(output)
    if output.exists() and not output.is_dir():
        raise UserError(f"cannot write to the folder {output}: it is a file")
    names = {path.name for path in output.iterdir()} if output.exists() else set()
    others = sorted(name for name in names - {MANIFEST} if not OURS.fullmatch(name))
    is_begun = names & {MANIFEST, PLAN}
    if names and (others or not is_begun):
        raise UserError(
            f"will not write into the folder {output}: it holds other files, such as "
            f"{(others or sorted(names))[0]}; name a new or an empty folder"
        )


def _is_remote(path):
    """Whether a path is the address of a bucket."""
    return "://" in path


def expanded(path):
    """A path with the home folder in place of "~"; the address of a bucket as it is.

    >>> expanded("gs://bucket/drums"), expanded("~") == str(Path.home())
    ('gs://bucket/drums', True)
    """
    return path if _is_remote(path) else os.path.expanduser(path)


def _join(folder, name):
    return f"{folder.rstrip('/')}/{name}" if _is_remote(folder) else f"{folder}/{name}"


def _real(path):
    return path.rstrip("/") if _is_remote(path) else os.path.realpath(path)


def _exists(path):
    if not _is_remote(path):
        return os.path.exists(path)
    return _of_bucket(path, lambda gfile: gfile.exists(path))


def _size(path):
    if not _is_remote(path):
        return os.path.getsize(path)
    return _of_bucket(path, lambda gfile: gfile.stat(path).length)


def _content(path, start=0, length=-1):
    """Bytes of a file, by default all of them."""

    def read(file):
        file.seek(start)
        return file.read(length)

    if not _is_remote(path):
        with open(path, "rb", buffering=0 if length >= 0 else -1) as file:
            return read(file)

    def of_bucket(gfile):
        with gfile.GFile(path, "rb") as file:
            return read(file)

    return _of_bucket(path, of_bucket)


def _of_bucket(path, ask):
    """The answer of TensorFlow's file systems; what is wrong becomes a `UserError`."""
    import tensorflow as tf

    try:
        return ask(tf.io.gfile)
    except tf.errors.OpError as error:
        raise UserError(f"cannot read {path}: {_reason(error)}") from error


def _reason(error):
    return f"{getattr(error, 'message', None) or error!r:.200}"
