"""The records of TFRecord files, by number."""

import os
import struct

import numpy as np
import tensorflow as tf

# The length of a record and a checksum precede its data; a checksum follows it.
_LENGTH = struct.Struct("<Q")
_BEFORE, _AFTER = 12, 4


class Records:
    """Records of files on a local disk, file after file, read on demand.

    Args:
        parts: (path, first, n) of each file, for its records from `first` on.

    Raises:
        ValueError: A file has fewer whole records.

    >>> with tf.io.TFRecordWriter("words.tfrecord") as file:
    ...     for word in (b"no", b"yes"):
    ...         file.write(word)
    >>> Records([("words.tfrecord", 0, 2)]).content(1)
    b'yes'
    """

    def __init__(self, parts):
        self._paths = [os.fspath(path) for path, _, _ in parts]
        places = [_places(path, first, n) for path, first, n in parts]
        self._files = np.repeat(np.arange(len(places)), [len(p) for p in places])
        self._places = np.concatenate(places)

    def __len__(self):
        return len(self._places)

    @property
    def lengths(self):
        """Number of bytes of each record, (n,)."""
        return self._places[:, 1]

    def content(self, index):
        """The bytes of the record at an index, an int."""
        return self._read(index)

    def read(self, index):
        """The bytes of the record at an index, a scalar tensor, int64."""
        return tf.ensure_shape(tf.numpy_function(self._read, [index], tf.string), [])

    def _read(self, index):
        start, length = self._places[index]
        with open(self._paths[self._files[index]], "rb") as file:
            file.seek(start)
            return file.read(length)


def _places(path, first, n):
    """Start and length of the data of each record, bytes, (n, 2)."""
    places = np.zeros((n, 2), np.int64)
    with open(path, "rb", buffering=0) as file:
        position = 0
        for index in range(first + n):
            file.seek(position)
            header = file.read(_LENGTH.size)
            if len(header) < _LENGTH.size:
                break
            (length,) = _LENGTH.unpack(header)
            if index >= first:
                places[index - first] = position + _BEFORE, length
            position += _BEFORE + length + _AFTER
        if len(header) < _LENGTH.size or position > file.seek(0, os.SEEK_END):
            raise ValueError(f"{path} is cut short: it has no whole record {index}")
    return places
