"""The heads of a model, one a task: the content of `tasks.json`."""

import dataclasses
import re

from leaf_files.errors import UserError
from leaf_files.json_files import read_json

SOFTMAX, SIGMOID = "softmax", "sigmoid"
ACTIVATIONS = (SOFTMAX, SIGMOID)


@dataclasses.dataclass(frozen=True)
class Head:
    """The meaning of one task's logits.

    Attributes:
        task: Name of the task, as in `--task`.
        name: Name of the model's output, where there are several: letters, digits and
            underscores.
        labels: Names of the classes, in the order of the logits.
        activation: Step from logits to probabilities: "softmax", one label a clip, or
            "sigmoid", any number of labels a clip.
    """

    task: str
    name: str
    labels: tuple[str, ...]
    activation: str = SOFTMAX

    @property
    def multi_label(self):
        """Whether a clip may have several labels, or none."""
        return self.activation == SIGMOID

    def to_dict(self):
        """The entry in `tasks.json`."""
        return {
            "task": self.task,
            "head": self.name,
            "labels": list(self.labels),
            "activation": self.activation,
        }


def make_heads(task_names, task_data):
    """The heads of a model that learns these tasks.

    Args:
        task_names: Names of the tasks, see `FitConfig.tasks`.
        task_data: One `TaskData` a task.

    Returns:
        A tuple of `Head`.
    """
    return tuple(
        Head(task, name, tuple(data.labels), SIGMOID if data.multi_label else SOFTMAX)
        for task, name, data in zip(task_names, head_names(task_names), task_data)
    )


def head_names(task_names):
    """A name for each task's head, a unique identifier.

    >>> head_names(("synthetic", "folder:/data/my clips", "folder:/other/my clips"))
    ('synthetic', 'my_clips', 'my_clips_2')
    """
    names = []
    for task in task_names:
        last = re.split(r"[/\\:]", task.rstrip("/\\"))[-1]
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
    """The heads that `fit` wrote down.

    Args:
        path: Path of `tasks.json`.

    Returns:
        A tuple of `Head`, at least one.

    Raises:
        UserError: The file is missing or damaged.
    """
    try:
        heads = tuple(
            Head(
                _text(entry["task"]),
                _text(entry["head"]),
                tuple(map(_text, entry["labels"])),
                _text(entry["activation"]),
            )
            for entry in read_json(path)["tasks"]
        )
        if not heads:
            raise ValueError("no tasks")
        for head in heads:
            if head.activation not in ACTIVATIONS:
                raise ValueError(f"activation {head.activation!r}")
        return heads
    except (OSError, UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"cannot read the tasks in {path}: {error!r}; name a folder that "
            "`python -m training fit` wrote"
        ) from error


def _text(value):
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
