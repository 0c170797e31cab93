"""Facts of each clip of a task, whatever kind of task it is."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from leaf_files.errors import UserError
from leaf_files.fingerprints import NearDuplicate, fingerprint
from leaf_files.oddities import STEP
from leaf_files.run_folder import LABEL_SEPARATOR
from training.tasks.clip_sets import SPLITS
from training.tasks.identity import identity
from training.tasks.own.hearing import FULL_SCALE
from training.tasks.own.surveying import alike
from training.tasks.own.task import OwnTask
from training.tasks.splits import leakage
from training.tasks.tfds import TfdsTask


@dataclasses.dataclass(frozen=True)
class ClipFacts:
    """Facts of a clip.

    Attributes:
        name: Name, the path of most clips.
        labels: Names of its classes.
        seconds: Length, seconds.
        sample_rate: Rate of the file, Hz.
        encoding: Encoding of the file, such as "WAV PCM_16"; "" if there is none.
        power: Mean square of the samples; full scale is 1.
        n_clipped: Samples at full scale.
        is_silent: Whether there is nothing but digital silence.
        sound: Identity of the sound, the same for copies.
        group: Group, or None where groups aren't known.
        split: Split, or None where clips can't be split.
        path: Path of the file; None if it isn't one.
        start, end: Segment of the file, seconds; None for all of it.
        weight: Weight in the loss.

    >>> sound = (0.01, 0, False, "9f3c")
    >>> clip = ClipFacts("a.wav", ("dog",), 1.5, 8000, "WAV PCM_16", *sound)
    >>> clip.labels, clip.group
    (('dog',), None)
    """

    name: str
    labels: tuple[str, ...]
    seconds: float
    sample_rate: int
    encoding: str
    power: float
    n_clipped: int
    is_silent: bool
    sound: str
    group: str | None = None
    split: str | None = None
    path: Path | None = None
    start: float | None = None
    end: float | None = None
    weight: float = 1.0


@dataclasses.dataclass(frozen=True)
class TaskFacts:
    """Facts of a task.

    Attributes:
        task: Name of the task.
        labels: Names of the classes.
        multi_label: Whether a clip may have several labels, or none.
        background: Name of what is none of the classes, or None.
        clips: `ClipFacts`.
        pairs: Near duplicates among them, by index.
        proposals: `leakage.Proposal`s of groups that names suggest; [] where groups
            are known.
        faults: Lines on what forbids to learn from the clips.
        warnings: Lines on what may not be meant.
        notes: Lines on what the data was taken for, and how it is split.

    >>> TaskFacts("folder:drums", ("kick", "snare"), False, None, [], [], []).labels
    ('kick', 'snare')
    """

    task: str
    labels: Sequence[str]
    multi_label: bool
    background: str | None
    clips: Sequence[ClipFacts]
    pairs: Sequence[NearDuplicate]
    proposals: Sequence[leakage.Proposal]
    faults: Sequence[str] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()


def facts_of(task, config):
    """The `TaskFacts` of a task; a terminal shows the progress.

    Args:
        task: Task, from `training.tasks.registry.get_task`.
        config: `FitConfig` with the settings of its data.

    Raises:
        UserError: There are no clips to look at.

    >>> from training.settings.config import FitConfig
    >>> from training.tasks.registry import get_task
    >>> facts = facts_of(get_task("folder:drums"), FitConfig("folder:drums"))
    >>> len(facts.clips), facts.clips[0].labels, facts.clips[0].seconds
    (10, ('kick',), 0.1)
    """
    if isinstance(task, OwnTask):
        return _of_own(task, config.seed)
    is_tfds = isinstance(task, TfdsTask)
    if is_tfds and task.download_bytes and not task.is_ready(config.data_dir):
        raise UserError(
            f"the data of {task.name} isn't prepared, and inspecting it downloads "
            "nothing: `fit` prepares it, or name the folder that has it by --data-dir"
        )
    if is_tfds:
        splitting = task.splitting
        split_rule = splitting.in_words if splitting else task.split_rule
        return _of_records(task, config, task.sample_rate, split_rule)
    return _of_records(task, config, config.sample_rate, task.why_not_split)


def _of_own(task, seed):
    survey = task.survey(seed)
    listing, assigned = survey.listing, survey.assigned
    splits = assigned.splits if assigned else [None] * len(survey.clips)
    clips = [
        ClipFacts(
            name,
            clip.labels,
            clip.heard.seconds,
            clip.heard.sample_rate,
            clip.heard.encoding,
            clip.heard.power,
            clip.heard.n_clipped,
            clip.heard.is_silent,
            clip.heard.identity,
            clip.entry.group,
            split,
            clip.path,
            clip.entry.start,
            clip.entry.end,
            clip.entry.weight,
        )
        for clip, name, split in zip(survey.clips, survey.names, splits)
    ]
    names, labels = survey.names, survey.labels
    proposals = []
    if survey.groups is None:
        proposals = leakage.proposed_groups(names, labels)
    notes = [*listing.notes, *(assigned.notes if assigned else ())]
    if assigned and not survey.faults:
        notes += filter(None, [task.background_line(survey, seed)])
    return TaskFacts(
        task.name,
        listing.labels,
        listing.multi_label,
        listing.background,
        clips,
        survey.near_duplicates,
        proposals,
        survey.faults,
        [
            *filter(None, listing.warnings),
            *(assigned.warnings if assigned else ()),
            *("; ".join(lines) for lines in survey.leaks),
        ],
        notes,
    )


def _of_records(task, config, sample_rate, split_rule):
    """The `TaskFacts` of clips that are read one after the other, at one rate."""
    data = task.load(config.data_dir, config.seed)
    clips, prints = [], []
    n_clips = sum(data.splits[split].n_examples for split in SPLITS)
    with tqdm(desc="listening", total=n_clips, unit=" clips", disable=None) as progress:
        for split in SPLITS:
            clip_set = data.splits[split]
            groups = clip_set.groups or [None] * clip_set.n_examples
            dataset = clip_set.dataset(sample_rate).as_numpy_iterator()
            for clip, group in zip(dataset, groups):
                clips.append(_of_example(clip, group, split, sample_rate, data))
                prints.append(fingerprint(clip["waveform"], sample_rate))
                progress.update()
    names = [clip.name for clip in clips]
    proposals, leaks = [], []
    if clips[0].group is None and not task.why_not_split:
        labels = [LABEL_SEPARATOR.join(clip.labels) for clip in clips]
        proposals = leakage.proposed_groups(names, labels)
        leaks.append(leakage.name_lines(names, labels))
    pairs = alike(prints)
    splits = [clip.split for clip in clips]
    leaks.append(leakage.duplicate_lines(pairs, names, splits))
    return TaskFacts(
        task.name,
        data.labels,
        data.multi_label,
        data.background,
        clips,
        pairs,
        proposals,
        warnings=["; ".join(lines) for lines in leaks if lines],
        notes=[f"splits: {split_rule}", *data.notes],
    )


def _of_example(clip, group, split, sample_rate, data):
    """The `ClipFacts` of an example of a `ClipSet`."""
    waveform, label = clip["waveform"], clip["label"]
    numbers = np.flatnonzero(label) if data.multi_label else [int(label)]
    loud = np.abs(waveform) >= FULL_SCALE
    return ClipFacts(
        clip["clip"].decode(errors="replace"),
        tuple(data.labels[number] for number in numbers),
        waveform.size / sample_rate,
        sample_rate,
        "",
        float(np.vdot(waveform, waveform)) / max(1, waveform.size),
        int(np.count_nonzero(loud)),
        not waveform.size or float(np.ptp(waveform)) <= 2 * STEP,
        identity(waveform, sample_rate),
        group,
        split,
    )
