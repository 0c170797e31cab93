"""The clips of a split that TFDS has prepared."""

import functools

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from training.tasks import decoding
from training.tasks.clip_sets import ClipSet
from training.tasks.identity import fingerprint
from training.tasks.records import Records
from training.tasks.tfds_manners import quiet

_READ_FOR_FINGERPRINT = 64  # examples


class TfdsClips:
    """Clips of one split, in the order in which they are stored.

    Args:
        builder: TFDS builder of the data set, which is prepared.
        tfds_split: Split in TFDS's notation, slices and sums included.
        task: `TfdsTask`, which names the features.
        split: Name of the split here, for the names of clips that have none.
        kept: Positions of the wanted clips in the split. Defaults to all.

    Attributes:
        labels: Names of the classes.
        multi_label: Whether a clip may have several labels.
    """

    def __init__(self, builder, tfds_split, task, split, kept=None):
        self._builder = builder
        self._tfds_split = tfds_split
        self._task = task
        self._split = split
        self._kept = kept
        feature = _entry(builder.info.features, task.label_key)
        self.labels = tuple(feature.names)
        self.multi_label = isinstance(feature, tfds.features.Sequence)
        self._info = builder.info.splits[tfds_split]

    def only(self, positions):
        """The `TfdsClips` at the given positions of the split."""
        return TfdsClips(
            self._builder, self._tfds_split, self._task, self._split, positions
        )

    def parts(self, *keys):
        """Some features of all examples of the split, as NumPy."""
        wanted: dict[str, object] = {}
        for key in keys:
            outer, _, inner = key.partition("/")
            whole = key in self._builder.info.features
            wanted.update({key: True} if whole else {outer: {inner: True}})
        return tfds.as_numpy(self._examples(tfds.decode.PartialDecoding(wanted)))

    def clip_set(self):
        """The `ClipSet`, readable by index where the files are local TFRecords."""
        kept = range(self._info.num_examples) if self._kept is None else self._kept
        kept = np.asarray(kept, np.int64)
        records = self._records
        if records is None:
            return ClipSet(len(kept), functools.partial(self._read_in_order, kept))
        return ClipSet.by_index(
            len(kept), functools.partial(self._at, kept), lambda: self._labels_of(kept)
        )

    @functools.cached_property
    def fingerprint(self):
        """A hash of the whole split, without reading all of it.

        It covers the data set's name and version, its labels, the number and sizes of
        its examples, and some examples themselves. Data that is prepared anew from the
        same archives has the same.
        """
        info, records = self._info, self._records
        parts = [
            self._builder.info.full_name,
            self._tfds_split,
            str(info.num_examples),
            *self.labels,
        ]
        if records is None:
            return fingerprint(parts)
        parts.append(np.ascontiguousarray(records.lengths).tobytes())
        n_read = min(len(records), _READ_FOR_FINGERPRINT)
        for index in np.linspace(0, len(records) - 1, n_read).astype(int):
            example = tf.train.Example.FromString(records.content(index))
            # Features of a record are stored in any order.
            for key, feature in sorted(example.features.feature.items()):
                parts += [key, feature.SerializeToString()]
        return fingerprint(parts)

    @functools.cached_property
    def _records(self):
        """`Records` of the split, or None."""
        local = "://" not in str(self._builder.data_path)
        if not local or self._builder.info.file_format.value != "tfrecord":
            return None
        instructions = self._info.file_instructions
        return Records([(i.filename, i.skip, i.take) for i in instructions])

    def _at(self, kept, sample_rate):
        to_clip = self._to_clip(sample_rate)
        positions = tf.constant(kept)
        features = self._builder.info.features

        def clip(index):
            position = positions[index]
            example = features.deserialize_example(
                self._records.read(position), decoders=self._decoders
            )
            return to_clip(position, example)

        return clip

    def _read_in_order(self, kept, sample_rate):
        wanted = np.zeros(self._info.num_examples, bool)
        wanted[kept] = True
        wanted = tf.constant(wanted)
        examples = self._examples(self._decoders).enumerate()
        return examples.filter(lambda position, _: wanted[position]).map(
            self._to_clip(sample_rate),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )

    def _labels_of(self, kept):
        key = self._task.label_key
        labels = [_entry(example, key) for example in self.parts(key)]
        if self.multi_label:
            multi_hot = np.zeros((len(labels), len(self.labels)), np.float32)
            for row, clip_labels in zip(multi_hot, labels):
                row[clip_labels] = 1
            return multi_hot[kept]
        return np.asarray(labels, np.int64)[kept]

    def _examples(self, decoders):
        # One file after the other, as `Records` has them.
        config = tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)
        with quiet():
            return self._builder.as_dataset(
                split=self._tfds_split,
                shuffle_files=False,
                decoders=decoders,
                read_config=config,
            )

    @property
    def _decoders(self):
        """TFDS decoders that leave audio files as they are, or None."""
        key = self._task.waveform_key
        if _is_file(self._builder.info.features[key]):
            return {key: tfds.decode.SkipDecoding()}
        return None

    def _to_clip(self, sample_rate):
        task, features = self._task, self._builder.info.features

        def clip(position, example):
            if _is_file(features[task.waveform_key]):
                waveform = decoding.from_bytes(
                    example[task.waveform_key],
                    example["encoding"],
                    example["sample_rate"],
                    sample_rate,
                )
            else:
                waveform = decoding.from_samples(
                    example[task.waveform_key], task.sample_rate, sample_rate
                )
            name = tf.strings.format(f"{self._split}/{{}}", position)
            return {
                "waveform": waveform,
                "label": self._label(_entry(example, task.label_key)),
                "clip": _entry(example, task.clip_key) if task.clip_key else name,
            }

        return clip

    def _label(self, label):
        if not self.multi_label:
            return tf.cast(label, tf.int64)
        each = tf.one_hot(label, len(self.labels), True, False, dtype=tf.bool)
        return tf.cast(tf.reduce_any(each, axis=0), tf.float32)


def _is_file(feature):
    """Whether a feature holds an audio file, not its samples."""
    return feature.get_serialized_info().tf_dtype == tf.string


def _entry(features, key):
    """The value of a mapping at "a", at "a/b" itself, or at b inside a."""
    if key in features:
        return features[key]
    outer, _, inner = key.partition("/")
    return features[outer][inner]
