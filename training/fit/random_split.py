"""The same run on a random split, to show how far that flatters."""

import dataclasses

from leaf_files.errors import UserError
from training.settings.config import NO_GROUPS

_KEPT = ("accuracy", "mAP", "auc", "macro_f1", "loss", "n_examples", "intervals")
_ASKED = "--compare-splits compares unseen groups with a random split"


def random_config(config):
    """The `FitConfig` of the same run on a random split.

    >>> from training.settings.config import FitConfig
    >>> random_config(FitConfig("folder:drums", group_by="parent")).group_by
    'none'
    """
    return dataclasses.replace(
        config, group_pattern=None, group_by=NO_GROUPS, folds=None, fold=None
    )


def require_other_split(config, tasks):
    """Checks, before any data is read, that a random split may be another one.

    Args:
        config: `FitConfig` of the run.
        tasks: Its tasks.

    Raises:
        UserError: It can't be.

    >>> from training.settings.config import FitConfig
    >>> require_other_split(FitConfig("folder:drums", group_by="none"), tasks=[])
    Traceback (most recent call last):
    leaf_files.errors.UserError: --compare-splits compares unseen groups with a random
    split, and --group-by none leaves groups aside: leave out one of them
    """
    if config.group_by == NO_GROUPS:
        raise UserError(
            f"{_ASKED}, and --group-by none leaves groups aside: leave out one of them"
        )
    _require_one([task.why_not_split for task in tasks])


def require_groups(tasks, task_data):
    """Checks that a random split is another one.

    Args:
        tasks: The tasks of the run.
        task_data: `TaskData` of each.

    Raises:
        UserError: It isn't, in any of the tasks.

    >>> from training.tasks.registry import get_task
    >>> task = get_task("folder:drums")
    >>> require_groups([task], [task.load()])
    Traceback (most recent call last):
    leaf_files.errors.UserError: --compare-splits compares unseen groups with a random
    split, but the groups of folder:drums aren't known: ...
    """
    _require_one([_why_not(task, data) for task, data in zip(tasks, task_data)])


def _require_one(reasons):
    if all(reasons):
        raise UserError(f"{_ASKED}, but {reasons[0]}")


def _why_not(task, data):
    """Why the clips of a task can't be split at random instead, or ""."""
    if task.why_not_split:
        return task.why_not_split
    if data.given_splits:
        split_names = " and ".join(data.given_splits)
        return f"{task.name} says itself which clips are of {split_names}"
    if data.splits["test"].groups is None:
        return (
            f"the groups of {task.name} aren't known: name them by --group-pattern or "
            "--group-by parent"
        )
    return ""


def add_random_split(entries, metrics):
    """Adds the scores on a random split to entries of `metrics.json`.

    Args:
        entries: {task: its entry}; of tasks with groups it gets "random_split".
        metrics: The content of the other run's `metrics.json`.

    >>> entries = {"drums": {"accuracy": 0.2, "n_groups": {"test": 4}}}
    >>> add_random_split(entries, {"tasks": {"drums": {"accuracy": 0.9}}})
    >>> entries["drums"]["random_split"]
    {'accuracy': 0.9}
    """
    for task, entry in entries.items():
        if "n_groups" in entry:
            scores = metrics["tasks"][task]
            entry["random_split"] = {n: scores[n] for n in _KEPT if n in scores}
