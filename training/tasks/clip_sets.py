"""Clips with labels, in three splits: the interface of tasks and input pipeline."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from training.tasks.own.sounds import without_copies

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

SPLITS = ("train", "validation", "test")
# What people call them, in any case.
SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}


class ListedClip(NamedTuple):
    """A clip in the record of a run.

    Attributes:
        sound: First 16 hexadecimal digits of `training.tasks.identity.identity`.
        label: Name of the class.
        file: Name for people; clips are compared by `sound`.

    >>> ListedClip("9f86d081884c7d65", "kick", "kick/0.wav").label
    'kick'
    """

    sound: str
    label: str
    file: str


class Waveforms(Protocol):
    """The waveforms of a `ClipSet`, read outside a graph.

    >>> from training.tasks.own.folder import FolderTask
    >>> clips = FolderTask(Path("drums")).load().splits["test"]
    >>> clips.waveforms.in_memory(8000), clips.waveforms.read(8000, 0).shape
    (False, (800,))
    """

    def in_memory(self, sample_rate: int) -> bool:
        """Whether those of a rate in Hz are in memory, where `ClipSet.at` has them."""

    def read(self, sample_rate: int, index: int) -> "np.ndarray":
        """That of the clip at an index, as `ClipSet.at` has it; from any thread."""


@dataclasses.dataclass(frozen=True)
class ClipSet:
    """Labelled clips in a fixed order, read when they are asked for.

    Attributes:
        n_examples: Number of clips.
        read: Function of a sample rate in Hz; returns the clips as a
            `tf.data.Dataset`.
        at: Function of a sample rate in Hz; returns a function that reads one clip by
            its index, a scalar int64 tensor, inside a graph. None if the clips can be
            read only one after the other.
        read_labels: Function that reads the labels alone, as a NumPy array. None if
            this is no faster than reading the clips.
        clips: One `ListedClip` a clip, in order; None where sounds aren't known.
        fingerprint: Fingerprint of clips that aren't listed; None if unknown.
        groups: Group of each clip, in order, such as its speaker or its recording; None
            where groups aren't known.
        weighted: Whether clips have a "weight" in the loss.
        waveforms: Their `Waveforms`; None where they are read in a graph only.

    >>> import tensorflow as tf
    >>> def at(sample_rate):
    ...     return lambda n: {"waveform": tf.zeros([sample_rate]), "label": n}
    >>> clips = ClipSet.by_index(5, at)
    >>> [int(clip["label"]) for clip in clips.only([1, 3]).dataset(16000)]
    [1, 3]
    """

    n_examples: int
    read: "Callable[[int], tf.data.Dataset]"
    at: "Callable[[int], Callable[[tf.Tensor], dict]] | None" = None
    read_labels: "Callable[[], np.ndarray] | None" = None
    clips: Sequence[ListedClip] | None = None
    fingerprint: str | None = None
    groups: Sequence[str] | None = None
    weighted: bool = False
    waveforms: Waveforms | None = None

    @property
    def n_groups(self):
        """Number of groups; None where they aren't known."""
        return None if self.groups is None else len(set(self.groups))

    @classmethod
    def by_index(
        cls,
        n_examples,
        at,
        read_labels=None,
        clips=None,
        fingerprint=None,
        groups=None,
        weighted=False,
        waveforms=None,
    ):
        """A set whose clips can be read in any order.

        Args:
            n_examples, at, read_labels, clips, fingerprint, groups, weighted,
                waveforms: See the attributes.
        """

        def read(sample_rate):
            import tensorflow as tf

            return tf.data.Dataset.range(n_examples).map(
                at(sample_rate),
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )

        return cls(
            n_examples,
            read,
            at,
            read_labels,
            clips,
            fingerprint,
            groups,
            weighted,
            waveforms,
        )

    def only(self, indices):
        """The `ClipSet` of the clips at some indices, which are in increasing order.

        If clips can be read by index, the others aren't read.
        """
        import numpy as np
        import tensorflow as tf

        wanted = tf.constant(np.asarray(indices, np.int64))
        clips = self.clips and [self.clips[index] for index in indices]
        groups = self.groups and [self.groups[index] for index in indices]
        read_at = self.at
        if read_at is None:
            read = functools.partial(self._read_only, wanted)
            return ClipSet(
                len(indices), read, clips=clips, groups=groups, weighted=self.weighted
            )

        def at(sample_rate):
            clip = read_at(sample_rate)
            return lambda index: clip(wanted[index])

        labels = self.read_labels
        if labels is not None:
            labels = functools.partial(_only_labels, labels, indices)
        return ClipSet.by_index(
            len(indices),
            at,
            labels,
            clips,
            groups=groups,
            weighted=self.weighted,
            waveforms=self.waveforms and _SomeWaveforms(self.waveforms, indices),
        )

    def in_memory(self, sample_rate):
        """Whether the waveforms of a rate in Hz are in memory already."""
        return self.waveforms is not None and self.waveforms.in_memory(sample_rate)

    def _read_only(self, wanted, sample_rate):
        import tensorflow as tf

        clips = self.dataset(sample_rate).enumerate()
        return clips.filter(lambda index, _: tf.reduce_any(index == wanted)).map(
            lambda _, clip: clip
        )

    def dataset(self, sample_rate):
        """The clips as a `tf.data.Dataset`, in the same order each time.

        Args:
            sample_rate: Rate of the waveforms, Hz; other clips are resampled.

        Returns:
            A dataset of dicts: "waveform", float32 (samples,), mono, full scale is
            [-1, 1]; "label", int64, an index into the task's labels, or for a
            multi-label task float32 (n_classes,), 1 for each label of the clip, else 0;
            "clip", a string, unique in the task; of a `weighted` set also "weight",
            float32, its weight in the loss.
        """
        import tensorflow as tf

        clips = self.read(sample_rate).apply(
            tf.data.experimental.assert_cardinality(self.n_examples)
        )
        return without_copies(clips) if self.in_memory(sample_rate) else clips


@dataclasses.dataclass(frozen=True)
class _SomeWaveforms:
    """The `Waveforms` at some indices of others."""

    waveforms: Waveforms
    indices: Sequence[int]

    def in_memory(self, sample_rate):
        return self.waveforms.in_memory(sample_rate)

    def read(self, sample_rate, index):
        return self.waveforms.read(sample_rate, self.indices[index])


def _only_labels(read_labels, indices):
    return read_labels()[list(indices)]


@dataclasses.dataclass(frozen=True)
class TaskData:
    """The clips of one task.

    Attributes:
        labels: Names of the classes.
        splits: A `ClipSet` for each of `SPLITS`; no clip is in two of them.
        multi_label: Whether a clip may have several labels, or none.
        fingerprint: Fingerprint of all clips, whatever their split, where they aren't
            listed; None if unknown.
        background: The class that stands for none of the classes, or None; clips of a
            multi-label task have no label instead, and it isn't among `labels`.
        given_splits: Names of the splits that the data gives itself, and nobody draws.
        notes: Lines on the data for the report of a run, such as on leakage in it.

    >>> from training.tasks.registry import get_task
    >>> data = get_task("folder:drums").load()  # 5 clips of each class
    >>> data.labels, data.splits["test"].n_examples
    (('kick', 'snare'), 2)
    """

    labels: tuple[str, ...]
    splits: Mapping[str, ClipSet]
    multi_label: bool = False
    fingerprint: str | None = None
    background: str | None = None
    given_splits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
