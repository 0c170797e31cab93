"""Clips of two sets as one."""

import dataclasses
from typing import Any

import numpy as np

from training.tasks.clip_sets import ClipSet, Waveforms
from training.tasks.identity import fingerprint


def joined(first, second):
    """The `ClipSet` of the clips of two sets, the first one's first.

    What one of them doesn't know of its clips, such as groups, isn't known of both.

    Args:
        first, second: `ClipSet`s, both of clips with one label each or of any number.

    >>> from training.tasks.registry import get_task
    >>> splits = get_task("folder:drums").load().splits
    >>> both = joined(splits["test"], splits["train"])
    >>> both.n_examples, [clip.file for clip in both.clips][:2]
    (8, ['kick/...', 'snare/...'])
    """
    weighted = first.weighted or second.weighted
    clips = groups = mark = None
    if first.clips is not None and second.clips is not None:
        clips = [*first.clips, *second.clips]
    else:
        mark = fingerprint([_mark(first), _mark(second)])
    if first.groups is not None and second.groups is not None:
        groups = [*first.groups, *second.groups]
    n_examples = first.n_examples + second.n_examples
    details: dict[str, Any] = {"clips": clips, "fingerprint": mark, "groups": groups}
    if first.at is None or second.at is None:

        def read(sample_rate):
            parts = [
                each.dataset(sample_rate).map(lambda clip: _weighed(clip, weighted))
                for each in (first, second)
            ]
            return parts[0].concatenate(parts[1])

        return ClipSet(n_examples, read, weighted=weighted, **details)

    def at(sample_rate):
        import tensorflow as tf

        of_first, of_second = first.at(sample_rate), second.at(sample_rate)
        return lambda index: tf.cond(
            index < first.n_examples,
            lambda: _weighed(of_first(index), weighted),
            lambda: _weighed(of_second(index - first.n_examples), weighted),
        )

    labels = waveforms = None
    if first.read_labels is not None and second.read_labels is not None:

        def labels():
            return np.concatenate([first.read_labels(), second.read_labels()])

    if first.waveforms is not None and second.waveforms is not None:
        waveforms = _Both(first.waveforms, second.waveforms, first.n_examples)
    return ClipSet.by_index(
        n_examples, at, labels, weighted=weighted, waveforms=waveforms, **details
    )


@dataclasses.dataclass(frozen=True)
class _Both:
    """The `Waveforms` of two sets."""

    first: Waveforms
    second: Waveforms
    n_first: int

    def in_memory(self, sample_rate):
        return self.first.in_memory(sample_rate) and self.second.in_memory(sample_rate)

    def read(self, sample_rate, index):
        if index < self.n_first:
            return self.first.read(sample_rate, index)
        return self.second.read(sample_rate, index - self.n_first)


def _weighed(clip, weighted):
    """A clip with a weight if it needs one."""
    import tensorflow as tf

    kept = {key: clip[key] for key in ("waveform", "label", "clip")}
    if weighted:
        kept["weight"] = clip.get("weight", tf.constant(1.0))
    return kept


def _mark(clips):
    """A mark of the clips of a set, the same for the same clips."""
    if clips.clips is None:
        return clips.fingerprint or ""
    return fingerprint(f"{clip.sound} {clip.label}" for clip in clips.clips)
