"""The heads of a model that learns these tasks, one a task."""

import re

from leaf_files import run_folder
from leaf_files.command_line import program
from leaf_files.errors import UserError
from leaf_files.run_folder import ACTIVATIONS, SIGMOID, SOFTMAX, Head


def make_heads(task_names, task_data):
    """The heads of a model that learns these tasks.

    Args:
        task_names: Names of the tasks, see `FitConfig.tasks`.
        task_data: One `TaskData` a task.

    Returns:
        A tuple of `Head`.

    >>> from training.tasks.registry import get_task
    >>> [head] = make_heads(("folder:drums",), [get_task("folder:drums").load()])
    >>> head.name, head.labels, head.activation
    ('drums', ('kick', 'snare'), 'softmax')
    """
    return tuple(
        Head(
            task,
            name,
            tuple(data.labels),
            SIGMOID if data.multi_label else SOFTMAX,
            data.background,
        )
        for task, name, data in zip(task_names, head_names(task_names), task_data)
    )


def head_names(task_names):
    """A name for each task's head, a unique identifier.

    >>> head_names(("synthetic", "folder:/data/my clips", "folder:/other/my clips"))
    ('synthetic', 'my_clips', 'my_clips_2')
    >>> head_names(("table:/data/notes.csv#family", "table:/data/notes.csv#pitch"))
    ('notes_family', 'notes_pitch')
    """
    names = []
    for task in task_names:
        last = re.split(r"[/\\:]", task.rstrip("/\\"))[-1]
        if task.startswith("table:"):
            last = re.sub(r"\.\w+(?=#|$)", "", last)
        stem = re.sub(r"\W", "_", last, flags=re.ASCII)
        if not stem or stem[0].isdigit():
            stem = f"task_{stem}".rstrip("_")
        name, number = stem, 1
        while name in names:
            number += 1
            name = f"{stem}_{number}"
        names.append(name)
    return tuple(names)


def read_heads(path):
    """The heads of a run, as `fit` wrote them.

    Args:
        path: Path of `tasks.json`.

    Returns:
        A tuple of `Head`, at least one.

    Raises:
        UserError: The file is missing or damaged.

    >>> [head.labels for head in read_heads(Path("run/tasks.json"))]
    [('kick', 'snare')]
    """
    try:
        heads = run_folder.read_heads(path)
        if not heads:
            raise ValueError("no tasks")
        for head in heads:
            if head.activation not in ACTIVATIONS:
                raise ValueError(f"activation {head.activation!r}")
        return heads
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"cannot read the tasks in {path}: {error!r}; name a folder that "
            f"`{program('training')} fit` wrote"
        ) from error
