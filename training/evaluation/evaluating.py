"""Evaluates a finished run, on its own test split or on other clips."""

import contextlib
import dataclasses
import functools
import sys

from leaf_files.decisions import Decisions
from leaf_files.errors import UserError
from leaf_files.run_folder import Head, require_same_rate
from leaf_tf.frontends.base import frontends_of
from training.decisions.calibration import calibration_entry
from training.evaluation.clips import (
    ClipEvaluator,
    ClipPredictions,
    MultiLabelPredictions,
    averaged,
)
from training.evaluation.scores import scored
from training.run.data_checks import heard_before, is_own, is_same, own_test_clips
from training.run.folder import RunFolder
from training.run.models import load_classifier
from training.settings.config import FitConfig
from training.tasks.clip_sets import ClipSet
from training.tasks.own.task import OwnTask
from training.tasks.registry import get_task


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The predictions of a model for one task's clips.

    Attributes:
        task: Name of the task.
        head: `Head` of the model that made the predictions.
        predictions: `ClipPredictions` or `MultiLabelPredictions`.
        decisions: `Decisions` of the head.

    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> predictions = ClipPredictions(np.array([[2.0, 0.0]]), np.array([0]))
    >>> Evaluation("drums", head, predictions).predictions.accuracy
    1.0
    """

    task: str
    head: Head
    predictions: ClipPredictions | MultiLabelPredictions
    decisions: Decisions = dataclasses.field(default_factory=Decisions)

    @functools.cached_property
    def scores(self):
        """The task's entry in `metrics.json`, see `training.evaluation.scores`."""
        entry = scored(self.predictions, self.head.labels)
        calibration = calibration_entry(self.predictions, self.decisions.temperature)
        return {**entry, "calibration": calibration}


def as_metrics(evaluations):
    """The content of `metrics.json`, {"tasks": ..., "average": ...}.

    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> predictions = ClipPredictions(np.array([[0.0, 0.0]]), np.array([0]))
    >>> as_metrics([Evaluation("drums", head, predictions)])["tasks"]["drums"]
    {'accuracy': 1.0, 'loss': 0.693..., 'n_examples': 1, ...}
    """
    metrics = [evaluation.scores for evaluation in evaluations]
    content = {"tasks": {e.task: m for e, m in zip(evaluations, metrics)}}
    if len(metrics) > 1:
        content["average"] = averaged(metrics)
    return content


def evaluate(
    run_path,
    task_name=None,
    data_dir=None,
    noise=None,
    skip_bad_clips=False,
    exactly=False,
    index=None,
):
    """Evaluates the model of a run on whole clips.

    Args:
        run_path: A finished run folder.
        task_name: Name of a task whose labels the model knows; None for all tasks of
            the run. The clips are those of the test split; of another folder all,
            unless it is the run's own folder, moved. Of a folder that has changed they
            are the clips of the run's test split that are still there, by their sound.
        data_dir: Folder where TFDS keeps its data; defaults to the run's.
        noise: `training.evaluation.noise.Noise` to add to the clips, or None.
        skip_bad_clips: Whether clips that can't be read are named and left out, as by
            default for a run that was trained so.
        exactly: Whether to refuse a run whose own data changed in any way.
        index: Use of the index of clips, see `FitConfig`; defaults to the run's.

    Returns:
        A list of `Evaluation`, one a task.

    Raises:
        UserError: No finished run, or data that can't be used: no clip of the run's
            test split is left, or its clips can't be known.

    >>> [evaluation] = evaluate("run")
    >>> evaluation.task, evaluation.predictions.logits.shape
    ('folder:drums', (2, 2))
    """
    run = RunFolder(run_path)
    run.require_finished()
    config = FitConfig.read(run.config)
    if skip_bad_clips:
        config = dataclasses.replace(config, skip_bad_clips=True)
    if index is not None:
        config = dataclasses.replace(config, index=index)
    heads = run.read_heads()
    decisions = dict(zip(heads, run.read_decisions(heads)))
    open_clips = functools.partial(
        _clips, run, config, data_dir or config.data_dir, exactly
    )
    if task_name:
        wanted = [(task_name, *_head_and_clips(task_name, heads, open_clips))]
    else:
        wanted = [(head.task, head, open_clips(head.task, head)) for head in heads]
    model = load_classifier(run.model, heads)
    _require_rate(run, model, config)
    for line in run.notes():
        _note(line)
    evaluations = []
    for name, head, clips in wanted:
        in_noise = ""
        if noise is not None:
            clips, in_noise = noise.added_to(clips), f" in {noise}"
        print(
            f"evaluating on {clips.n_examples} clips of {name}{in_noise}",
            file=sys.stderr,
        )
        with _running(run.model):
            predictions = ClipEvaluator(clips, head, config).predict(model)
        evaluations.append(Evaluation(name, head, predictions, decisions[head]))
    return evaluations


def _require_rate(run, model, config):
    """Checks that clips are resampled to the model's rate."""
    for frontend in frontends_of(model):
        require_same_rate(run.path, config.sample_rate, frontend.sample_rate)


@contextlib.contextmanager
def _running(path):
    """Turns failures of a model's layers into a `UserError` that names its file."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "Exception encountered when calling" not in str(error):
            raise
        raise UserError(
            f"the model in {path} loads, but can't be run: it is damaged"
        ) from error


def _note(line):
    print(line, file=sys.stderr)


def _head_and_clips(name, heads, open_clips):
    """The head that knows a task's classes, the task's own first; and the clips."""
    task_heads = [h for h in heads if is_same(get_task(h.task), get_task(name))]
    refusals = []
    for head in task_heads or heads:
        try:
            return head, open_clips(name, head)
        except UserError as error:
            refusals.append(error)
    raise refusals[0]


def _clips(run, config, data_dir, exactly, name, head):
    task = get_task(name, config)
    is_runs_own = is_same(task, get_task(head.task, config))
    if not is_runs_own and not isinstance(task, OwnTask):
        task = get_task(name)  # how the run splits its clips says nothing of these

    def load():
        data = task.load(data_dir, config.seed)
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
        clips, labels = own_test_clips(run, task, head, load, _note, exactly)
        clips = relabelled(clips, labels, head)
    elif not isinstance(task, OwnTask):
        data = load()
        clips = relabelled(data.splits["test"], data.labels, head)
    # The run's own clips are checked, too: another of its tasks, or the run that it
    # was adapted from, may have trained on them.
    if not is_runs_own or run.data.exists():
        overlap = heard_before(run, task, clips)
        if overlap:
            _note(overlap)
    return clips


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
