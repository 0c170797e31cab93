"""Checks of data against the record of a run."""

import collections
import dataclasses
import itertools
from pathlib import PurePosixPath

from leaf_files.command_line import a_few
from training.run.data_record import DataRecord, OtherDataError, TaskRecord, changes
from training.run.heads import read_heads
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS
from training.tasks.own.task import OwnTask
from training.tasks.registry import OWN_PREFIXES, get_task
from training.tasks.tfds import TfdsTask

# Share of the names of two sets of clips that agree if one is the other, converted.
_ALIKE = 0.9


def require_unchanged(heads, data, run, say):
    """Checks that a run to be continued was started on this data.

    Args:
        heads, data: A tuple of `Head` and a `DataRecord` of the data as it is now.
        run: `RunFolder` of the run, of the same tasks.
        say: Function that is called with a line if that is unknown.

    Raises:
        OtherDataError: The run was started on other data.

    >>> from training.run.folder import RunFolder
    >>> run = RunFolder("run")  # of the kicks and snares in "drums"
    >>> [task] = DataRecord.read(run).tasks
    >>> data = DataRecord((dataclasses.replace(task, labels=("kick", "tom")),))
    >>> require_unchanged(run.read_heads(), data, run, say=print)
    Traceback (most recent call last):
    training.run.data_record.OtherDataError: the data of folder:drums changed since
    the run in run was started: class snare gone, class tom new; bring it back ...
    """
    record = DataRecord.read(run)
    if record is None:
        old_heads = read_heads(run.tasks) if run.tasks.exists() else ()
        for old, head in zip(old_heads, heads):
            if old.labels != head.labels:
                raise OtherDataError(
                    f"the classes of {head.task} changed since the run in {run.path} "
                    f"was started: they were {', '.join(old.labels)} and are "
                    f"{', '.join(head.labels)}; bring them back as they were to go on, "
                    "or name another --output"
                )
        say(_unknown(run))
        return
    for old, task in zip(record.tasks, data.tasks):
        changed = changes(old, task)
        if changed:
            raise OtherDataError(
                f"the data of {task.task} changed since the run in {run.path} was "
                f"started: {changed}; bring it back as it was to go on, or name "
                "another --output"
            )
    for option in _otherwise_mixed_in(record, data):
        raise OtherDataError(
            f"the sounds in the folder of {option} changed since the run in {run.path} "
            "was started; bring them back as they were to go on, or name another "
            "--output"
        )


def require_same_data(data, other):
    """Checks that data is that of another run, whatever the splits.

    Args:
        data: A `DataRecord`.
        other: `RunFolder` of that run, which is of the same tasks and finished. If it
            has no record, the numbers of clips are compared.

    Raises:
        OtherDataError: The data differs.

    >>> from training.run.folder import RunFolder
    >>> run = RunFolder("run")  # of the kicks and snares in "drums"
    >>> [task] = DataRecord.read(run).tasks
    >>> data = DataRecord((dataclasses.replace(task, labels=("kick", "tom")),))
    >>> require_same_data(data, run)
    Traceback (most recent call last):
    training.run.data_record.OtherDataError: the data of folder:drums isn't the same
    (class snare gone, class tom new) as that of the run in run, ...
    """
    other_run = (
        f"the run in {other.path}, which this one is to be compared with; bring the "
        "data back as it was, or name another --output"
    )
    record = DataRecord.read(other)
    if record is None:
        n_clips_before = sum(other.read_metrics().get("clips", {}).values())
        n_clips = sum(task.total for task in data.tasks)
        if n_clips_before not in (0, n_clips):
            raise OtherDataError(
                f"there are {n_clips} clips, and {n_clips_before} of {other_run}"
            )
        return
    for old, task in zip(record.tasks, data.tasks):
        changed = changes(old, task, by_split=False)
        if changed:
            raise OtherDataError(
                f"the data of {task.task} isn't the same ({changed}) as that of "
                f"{other_run}"
            )
    for option in _otherwise_mixed_in(record, data):
        raise OtherDataError(
            f"the sounds in the folder of {option} aren't those of {other_run}"
        )


def _otherwise_mixed_in(before, after):
    """Yields the options of folders whose sounds differ in two `DataRecord`s."""
    for setting, mark in after.mixed_in.items():
        if before.mixed_in.get(setting) != mark:
            yield _option(setting)


def sounds_among_clips(data, files):
    """Lines on clips that augmentation mixes in as well, a list.

    Args:
        data: `DataRecord` of the clips.
        files: Files mixed in, see `training.input.sounds.AugmentationSounds.files`.

    >>> from training.run.folder import RunFolder
    >>> data = DataRecord.read(RunFolder("run"))
    >>> [clip, _] = data.tasks[0].clips["test"]
    >>> [line] = sounds_among_clips(data, {"noise_dir": {clip.sound: "a.wav"}})
    >>> print(line)
    note: 1 of the 1 sounds of --noise-dir are clips to learn or to test, too (0 train,
    0 validation, 1 test: a.wav): ...
    """
    lines = []
    for setting, names in files.items():
        shared = [
            (split, clip.sound)
            for task in data.tasks
            for split, clips in (task.clips or {}).items()
            for clip in clips
            if clip.sound in names
        ]
        if not shared:
            continue
        counts = collections.Counter(split for split, _ in shared)
        of_splits = ", ".join(f"{counts[split]} {split}" for split in SPLITS)
        common = sorted({names[sound] for _, sound in shared})
        lines.append(
            f"note: {len(common)} of the {len(names)} sounds of {_option(setting)} are "
            f"clips to learn or to test, too ({of_splits}: {a_few(common)}): scores on "
            "those say little of new clips; name a folder without them"
        )
    return lines


def _option(setting):
    return "--" + setting.replace("_", "-")


def own_clips(run, task, head, load, say, split="test", exactly=False):
    """The clips of a split of a run's own task.

    They are the clips of that split that still exist, by their sound, whatever else
    changed; a line names the changes. None of them is in another split.

    Args:
        run: `RunFolder` of the run.
        task: Task of the head, from `get_task`.
        head: A `Head` of the run.
        load: Function that loads the `TaskData` as it is now and checks that the model
            knows its labels.
        say: Function that is called with a line about changes, or what is unknown.
        split: "test" or "validation".
        exactly: Whether any change is refused.

    Returns:
        (`ClipSet`, the names of its labels).

    Raises:
        UserError: None of them exists any more, or they are unknown.

    >>> from training.run.folder import RunFolder
    >>> [head] = RunFolder("run").read_heads()
    >>> task = get_task(head.task)
    >>> clips, labels = own_clips(RunFolder("run"), task, head, task.load, print)
    >>> clips.n_examples, labels
    (2, ('kick', 'snare'))
    """
    record = DataRecord.read(run)
    old = record and record.of_head(head.name)
    if old is None:
        say(_unknown(run))
        data = load()
        return data.splits[split], data.labels
    if isinstance(task, OwnTask) and old.clips is not None:
        clips = _remaining_clips(run, task, head, old, say, split, exactly)
        return clips, head.labels
    data = load()
    record_now = TaskRecord.of(
        dataclasses.replace(head, labels=data.labels), data.splits, data.fingerprint
    )
    changed = changes(dataclasses.replace(old, labels=data.labels), record_now)
    if changed:
        change = (
            f"the data of {head.task} isn't what {run.path} was trained on: {changed}"
        )
        if exactly or not _is_official(task):
            raise OtherDataError(
                f"{change}; its {split} split can't be found again: bring the data "
                "back as it was, by --data-dir if it lies elsewhere"
            )
        say(f"note: {change}; taking the official {split} split as it is now")
    return data.splits[split], data.labels


def _remaining_clips(run, task, head, old, say, split, exactly):
    """The `ClipSet` of those clips of a folder whose sounds are in a split of a run."""
    all_clips = task.load_all(list(head.labels), head.multi_label, with_sources=True)
    wanted = old.sounds(split)
    # A folder with splits of its own may have a sound in two of them.
    elsewhere = {
        (clip.sound, clip.file)
        for other in SPLITS
        if other != split
        for clip in old.clips.get(other, ())
        if clip.sound in wanted
    }
    kept = [
        n
        for n, clip in enumerate(all_clips.clips)
        if clip.sound in wanted and (clip.sound, clip.file) not in elsewhere
    ]
    record_now = dataclasses.replace(old, clips={"": all_clips.clips})
    changed = changes(old, record_now, by_split=False)
    if not changed:
        return all_clips.only(kept)
    change = f"the data of {head.task} changed since {run.path} was trained: {changed}"
    if exactly or not kept:
        raise OtherDataError(
            f"{change}; {len(kept)} of its {old.n_clips[split]} {split} clips are "
            "left: bring the data back as it was, or put clips that the run didn't "
            "use into a folder of their own and name that by --task"
        )
    say(
        f"note: {change}; taking those {len(kept)} clips whose sound was in its "
        f"{split} split, {old.n_clips[split]} then"
    )
    return all_clips.only(kept)


def heard_before(run, task, clips, split=None):
    """A line if a run was trained on some of the clips of a task; None if not.

    Args:
        run: `RunFolder` of the run.
        task: Task of the clips, from `get_task`.
        clips: `ClipSet` to test on.
        split: Name of the clips' split, if the line is to name it.

    >>> from training.run.folder import RunFolder
    >>> task = get_task("folder:drums")
    >>> clips = task.load_all(("kick", "snare"))
    >>> print(heard_before(RunFolder("run"), task, clips))
    note: of these 10 clips run trained on 6 and chose its epoch by 2 ...
    """
    record = DataRecord.read(run)
    if record is None:
        return _unknown(run, "whether it was trained on these")
    if clips.clips is not None:
        counts = {
            split: sum(clip.sound in sounds for clip in clips.clips)
            for split, sounds in ((s, record.sounds(s)) for s in SPLITS[:2])
        }
        if any(counts.values()):
            kind = f"{split} clips" if split else "clips"
            return (
                f"note: of these {clips.n_examples} {kind} {run.path} trained on "
                f"{counts['train']} and chose its epoch by "
                f"{counts['validation']} (the very same sound): scores on them say "
                "little about new clips"
            )
        if _is_copy(record, clips.clips):
            return (
                f"note: these {clips.n_examples} clips are called as those of "
                f"{run.path}, but sound different: if they are the same recordings, "
                "converted or edited, it was trained on most of them, and scores on "
                "them say little about new clips"
            )
    if not isinstance(task, TfdsTask):
        return None
    config = FitConfig.read(run.config)
    for name in (old.task for old in record.tasks + record.before):
        if _splits_differently(task, get_task(name, config)):
            return (
                f"note: {name}, which {run.path} was trained on, splits the same clips "
                f"differently from {task.name}: some of these clips were trained on"
            )
    return None


def _is_copy(record, clips):
    """Whether clips have the names of nearly all clips of a task of the run."""

    def names(clips):
        return {(c.label, str(PurePosixPath(c.file).with_suffix(""))) for c in clips}

    names_now = names(clips)
    for task in record.tasks + record.before:
        names_then = names(c for listed in (task.clips or {}).values() for c in listed)
        most = max(len(names_now), len(names_then), 1)
        if len(names_now & names_then) >= _ALIKE * most:
            return True
    return False


def news_of(run, task, data, clips):
    """Lines on the clips of a task that a run to be adapted to it was trained on.

    Args:
        run: `RunFolder` of the run.
        task: Task to adapt to, from `get_task`.
        data: `TaskRecord` of the task, under the name of the head to adapt.
        clips: {split: `ClipSet`} of the task.

    Returns:
        A list of str.

    Raises:
        OtherDataError: The task is the run's own, and its data changed: clips that the
            run was trained on would be among those that test it.

    >>> from training.run.folder import RunFolder
    >>> task, [data] = get_task("folder:drums"), DataRecord.read(RunFolder("run")).tasks
    >>> news_of(RunFolder("run"), task, data, task.load().splits)
    []
    """
    record = DataRecord.read(run)
    old = record and record.of_head(data.head)
    tasks = {head.name: head.task for head in run.read_heads()}
    if old is None or not is_same(task, get_task(tasks[data.head])):
        held_out = {s: heard_before(run, task, clips[s], s) for s in SPLITS[1:]}
        return list(dict.fromkeys(filter(None, held_out.values())))
    changed = changes(old, data)
    if changed:
        raise OtherDataError(
            f"the data of {data.task} changed since {run.path} was trained on it: "
            f"{changed}; clips that it was trained on would test it: bring the data "
            "back as it was, or put the clips to adapt to into a folder of their own"
        )
    return []


def adapted_record(run, heads, data):
    """The `DataRecord` of a run that was adapted.

    Args:
        run: `RunFolder` of the old run.
        heads: Heads of the new run, a tuple of `Head`.
        data: `TaskRecord` of the head that was adapted; the others keep theirs.

    >>> from training.run.folder import RunFolder
    >>> run = RunFolder("run")
    >>> [data] = DataRecord.read(run).tasks
    >>> noisy = dataclasses.replace(data, task="folder:noisy", fingerprint="0" * 16)
    >>> record = adapted_record(run, run.read_heads(), noisy)
    >>> record.tasks[0].task, record.before[0].task
    ('folder:noisy', 'folder:drums')
    """
    record = DataRecord.read(run) or DataRecord(())
    tasks = (data if h.name == data.head else record.of_head(h.name) for h in heads)
    old = record.of_head(data.head)
    records_before = record.before
    if old is not None and old.fingerprint != data.fingerprint:
        name = f"{old.head}, before {len(records_before) + 1}"
        records_before += (dataclasses.replace(old, head=name),)
    return DataRecord(tuple(task for task in tasks if task is not None), records_before)


def is_same(task, other):
    """Whether two tasks are the same, whatever their path's spelling or split.

    >>> is_same(get_task("folder:drums"), get_task("folder:./run/../drums"))
    True
    """
    return task.is_same(other)


def is_moved(before, after):
    """Whether the tasks of a run may be the same under other names.

    A folder may be: through a link, or moved, if there is none at the former path.

    Args:
        before, after: Names of the tasks, separated by commas.

    >>> is_moved("folder:/gone/drums", "folder:/new/drums")
    True
    >>> is_moved("synthetic", "folder:/new/drums")
    False
    """
    pairs = list(itertools.zip_longest(before.split(","), after.split(",")))
    if any(None in pair for pair in pairs):
        return False
    return all(old == new or _is_other_place(old, new) for old, new in pairs)


def is_own(run, head, task, clips):
    """Whether all clips of a folder are those of a run, whose own folder is gone.

    Args:
        run: `RunFolder` of the run.
        head: A `Head` of the run.
        task: `OwnTask` of the folder.
        clips: `ClipSet` of all its clips.

    >>> from training.run.folder import RunFolder
    >>> [head] = RunFolder("run").read_heads()
    >>> task = get_task("folder:./drums")
    >>> is_own(RunFolder("run"), head, task, task.load_all(head.labels))
    True
    """
    record = DataRecord.read(run, with_clips=False)
    old = record and record.of_head(head.name)
    if not old or not _is_other_place(head.task, task.name):
        return False
    if task.sources is not None:
        clips = task.load_all(list(head.labels), head.multi_label, with_sources=True)
    return old.fingerprint == TaskRecord.of(head, {"": clips}).fingerprint


def _is_other_place(before, after):
    if not (before.startswith(OWN_PREFIXES) and after.startswith(OWN_PREFIXES)):
        return False
    old, new = get_task(before), get_task(after)
    return is_same(old, new) or (old.is_kind_of(new) and not old.path.exists())


def _unknown(run, what="whether they are the same now"):
    return (
        f"note: the run in {run.path} has no record of its clips (an older version "
        f"wrote it): {what} can't be checked"
    )


def _is_official(task):
    """Whether the splits are official, not drawn by a seed."""
    return isinstance(task, TfdsTask) and task.splits is not None


def _splits_differently(task, other):
    if not isinstance(other, TfdsTask):
        return False
    rules = [(t.splits, t.group_pattern, t.splitting) for t in (task, other)]
    return task.dataset == other.dataset and rules[0] != rules[1]
