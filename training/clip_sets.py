"""What a task hands to the pipeline: clips with labels, in three splits."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

SPLITS = ("train", "validation", "test")


class ListedClip(NamedTuple):
    """What a run remembers of a clip.

    Attributes:
        sound: 16 hexadecimal digits of `training.splits.identity`.
        label: Name of its class.
        file: Its name for people; says nothing of which clip it is.
    """

    sound: str
    label: str
    file: str


@dataclasses.dataclass(frozen=True)
class ClipSet:
    """Labelled clips in a fixed order, read when they are asked for.

    Attributes:
        n_examples: Number of clips.
        read: From a sample rate in Hz to the clips as a `tf.data.Dataset`.
        at: From a sample rate in Hz to a function that reads one clip by its index,
            a scalar int64 tensor, inside a graph. None if they can be read only one
            after the other.
        read_labels: Reads the labels alone, a NumPy array. None if this is no faster
            than reading the clips.
        clips: A `ListedClip` each, in order; None where their sounds aren't known.
        fingerprint: Of the clips, where they aren't listed; None if unknown.
    """

    n_examples: int
    read: "Callable[[int], tf.data.Dataset]"
    at: "Callable[[int], Callable[[tf.Tensor], dict]] | None" = None
    read_labels: "Callable[[], np.ndarray] | None" = None
    clips: Sequence[ListedClip] | None = None
    fingerprint: str | None = None

    @classmethod
    def by_index(cls, n_examples, at, read_labels=None, clips=None, fingerprint=None):
        """A set whose clips can be read in any order.

        Args:
            n_examples, at, read_labels, clips, fingerprint: As the attributes.
        """

        def read(sample_rate):
            import tensorflow as tf

            return tf.data.Dataset.range(n_examples).map(
                at(sample_rate),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )

        return cls(n_examples, read, at, read_labels, clips, fingerprint)

    def only(self, indices):
        """Those at some indices, which are in increasing order, as a `ClipSet`.

        The others aren't read, if clips can be read by index.
        """
        import numpy as np
        import tensorflow as tf

        wanted = tf.constant(np.asarray(indices, np.int64))
        clips = self.clips and [self.clips[index] for index in indices]
        read_at = self.at
        if read_at is None:
            read = functools.partial(self._read_only, wanted)
            return ClipSet(len(indices), read, clips=clips)

        def at(sample_rate):
            clip = read_at(sample_rate)
            return lambda index: clip(wanted[index])

        labels = self.read_labels
        if labels is not None:
            labels = functools.partial(_only_labels, labels, indices)
        return ClipSet.by_index(len(indices), at, labels, clips)

    def _read_only(self, wanted, sample_rate):
        import tensorflow as tf

        clips = self.dataset(sample_rate).enumerate()
        return clips.filter(lambda index, _: tf.reduce_any(index == wanted)).map(
            lambda _, clip: clip
        )

    def dataset(self, sample_rate):
        """The clips as a `tf.data.Dataset`, in the same order each time.

        Args:
            sample_rate: In Hz; clips of another rate are resampled.

        Returns:
            A dataset of dicts: "waveform", float32 (samples,), mono, full
            scale is [-1, 1]; "label", int64, an index of the task's labels, or
            of a multi-label task float32 (n_classes,), 1 for each label that
            the clip has and 0 for the others; "clip", a string, unique in the
            task.
        """
        import tensorflow as tf

        return self.read(sample_rate).apply(
            tf.data.experimental.assert_cardinality(self.n_examples)
        )


def _only_labels(read_labels, indices):
    return read_labels()[list(indices)]


@dataclasses.dataclass(frozen=True)
class TaskData:
    """The clips of one task.

    Attributes:
        labels: Names of the classes.
        splits: A `ClipSet` for each of `SPLITS`; none shares a clip with
            another.
        multi_label: True if a clip may have several labels, or none.
        fingerprint: Of all clips, whatever their split, where they aren't listed; None
            if unknown.
    """

    labels: tuple[str, ...]
    splits: Mapping[str, ClipSet]
    multi_label: bool = False
    fingerprint: str | None = None
