"""Notes on a run: what its numbers can't show, and what may be wrong with it."""

import collections
import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np

from leaf_files.command_line import a_few, counted
from leaf_files.run_folder import Head
from leaf_files.tables import code, plain
from training.evaluation.clips import ClipPredictions, MultiLabelPredictions
from training.evaluation.intervals import LEAST_UNITS
from training.tasks.clip_sets import ClipSet

_FEW_TEST_CLIPS = 10  # of a class: one more or less is ten points of its recall
_FEW_TRAINING_CLIPS = 20
_IMBALANCE = 5  # the largest class, in sizes of the smallest
_APART = 0.15  # accuracies that differ by more are far apart
_LATE = 0.8  # share of the epochs after which the best one is among the last
_FALLING = 0.05  # share of the loss that is lost within the last third of the epochs
_RISING = 0.02  # score in validation that is gained there
_LEAST_EPOCHS, _FEW_EPOCHS = 3, 10
_LEARNED = 0.98  # accuracy in training beyond which there is little left to learn
_MOST_LABELS_READ = 100_000
_NAMED = 8


@dataclasses.dataclass(frozen=True)
class TestedTask:
    """A task of a finished run, tested.

    Attributes:
        head: `Head` of the task.
        clips: {split: its `ClipSet`}; {} of a task that wasn't trained on now.
        predictions: The predictions for the test split.
        scores: The task's entry in `metrics.json`.
        split_rule: Rule of the splits, in words.
        is_official: Whether the splits are those of a published data set.
        notes: Lines on the data that were found before, such as on leakage.

    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> logits = np.array([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> predictions = ClipPredictions(logits, np.array([0, 0, 1]))
    >>> TestedTask(head, {}, predictions, {}, "by hand").n_clips_of_classes("test")
    array([2, 1])
    """

    head: Head
    clips: Mapping[str, ClipSet]
    predictions: ClipPredictions | MultiLabelPredictions
    scores: Mapping
    split_rule: str
    is_official: bool = False
    notes: Sequence[str] = ()

    __test__ = False  # no class of tests, whatever pytest thinks of its name

    def n_clips_of_classes(self, split):
        """(n_classes,), clips of each class in a split; None where that's unknown."""
        if split == "test":
            return self.predictions.truth.sum(axis=0)
        if split not in self.clips:
            return None
        clips, labels = self.clips[split], self.head.labels
        if not self.head.multi_label and clips.clips is not None:
            counts = collections.Counter(clip.label for clip in clips.clips)
            return np.array([counts[label] for label in labels])
        if clips.read_labels is None or clips.n_examples > _MOST_LABELS_READ:
            return None
        clip_labels = clips.read_labels()
        if clip_labels.ndim == 2:
            return (clip_labels > 0.5).sum(axis=0)
        return np.bincount(clip_labels, minlength=len(labels))

    def n_groups(self, split):
        """The number of groups in a split; None where groups aren't known."""
        if split == "test":
            groups = self.predictions.groups
        else:
            groups = self.clips[split].groups if split in self.clips else None
        return None if groups is None else len(set(groups))


def baseline(tested):
    """(label, its share of the test clips) of the answer that most clips have.

    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> predictions = ClipPredictions(np.zeros((4, 2)), np.array([0, 0, 0, 1]))
    >>> baseline(TestedTask(head, {}, predictions, {}, "by hand"))
    ('kick', 0.75)
    """
    counts = tested.predictions.truth.sum(axis=0)
    return tested.head.labels[counts.argmax()], float(counts.max() / counts.sum())


def of_task(tested):
    """Yields sentences, in Markdown, on a task: what matters most comes first.

    >>> from training.evaluation.scores import scored
    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> predictions = ClipPredictions(np.eye(2), np.array([0, 1]), groups=["a", "b"])
    >>> scores = scored(predictions, head.labels)
    >>> for note in of_task(TestedTask(head, {}, predictions, scores, "by hand")):
    ...     print(note)
    The test clips come from 2 groups only: ...
    """
    yield from map(plain, tested.notes)
    yield from _on_groups(tested)
    yield from _on_the_result(tested)
    yield from _on_classes(tested)


def of_training(tested, history, best_epoch, config):
    """Yields sentences, in Markdown, on how a run was trained.

    Args:
        tested: A list of `TestedTask`.
        history: One dict an epoch, as in `history.csv`.
        best_epoch: Number of the one that was kept, from 1; 0 where none was.
        config: The run's `FitConfig`.

    >>> from training.settings.config import FitConfig
    >>> history = [{"epoch": 1, "loss": 0.9}, {"epoch": 2, "loss": 0.7}]
    >>> [note] = of_training([], history, 2, FitConfig("drums", epochs=2))
    >>> print(note)
    Still learning: of 2 epochs number 2 is the best, and the loss was still falling:
    try `--epochs 10`.
    """
    n_epochs = len(history)
    still = _still(history, best_epoch, config)
    if still:
        yield (
            f"Still learning: of {n_epochs} epochs number {best_epoch} is the best, "
            f"and {still}: try {_more(tested, n_epochs, config)}."
        )
    elif n_epochs < _LEAST_EPOCHS and n_epochs == config.n_epochs:
        more = _more(tested, n_epochs, config)
        yield f"It learned for {counted(n_epochs, 'epoch')} only: try {more}."
    for of_head in tested if best_epoch else ():
        name = f"{of_head.head.name}_" if len(tested) > 1 else ""
        yield from _on_what_carries_over(of_head, history[best_epoch - 1], name)


def as_text(note):
    """A sentence of these notes as a terminal shows it, without the marks of Markdown.

    >>> as_text("Never predicted: `a_b`. Try `--balanced`.")
    'Never predicted: a_b. Try --balanced.'
    """
    return re.sub(r"(`+)( ?)(.*?)\2\1", r"\3", note)


def _still(history, best_epoch, config):
    """What says that more epochs would probably have done better; None if nothing."""
    n_epochs = len(history)
    n_before = max(1, 2 * n_epochs // 3)
    last, before = history[-1], history[n_before - 1]
    is_cut = n_epochs < config.n_epochs  # by --patience
    if is_cut or n_epochs < 2 or best_epoch <= _LATE * n_epochs:
        return None
    is_falling = last["loss"] < (1 - _FALLING) * before["loss"]
    if is_falling and last.get("accuracy", 0) <= _LEARNED:
        return "the loss was still falling"
    scores = [row.get("val_accuracy", row.get("val_mAP")) or 0.0 for row in history]
    best, best_before = scores[best_epoch - 1], max(scores[:n_before])
    if best - best_before > _RISING:
        return "the validation clips were still gaining"
    return None


def _more(tested, n_epochs, config):
    """The options for several times the epochs, as they were, and what they mean."""
    n_clips = sum(t.clips["train"].n_examples for t in tested if "train" in t.clips)
    epochs = max(_FEW_EPOCHS, 3 * n_epochs)
    options = f"--epochs {epochs}"
    if not n_clips:
        return code(options)
    steps = config.steps_in_epoch(n_clips)
    if dataclasses.replace(config, epochs=epochs).steps_in_epoch(n_clips) != steps:
        options += f" --steps-per-epoch {steps}"
    return f"{code(options)}, {epochs * steps} steps in place of {n_epochs * steps}"


def _on_what_carries_over(tested, row, prefix):
    """Training, validation and test accuracies that are far apart."""
    test = tested.scores.get("accuracy")
    train, validation = row.get(f"{prefix}accuracy"), row.get(f"val_{prefix}accuracy")
    if test is None:
        return
    which = f" of {code(tested.head.name)}" if prefix else ""
    if train is not None and train - test > _APART:
        units = "clips" if tested.n_groups("test") is None else "groups"
        yield (
            f"Training and test{which} are far apart: {percent(train)} of the "
            f"training windows were right, and {percent(test)} of the test clips. "
            f"What was learned doesn't carry over to other {units}. Clips of more "
            "kinds to train on help, or augmentation (`--preset few_clips`)."
        )
    if validation is not None and abs(validation - test) > _APART:
        yield (
            f"Validation and test{which} are far apart: {percent(validation)} and "
            f"{percent(test)}. So much hangs on which clips are held out: try other "
            "seeds."
        )


def _on_groups(tested):
    """Whether the test tells of new groups, and of how many."""
    n_groups = tested.n_groups("test")
    if n_groups is None:
        mentions_groups = any("--group" in line for line in tested.notes)
        if not tested.is_official and not mentions_groups:
            yield (
                "Groups (speakers, recordings, devices) aren't known: if clips of one "
                "are in training and in the test, this result flatters. Name them by "
                "`--group-pattern` or `--group-by parent`, and whole groups are held "
                "out."
            )
        return
    if n_groups < LEAST_UNITS:
        yield (
            f"The test clips come from {counted(n_groups, 'group')} "
            "only: the result tells of "
            f"{'these' if n_groups > 1 else 'this one'}, and little of others. Another "
            "`--seed` may test others, `--folds groups` tests each in turn."
        )
    train = tested.clips.get("train")
    if tested.head.multi_label or train is None or train.clips is None:
        return
    groups_of = collections.defaultdict(set)
    for clip, group in zip(train.clips, train.groups or ()):
        groups_of[clip.label].add(group)
    single = [name for name in tested.head.labels if len(groups_of[name]) == 1]
    if single:
        yield (
            "Known from one training group only, so that what was learned there may be "
            f"the group, not the class: {_classes(single)}"
        )


def _on_the_result(tested):
    """How many clips it rests on, and whether it beats the simplest answer."""
    scores = tested.scores
    if tested.head.multi_label:
        return
    label, share = baseline(tested)
    low = (scores["intervals"]["accuracy"] or (scores["accuracy"],))[0]
    if scores["accuracy"] <= share:
        yield (
            f"It is no better than always answering {code(label)}, which is right for "
            f"{percent(share)} of the test clips."
        )
    elif low <= share:
        yield (
            f"It may be no better than always answering {code(label)}, right for "
            f"{percent(share)} of the test clips: the interval contains that."
        )


def _on_classes(tested):
    """Classes that are small, out of balance, or never predicted."""
    labels, per_class = tested.head.labels, tested.scores["per_class"]
    counts = [(name, per_class[name]["n_examples"]) for name in labels]
    absent = [name for name, n in counts if n == 0]
    few = [(name, n) for name, n in counts if 0 < n < _FEW_TEST_CLIPS]
    if absent:
        yield f"No test clips, so that nothing is known of them: {_classes(absent)}"
    if few:
        yield (
            "Few test clips, so that each moves the figures of its class by "
            f"{percent(1 / max(n for _, n in few), 0)} or more: {_with_counts(few)}"
        )
    unseen = [
        name
        for name, chosen in zip(labels, tested.predictions.chosen.any(axis=0))
        if not chosen and per_class[name]["n_examples"]
    ]
    if unseen:
        yield f"Never predicted for a test clip: {_classes(unseen)}"
    class_counts = tested.n_clips_of_classes("train")
    if class_counts is None:
        return
    training = sorted(zip(labels, class_counts.tolist()), key=lambda pair: pair[1])
    small = [(name, n) for name, n in training if n < _FEW_TRAINING_CLIPS]
    if small:
        yield f"Few training clips: {_with_counts(small)}"
    (smallest, least), (largest, most) = training[0], training[-1]
    if most > _IMBALANCE * max(1, least):
        yield (
            f"Out of balance: {code(largest)} has {most} training clips, "
            f"{code(smallest)} {least}. `--balanced` draws all classes alike."
        )


def _with_counts(pairs):
    return a_few([f"{code(name)} {n}" for name, n in pairs], _NAMED)


def _classes(names):
    return a_few([code(name) for name in names], _NAMED)


def percent(share, digits=1):
    """A share in percent.

    >>> percent(0.223), percent(0.1, digits=0)
    ('22.3 %', '10 %')
    """
    return f"{100 * share:.{digits}f} %"
