"""Evaluates a finished run, on its own test split or on other clips."""

import sys

from files.errors import UserError
from training.clip_sets import ClipSet
from training.config import FitConfig
from training.evaluation import ClipEvaluator
from training.folder import FolderTask
from training.models import load_classifier
from training.run_folder import RunFolder
from training.tasks import get_task


def evaluate(run_path, task_name=None, data_dir=None):
    """Evaluates the model of a run on whole clips.

    Args:
        run_path: A finished run folder.
        task_name: A task whose labels the model knows. Defaults to the run's
            own, of which the test split is used; of another task, too; of
            another folder all clips.
        data_dir: Where TFDS keeps its data; defaults to the run's.

    Returns:
        The task's name, the labels, and `ClipPredictions`.

    Raises:
        UserError: No finished run, or data that can't be used.
    """
    run = RunFolder(run_path)
    run.require_finished()
    config = FitConfig.read(run.config)
    labels = run.read_labels()
    name = task_name or config.task
    clips = _clips(name, config, labels, data_dir or config.data_dir)
    model = load_classifier(run.model, len(labels))
    print(f"evaluating on {clips.n_examples} clips of {name}", file=sys.stderr)
    return name, labels, ClipEvaluator(clips, config).predict(model)


def _clips(name, config, labels, data_dir):
    task = get_task(name)
    if isinstance(task, FolderTask) and not _same_folder(task, config):
        return task.load_all(labels)
    data = task.load(data_dir, config.seed)
    unknown = sorted(set(data.labels) - set(labels))
    if unknown:
        raise UserError(
            f"the task {name} has classes that the model doesn't know: "
            f"{', '.join(unknown)}; it knows {', '.join(labels)}"
        )
    return _relabelled(data.splits["test"], data.labels, labels)


def _same_folder(task, config):
    """Whether the run was trained on this folder, however it is spelled."""
    own = get_task(config.task)
    return isinstance(own, FolderTask) and own.path.resolve() == task.path.resolve()


def _relabelled(clips, names, labels):
    """The clips with their labels as indices of the model's `labels`."""
    if tuple(names) == tuple(labels):
        return clips
    import tensorflow as tf

    indices = tf.constant([labels.index(name) for name in names], tf.int64)

    def read(sample_rate):
        return clips.dataset(sample_rate).map(
            lambda clip: {**clip, "label": indices[clip["label"]]}
        )

    return ClipSet(clips.n_examples, read)
