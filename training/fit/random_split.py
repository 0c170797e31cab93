"""The same run on a random split, to show what that would have flattered."""

import dataclasses

from leaf_files.errors import UserError
from training.settings.config import NO_GROUPS

_KEPT = ("accuracy", "mAP", "auc", "macro_f1", "loss", "n_examples", "intervals")
_ASKED = "--compare-splits compares unseen groups with a random split"


def random_config(config):
    """The `FitConfig` of the same run on a random split.

    Raises:
        UserError: The run's own split leaves groups aside as well.
    """
    if config.group_by == NO_GROUPS:
        raise UserError(
            f"{_ASKED}, and --group-by none leaves groups aside: leave out one of them"
        )
    return dataclasses.replace(
        config, group_pattern=None, group_by=NO_GROUPS, folds=None, fold=None
    )


def require_groups(tasks, task_data):
    """Checks that a random split would be another one.

    Args:
        tasks: The tasks of the run.
        task_data: `TaskData` of each.

    Raises:
        UserError: It wouldn't, in any of the tasks.
    """
    reasons = [_why_not(task, data) for task, data in zip(tasks, task_data)]
    if all(reasons):
        raise UserError(f"{_ASKED}, but {reasons[0]}")


def _why_not(task, data):
    """Why the clips of a task can't be split at random instead, or ""."""
    if task.why_not_split:
        return f"{task.why_not_split}: leave it out"
    if data.given_splits:
        return (
            f"{task.name} says itself which clips are of "
            f"{' and '.join(data.given_splits)}: leave it out"
        )
    if data.splits["test"].groups is None:
        return (
            f"the groups of {task.name} aren't known: tell them by --group-pattern or "
            "--group-by parent, or leave it out"
        )
    return ""


def add_random_split(entries, metrics):
    """Adds to entries of `metrics.json` what the random split said.

    Args:
        entries: {task: its entry}; of tasks with groups it gets "random_split".
        metrics: The content of the other run's `metrics.json`.
    """
    for task, entry in entries.items():
        if "n_groups" in entry:
            found = metrics["tasks"][task]
            entry["random_split"] = {n: found[n] for n in _KEPT if n in found}
