"""A finished run with its clips and its model, to be run on them."""

import contextlib
import dataclasses
import functools
import sys

import numpy as np

from leaf_files.decisions import Decisions
from leaf_files.errors import UserError
from leaf_files.run_folder import Head, require_same_rate
from leaf_tf.frontends.base import frontends_of
from training.evaluation.clips import quiet_tracing
from training.run.data_checks import heard_before, is_own, is_same, own_clips
from training.run.folder import RunFolder
from training.run.models import load_classifier
from training.settings.config import FitConfig
from training.tasks.clip_sets import ClipSet
from training.tasks.own.task import OwnTask
from training.tasks.registry import get_task


@dataclasses.dataclass(frozen=True)
class OpenRun:
    """A finished run.

    Attributes:
        run: Its `RunFolder`.
        config: Its `FitConfig`.
        heads: A tuple of `Head`.
        decisions: {head: its `Decisions`}.
        data_dir: Folder where TFDS keeps its data, or None.

    >>> [[name, head, clips]] = OpenRun.open("run").clips()
    >>> name, head.labels, clips.n_examples
    ('folder:drums', ('kick', 'snare'), 2)
    """

    run: RunFolder
    config: FitConfig
    heads: tuple[Head, ...]
    decisions: dict[Head, Decisions]
    data_dir: str | None

    @classmethod
    def open(cls, path, data_dir=None, skip_bad_clips=False, index=None):
        """Opens the run in a folder.

        Args:
            path: The run folder.
            data_dir: Folder where TFDS keeps its data; defaults to the run's.
            skip_bad_clips: Whether clips that can't be read are named and left out, as
                by default for a run that was trained so.
            index: Use of the index of clips, see `FitConfig`; defaults to the run's.

        Raises:
            UserError: It is no finished run, or is damaged.
        """
        run = RunFolder(path)
        run.require_finished()
        config = FitConfig.read(run.config)
        if skip_bad_clips:
            config = dataclasses.replace(config, skip_bad_clips=True)
        if index is not None:
            config = dataclasses.replace(config, index=index)
        heads = run.read_heads()
        decisions = dict(zip(heads, run.read_decisions(heads)))
        return cls(run, config, heads, decisions, data_dir or config.data_dir)

    def with_decisions(self, decisions):
        """The same with other `Decisions`, {head: `Decisions`} of some of its heads."""
        return dataclasses.replace(self, decisions={**self.decisions, **decisions})

    def clips(self, task_name=None, split="test", exactly=False):
        """The clips of the run's tasks, or of another task.

        Args:
            task_name: Name of a task whose labels the model knows; None for all tasks
                of the run. Of another folder they are all clips, unless it is the run's
                own folder, moved. Of a folder that has changed they are the clips of
                the run's split that are still there, by their sound.
            split: "test" or "validation", of the run's own tasks.
            exactly: Whether to refuse a run whose own data changed in any way.

        Returns:
            A list of (name of the task, `Head`, `ClipSet` labelled as the head is).

        Raises:
            UserError: Data that can't be used: no clip of the split is left, its clips
                can't be known, or it has labels that the model doesn't know.
        """
        take = functools.partial(self._clips, split, exactly)
        if task_name:
            return [(task_name, *head_for(task_name, self.heads, take))]
        return [(head.task, head, take(head.task, head)) for head in self.heads]

    def load_model(self):
        """The Keras model; notes on files that changed go to stderr.

        Raises:
            UserError: It is damaged, or of another rate than the run's settings.
        """
        model = load_classifier(self.run.model, self.heads)
        for frontend in frontends_of(model):
            rate = self.config.sample_rate
            require_same_rate(self.run.path, rate, frontend.sample_rate)
        for line in self.run.notes():
            _note(line)
        return model

    def logits(self, model, windows):
        """What a model gives for windows, {head: (windows, classes), float64}.

        Args:
            model: The model, as of `load_model`.
            windows: (windows, samples).

        >>> opened = OpenRun.open("run")
        >>> [found] = opened.logits(opened.load_model(), np.zeros((3, 800))).values()
        >>> found.shape
        (3, 2)
        """
        with self.running(), quiet_tracing():
            outputs = model.predict_on_batch(windows)
        return {
            head: np.asarray(
                outputs[head.name] if isinstance(outputs, dict) else outputs,
                np.float64,
            )
            for head in self.heads
        }

    @contextlib.contextmanager
    def running(self):
        """Turns failures of the model's layers into a `UserError` that names its file.

        >>> with OpenRun.open("run").running():
        ...     raise ValueError("Exception encountered when calling Dense.call()")
        Traceback (most recent call last):
        leaf_files.errors.UserError: the model in run/model.keras loads, but can't ...
        """
        try:
            yield
        except (TypeError, ValueError) as error:
            if "Exception encountered when calling" not in str(error):
                raise
            raise UserError(
                f"the model in {self.run.model} loads, but can't be run: it is damaged"
            ) from error

    def _clips(self, split, exactly, name, head):
        run, config = self.run, self.config
        task = get_task(name, config)
        is_runs_own = is_same(task, get_task(head.task, config))
        if not is_runs_own and not isinstance(task, OwnTask):
            task = get_task(name)  # how the run splits its clips says nothing of these

        def load():
            data = task.load(self.data_dir, config.seed)
            require_known(name, data, head)
            return data

        if isinstance(task, OwnTask) and not task.can_be_multi_label:
            _require_one_count(name, task.multi_label, head)
        if not is_runs_own and isinstance(task, OwnTask):
            clips = task.load_all(list(head.labels), head.multi_label)
            is_runs_own = is_own(run, head, task, clips)
            if is_runs_own:
                _note(f"note: {name} holds the clips of {head.task}, which isn't there")
        if is_runs_own:
            clips, labels = own_clips(run, task, head, load, _note, split, exactly)
            clips = relabelled(clips, labels, head)
        elif split != "test":
            raise UserError(
                f"{name} isn't the data that {run.path} was trained on: the {split} "
                f"clips are those of {head.task}; name where these lie now, by --task"
            )
        elif not isinstance(task, OwnTask):
            data = load()
            clips = relabelled(data.splits[split], data.labels, head)
        # The run's own test clips are checked, too: another of its tasks, or the run
        # that it was adapted from, may have trained on them.
        if not is_runs_own or (run.data.exists() and split == "test"):
            overlap = heard_before(run, task, clips)
            if overlap:
                _note(overlap)
        return clips


def _note(line):
    print(line, file=sys.stderr)


def head_for(name, heads, opens):
    """The head that knows a task's classes, its own first; and what it opens with.

    Args:
        name: Name of the task.
        heads: `Head`s of a run.
        opens: Function of the name and a head, to what is opened for it.

    Raises:
        UserError: What `opens` raises for the first of them, if it does for all.

    >>> heads = OpenRun.open("run").heads
    >>> head, name = head_for("folder:drums", heads, lambda name, head: head.name)
    >>> name
    'drums'
    """
    task_heads = [h for h in heads if is_same(get_task(h.task), get_task(name))]
    refusals = []
    for head in task_heads or heads:
        try:
            return head, opens(name, head)
        except UserError as error:
            refusals.append(error)
    raise refusals[0]


def require_known(name, data, head):
    """Checks that a model knows the labels of a task.

    Args:
        name: Name of the task.
        data: `TaskData` of the task.
        head: `Head` of the model.

    Raises:
        UserError: The task has other labels, or several a clip where the model
            learned one.

    >>> data = get_task("folder:drums").load()
    >>> head = Head("hits", "hits", ("cymbal", "kick"), "softmax")
    >>> require_known("folder:drums", data, head)
    Traceback (most recent call last):
    leaf_files.errors.UserError: the task folder:drums has classes that the model
    doesn't know: snare; it knows cymbal, kick
    """
    unknown = sorted(set(data.labels) - set(head.labels))
    if unknown:
        raise UserError(
            f"the task {name} has classes that the model doesn't know: "
            f"{', '.join(unknown)}; it knows {', '.join(head.labels)}"
        )
    _require_one_count(name, data.multi_label, head)


def _require_one_count(name, multi_label, head):
    """Checks that clips have as many labels as the model learned: one, or any."""
    if multi_label != head.multi_label:
        count = "several labels" if multi_label else "one label"
        raise UserError(
            f"clips of {name} have {count} each, unlike those of {head.task}, which "
            "the model learned"
        )


def relabelled(clips, labels, head):
    """Clips labelled by a model's labels.

    Args:
        clips: A `ClipSet`.
        labels: Labels of its task, all of which the model knows.
        head: `Head` of the model.

    Returns:
        A `ClipSet`.

    >>> data = get_task("folder:drums").load()
    >>> head = Head("hits", "hits", ("cymbal", "kick", "snare"), "softmax")
    >>> clips = relabelled(data.splits["test"], data.labels, head)
    >>> [int(clip["label"]) for clip in clips.dataset(8000)]
    [1, 2]
    """
    if tuple(labels) == head.labels:
        return clips
    import tensorflow as tf

    indices = [head.labels.index(name) for name in labels]
    if head.multi_label:
        columns = tf.one_hot(indices, len(head.labels))  # (n_labels, n_classes)

        def relabel(label):
            return tf.linalg.matvec(columns, label, transpose_a=True)
    else:
        places = tf.constant(indices, tf.int64)

        def relabel(label):
            return places[label]

    def read(sample_rate):
        return clips.dataset(sample_rate).map(
            lambda clip: {**clip, "label": relabel(clip["label"])}
        )

    return ClipSet(
        clips.n_examples,
        read,
        clips=clips.clips,
        fingerprint=clips.fingerprint,
        groups=clips.groups,
        weighted=clips.weighted,
    )
