"""Findings about a task, from the facts of its clips: numbers, and what to mind."""

import collections
from collections.abc import Sequence

import numpy as np

from leaf_files.command_line import a_few, counted
from leaf_files.fingerprints import clusters
from training.tasks.clip_sets import SPLITS

# A clip is clipped if so many of its samples, and such a share, are at full scale.
_LEAST_CLIPPED = 3
_LEAST_CLIPPED_SHARE = 1e-4
_QUIET_DB = -60.0
_SILENCE_DB = -120.0
# The largest class has so many times the clips of the smallest one.
_UNBALANCED = 10
# A fact that isn't sound tells classes: above the largest class's share, by
_TELLING = 0.3
_CLIPS_A_BIN = 20
_MOST_BINS = 10


def findings_of(facts):
    """Findings about a task, a dict for JSON.

    Args:
        facts: `training.inspection.facts.TaskFacts`, with at least one clip.

    >>> from training.inspection.facts import facts_of
    >>> from training.settings.config import FitConfig
    >>> from training.tasks.registry import get_task
    >>> facts = facts_of(get_task("folder:drums"), FitConfig("folder:drums"))
    >>> findings = findings_of(facts)
    >>> findings["clips"], findings["classes"]["kick"]["clips"], findings["clipped"]
    (10, 5, [])
    """
    clips = facts.clips
    loudness = [decibels(clip.power) for clip in clips]
    return {
        "task": facts.task,
        "clips": len(clips),
        "hours": sum(clip.seconds for clip in clips) / 3600,
        "seconds": _spread([clip.seconds for clip in clips]),
        "sample_rates": _counts(str(clip.sample_rate) for clip in clips),
        "encodings": _counts(clip.encoding for clip in clips if clip.encoding),
        "loudness_dbfs": _spread(loudness),
        "clipped": [clip.name for clip in clips if _is_clipped(clip)],
        "silent": [clip.name for clip in clips if clip.is_silent],
        "quiet": [
            clip.name
            for clip, db in zip(clips, loudness)
            if db < _QUIET_DB and not clip.is_silent
        ],
        "copies": copies(clips),
        "near_duplicates": [[clips[n].name for n in c] for c in alike(facts)],
        "multi_label": facts.multi_label,
        "labels_a_clip": _counts(str(len(clip.labels)) for clip in clips),
        "background": facts.background,
        "groups": _n_groups(clips),
        "proposed_groups": [
            {"option": each.option, "groups": each.n_groups, "clips": each.n_clips}
            for each in facts.proposals
        ],
        "classes": _classes(facts),
        "splits": {
            split: _split([c for c in clips if c.split == split]) for split in SPLITS
        },
        "faults": list(facts.faults),
        "traps": [*facts.warnings, *_traps(facts, loudness)],
        "notes": list(facts.notes),
    }


def decibels(power):
    """Power in dB below full scale, whose mean square is 1; at least -120.

    >>> decibels(0.01)
    -20.0
    """
    return max(_SILENCE_DB, 10 * float(np.log10(power + 1e-30)))


def _is_clipped(clip):
    """Whether a clip, of `ClipFacts`, is cut off at full scale, more than by a hair."""
    n_samples = clip.seconds * clip.sample_rate
    least = max(_LEAST_CLIPPED, _LEAST_CLIPPED_SHARE * n_samples)
    return clip.n_clipped >= least


def copies(clips):
    """Names of clips of the very same sound, a list each; silence doesn't count.

    >>> from types import SimpleNamespace
    >>> names = {"a.wav": "9f3c", "b.wav": "71d0", "c.wav": "9f3c"}
    >>> copies([SimpleNamespace(name=n, sound=s, is_silent=False)
    ...         for n, s in names.items()])
    [['a.wav', 'c.wav']]
    """
    by_sound = collections.defaultdict(list)
    for clip in clips:
        if not clip.is_silent:
            by_sound[clip.sound].append(clip.name)
    return [names for names in by_sound.values() if len(names) > 1]


def alike(facts):
    """Indices of clips that sound alike, a list each, without mere copies.

    >>> from types import SimpleNamespace
    >>> clips = [SimpleNamespace(sound=sound) for sound in ("9f3c", "71d0", "02ab")]
    >>> alike(SimpleNamespace(clips=clips, pairs=[(0, 2)]))
    [[0, 2]]
    """
    clips = facts.clips
    sets = clusters(facts.pairs)
    return [members for members in sets if len({clips[n].sound for n in members}) > 1]


def _spread(values):
    return {
        "min": min(values),
        "median": float(np.median(values)),
        "max": max(values),
    }


def _counts(names):
    return dict(collections.Counter(names).most_common())


def _n_groups(clips):
    groups = {clip.group for clip in clips} - {None}
    return len(groups) if groups else None


def _split(clips):
    return {"clips": len(clips), "groups": _n_groups(clips)}


def _classes(facts):
    """{label: its clips, hours, groups, and clips and groups of each split}."""
    names = [*facts.labels]
    if facts.background is not None and facts.background not in names:
        names.append(facts.background)
    members: dict = {name: [] for name in names}
    for clip in facts.clips:
        for label in clip.labels or (facts.background,):
            if label in members:
                members[label].append(clip)
    return {
        label: {
            **_split(clips),
            "hours": sum(clip.seconds for clip in clips) / 3600,
            **{
                split: _split([clip for clip in clips if clip.split == split])
                for split in SPLITS
            },
        }
        for label, clips in members.items()
    }


def _traps(facts, loudness):
    """Lines on what may mislead a model, or whoever reads its score."""
    clips = facts.clips
    yield from _unbalanced(facts)
    yield from _alike_in_two_classes(facts)
    if facts.multi_label:
        return
    labels = [clip.labels[0] for clip in clips]
    traits = {
        "sample rates": [clip.sample_rate for clip in clips],
        "encodings of files": [clip.encoding for clip in clips],
        "lengths": _binned([clip.seconds for clip in clips]),
        "loudness": _binned(loudness),
    }
    largest = collections.Counter(labels).most_common(1)[0][1] / len(labels)
    for trait, values in traits.items():
        share = told_by(values, labels)
        if share >= largest + _TELLING:
            yield (
                f"{trait} alone tell{'s' if trait == 'loudness' else ''} the class of "
                f"{share:.0%} of the clips, where the largest class is "
                f"{largest:.0%}: a model may learn how clips were made"
            )


def _unbalanced(facts):
    counts = collections.Counter(label for c in facts.clips for label in c.labels)
    if len(counts) < 2:
        return
    [(most, n_most), *_, (least, n_least)] = counts.most_common()
    if n_most >= _UNBALANCED * n_least:
        yield (
            f"{most} has {n_most} clips and {least} {n_least}: --balanced draws all "
            "classes alike, and macro-F1 says more than accuracy"
        )


def _alike_in_two_classes(facts):
    clips = facts.clips
    torn = [
        pair
        for pair in facts.pairs
        if set(clips[pair.first].labels) != set(clips[pair.second].labels)
    ]
    if torn:
        named = [f"{clips[p.first].name} and {clips[p.second].name}" for p in torn]
        yield (
            f"{counted(len(torn), 'pair')} of clips sound alike and have "
            "different labels: "
            f"{a_few(named, between='; ')}"
        )


def told_by(values: Sequence, labels: Sequence[str]) -> float:
    """Share of clips whose class a value tells: each value for its commonest class.

    >>> told_by([8000, 8000, 16000], ["a", "b", "b"])
    0.6666666666666666
    """
    by_value: dict = collections.defaultdict(collections.Counter)
    for value, label in zip(values, labels):
        by_value[value][label] += 1
    return sum(max(of.values()) for of in by_value.values()) / len(labels)


def _binned(values):
    """Values by their rank, in bins of many clips."""
    n_bins = max(1, min(_MOST_BINS, len(values) // _CLIPS_A_BIN))
    edges = np.quantile(values, np.arange(1, n_bins) / n_bins)
    return np.searchsorted(edges, values, side="right").tolist()
