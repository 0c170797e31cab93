"""The record of a run's data: its labels and the sounds of its clips, by split."""

import collections
import csv
import dataclasses
from collections.abc import Mapping, Sequence

from leaf_files.atomic import write_json, write_rows
from leaf_files.command_line import a_few, counted
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from training.tasks.clip_sets import SPLITS, ListedClip
from training.tasks.identity import fingerprint

_COLUMNS = ("head", "split", "label", "sound", "file")
_NAMED = 3  # clips or classes, of many


class OtherDataError(UserError):
    """Data that isn't what it has to be; other runs would fail by it as well.

    >>> issubclass(OtherDataError, UserError)
    True
    """


@dataclasses.dataclass(frozen=True)
class TaskRecord:
    """The data of one head.

    Attributes:
        task: Name of the task, as in `--task`.
        head: Name of the head, or of a head of the run that was adapted.
        labels: Names of the classes, in the order of the logits.
        fingerprint: Fingerprint of all clips and their classes, whatever their split,
            name and order; None if unknown.
        n_clips: {split: number of clips}.
        splits: {split: fingerprint of its clips and their classes, or None}.
        clips: {split: `ListedClip`s}; None where sounds aren't known, such as those of
            TFDS's data sets.

    >>> from training.run.heads import make_heads
    >>> from training.tasks.registry import get_task
    >>> data = get_task("folder:drums").load()
    >>> [head] = make_heads(("folder:drums",), [data])
    >>> TaskRecord.of(head, data.splits).n_clips
    {'train': 6, 'validation': 2, 'test': 2}
    """

    task: str
    head: str
    labels: tuple[str, ...]
    fingerprint: str | None
    n_clips: Mapping[str, int]
    splits: Mapping[str, str | None]
    clips: Mapping[str, Sequence[ListedClip]] | None = None

    @classmethod
    def of(cls, head, splits, data_fingerprint=None):
        """The record of a head's clips.

        Args:
            head: A `Head`.
            splits: {split: `ClipSet`}.
            data_fingerprint: `TaskData.fingerprint`.
        """
        n_clips = {split: clips.n_examples for split, clips in splits.items()}
        common = head.task, head.name, head.labels
        if any(clips.clips is None for clips in splits.values()):
            fingerprints = {split: clips.fingerprint for split, clips in splits.items()}
            return cls(*common, data_fingerprint, n_clips, fingerprints)
        listed = {split: clips.clips for split, clips in splits.items()}
        fingerprints = {split: _fingerprint(clips) for split, clips in listed.items()}
        all_clips = [clip for clips in listed.values() for clip in clips]
        return cls(*common, _fingerprint(all_clips), n_clips, fingerprints, listed)

    @property
    def total(self):
        """The number of all clips."""
        return sum(self.n_clips.values())

    def sounds(self, *splits):
        """The set of the sounds in some splits; empty where they aren't known."""
        return {clip.sound for s in splits for clip in (self.clips or {}).get(s, ())}

    def to_dict(self):
        """The entry in `data.json`."""
        splits = {
            split: {"clips": self.n_clips[split], "fingerprint": self.splits[split]}
            for split in self.splits
        }
        return {
            "task": self.task,
            "head": self.head,
            "labels": list(self.labels),
            "fingerprint": self.fingerprint,
            "listed": self.clips is not None,
            "splits": splits,
        }

    @classmethod
    def from_dict(cls, entry, clips=None):
        """The inverse of `to_dict`.

        Raises:
            KeyError, TypeError, ValueError: The entry is damaged.
        """
        splits = entry["splits"]
        for text in (entry["task"], entry["head"], *entry["labels"]):
            if not isinstance(text, str):
                raise TypeError(f"{text!r} is no text")
        if set(splits) != set(SPLITS):
            raise ValueError(f"splits {', '.join(splits)}")
        n_clips = {split: int(splits[split]["clips"]) for split in SPLITS}
        fingerprints = {
            split: _fingerprint_or_none(splits[split]["fingerprint"])
            for split in SPLITS
        }
        return cls(
            entry["task"],
            entry["head"],
            tuple(entry["labels"]),
            _fingerprint_or_none(entry["fingerprint"]),
            n_clips,
            fingerprints,
            clips,
        )


@dataclasses.dataclass(frozen=True)
class DataRecord:
    """The data of a run, in its `data.json` and `data.csv`.

    Attributes:
        tasks: One `TaskRecord` a head.
        before: Records of the run that was adapted, for heads that now are of other
            tasks; all of the run that this one started from.
        files: {name: fingerprint} of the run's files, see
            `leaf_files.run_folder.notes`.
        mixed_in: {setting: fingerprint} of the folders of sounds that augmentation
            mixed in, see `training.input.sounds.AugmentationSounds`.
        started_from: "run" and "model", path of the run that this one started from and
            fingerprint of its model; or nothing.

    >>> from training.run.folder import RunFolder
    >>> record = DataRecord.read(RunFolder("run"))
    >>> record.of_head("drums").labels, len(record.sounds("train"))
    (('kick', 'snare'), 6)
    """

    tasks: tuple[TaskRecord, ...]
    before: tuple[TaskRecord, ...] = ()
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    mixed_in: Mapping[str, str] = dataclasses.field(default_factory=dict)
    started_from: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def of_head(self, name):
        """The `TaskRecord` of a head, or None."""
        return next((task for task in self.tasks if task.head == name), None)

    def sounds(self, *splits):
        """The set of the sounds in some splits of all tasks."""
        return set().union(*(t.sounds(*splits) for t in self.tasks + self.before))

    def write(self, run):
        """Writes both files to a `RunFolder`, the clips first."""
        tasks = self.tasks + self.before
        if any(task.clips is not None for task in tasks):
            rows = (
                (task.head, split, label, sound, name)
                for task in tasks
                for split, clips in (task.clips or {}).items()
                for sound, label, name in clips
            )
            write_rows(run.data_clips, _COLUMNS, rows)
        self.write_summary(run)

    def write_summary(self, run):
        """Writes `data.json` alone, where the clips are unchanged."""
        record = {
            "tasks": [task.to_dict() for task in self.tasks],
            "before": [task.to_dict() for task in self.before],
            "files": dict(self.files),
            "mixed_in": dict(self.mixed_in),
            "started_from": dict(self.started_from),
        }
        write_json(run.data, record)

    @classmethod
    def read(cls, run, with_clips=True):
        """The record of a run; None for runs from before version 0.1, which have none.

        Args:
            run: A `RunFolder`.
            with_clips: Whether to read the clips as well.

        Raises:
            UserError: The record is damaged, or its files are of different runs.
        """
        if not run.data.exists():
            return None
        try:
            record = read_json(run.data)
            clips = _read_clips(run.data_clips) if with_clips else None
            return cls(
                tuple(_task(entry, clips) for entry in record["tasks"]),
                tuple(_task(entry, clips) for entry in record["before"]),
                dict(record["files"]),
                dict(record.get("mixed_in", {})),  # older versions have none
                dict(record.get("started_from", {})),
            )
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            OverflowError,
            csv.Error,
        ) as error:
            reason = f"{error!r:.200}"
            raise UserError(
                f"cannot read what the run in {run.path} was trained on, in "
                f"{run.data.name} and {run.data_clips.name}: {reason}; bring the files "
                "back as training wrote them, or remove both: then nothing of the data "
                "can be checked"
            ) from error


def _fingerprint_or_none(value):
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is no fingerprint")
    return value


def _task(entry, clips):
    if clips is None or not entry["listed"]:
        return TaskRecord.from_dict(entry)
    by_split = clips.get(entry["head"], {})
    listed = {split: tuple(by_split.get(split, ())) for split in SPLITS}
    task = TaskRecord.from_dict(entry, listed)
    for split in SPLITS:
        if _fingerprint(listed[split]) != task.splits[split]:
            raise ValueError(f"the clips listed for {split} are others")
    return task


def _read_clips(path):
    """{head: {split: its clips}} from `data.csv`; None without that file."""
    if not path.exists():  # the fingerprints of the splits suffice, with fewer details
        return None
    clips: dict[str, dict[str, list[ListedClip]]] = collections.defaultdict(
        lambda: collections.defaultdict(list)
    )
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = csv.reader(file)
        if tuple(next(rows, ())) != _COLUMNS:
            raise ValueError(f"{path.name} has other columns")
        for head, split, label, sound, name in rows:
            clips[head][split].append(ListedClip(sound, label, name))
    return clips


def _fingerprint(clips):
    return fingerprint(sorted(f"{clip.sound} {clip.label}" for clip in clips))


def in_order(clip_sets):
    """A fingerprint of `ClipSet`s that depends on the order of clips, for hosts.

    >>> from training.tasks.registry import get_task
    >>> splits = get_task("folder:drums").load().splits
    >>> in_order([splits["test"]]) == in_order([splits["train"]])
    False
    """
    return fingerprint(
        str(clips.fingerprint)
        if clips.clips is None
        else fingerprint(f"{clip.sound} {clip.label}" for clip in clips.clips)
        for clips in clip_sets
    )


def changes(before, after, by_split=True):
    """The differences of two `TaskRecord`s, in words for a line; "" if there are none.

    Args:
        before, after: `TaskRecord`s; names of files, their order and the path of the
            task don't count.
        by_split: Whether the splits have to be the same as well, not just all clips.

    >>> from training.run.folder import RunFolder
    >>> [task] = DataRecord.read(RunFolder("run")).tasks
    >>> changes(task, dataclasses.replace(task, labels=("kick", "tom")))
    'class snare gone, class tom new'
    """
    phrases = list(_label_changes(before.labels, after.labels))
    if before.clips is not None and after.clips is not None:
        phrases += _clip_changes(before.clips, after.clips, by_split)
    elif by_split:
        for split in SPLITS:
            if before.splits[split] != after.splits[split]:
                counts = before.n_clips[split], after.n_clips[split]
                phrases.append(_counts(*counts, split))
    elif before.fingerprint != after.fingerprint:
        phrases.append(_counts(before.total, after.total, "all splits"))
    return ", ".join(phrases)


def _counts(before, after, split):
    if before == after:
        return f"other clips or other splits of them: {after} in {split} as before"
    return f"{after} clips in {split}, before {before}"


def _label_changes(before, after):
    gone = [label for label in before if label not in after]
    new = [label for label in after if label not in before]
    if gone:
        yield f"{_counted(gone, 'class', 'classes')} gone"
    if new:
        yield f"{_counted(new, 'class', 'classes')} new"
    if not gone and not new and tuple(before) != tuple(after):
        yield f"the classes in another order, {a_few(after)} (before: {a_few(before)})"


def _clip_changes(before, after, by_split):
    """Yields words; the split of a clip that isn't new is the one that it had."""
    gone, new = _surplus(before, after, by_split), _surplus(after, before, by_split)
    gone, same_sound, new = _paired(gone, new, lambda clip: clip.sound)
    gone, same_file, new = _paired(gone, new, lambda clip: clip.file)
    moved = [old for old, now in same_sound if old[1].label == now[1].label]
    relabelled = [old for old, now in same_sound if old[1].label != now[1].label]
    if same_file:
        changed = [pair[0] for pair in same_file]
        yield f"{_clips(changed)} changed in sound ({_places(changed)})"
    if new:
        yield f"{_clips(new)} added ({_places(new)})"
    if gone:
        yield f"{_clips(gone)} removed ({_places(gone)})"
    if relabelled:
        yield f"{_clips(relabelled)} now of another class ({_places(relabelled)})"
    if moved:
        yield f"{_clips(moved)} drawn into another split"


def _surplus(clips, others, by_split):
    """[(split, clip)] of the clips without a counterpart among the others."""

    def key(split, clip):
        return clip.sound, clip.label, split if by_split else None

    unmatched = collections.Counter(
        key(split, clip) for split, listed in others.items() for clip in listed
    )
    surplus = []
    for split, listed in clips.items():
        for clip in listed:
            if unmatched[key(split, clip)] > 0:
                unmatched[key(split, clip)] -= 1
            else:
                surplus.append((split, clip))
    return surplus


def _paired(gone, new, key):
    """Lists of (split, clip): those gone, pairs with the same key, and those new."""
    waiting = collections.defaultdict(list)
    for entry in reversed(new):
        waiting[key(entry[1])].append(entry)
    pairs, unpaired = [], []
    for entry in gone:
        partners = waiting[key(entry[1])]
        if partners:
            pairs.append((entry, partners.pop()))
        else:
            unpaired.append(entry)
    used = collections.Counter(partner for _, partner in pairs)
    unused = []
    for entry in new:
        if used[entry] > 0:
            used[entry] -= 1
        else:
            unused.append(entry)
    return unpaired, pairs, unused


def _clips(entries):
    return counted(len(entries), "clip")


def _places(entries):
    """ "44 train, 5 test: high/08.wav, high/09.wav, high/10.wav, ..."."""
    counts = collections.Counter(split for split, _ in entries)
    by_split = [f"{counts[split]} {split}" for split in SPLITS if counts[split]]
    names = a_few([clip.file for _, clip in entries])
    return f"{', '.join(by_split)}: {names}" if by_split else names


def _counted(names, one, many):
    return f"{one if len(names) == 1 else many} {a_few(names)}"
