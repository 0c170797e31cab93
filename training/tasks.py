"""The registry of tasks: a name to what can be learned and where it lies."""

from pathlib import Path

from files.errors import UserError
from training.folder import FolderTask
from training.tfds_task import TfdsTask

_FOLDER_PREFIX = "folder:"

_TASKS = (
    TfdsTask(
        name="synthetic",
        dataset="leaf_synthetic",
        builder_module="training.synthetic",
        splits={
            "train": "train",
            "validation": "validation",
            "test": "test",
        },
        sample_rate=16000,
        licence="Apache-2.0",
        homepage="this package",
        download="none, it is synthesised",
    ),
    TfdsTask(
        name="spoken_digit",
        dataset="spoken_digit",
        sample_rate=8000,
        clip_key="audio/filename",
        licence="CC BY-SA 4.0",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        download="11 MiB",
    ),
)


def known_tasks():
    """The records of all tasks with a name of their own."""
    return _TASKS


def get_task(name):
    """The task that `--task` names.

    Args:
        name: The name of a known task, or "folder:PATH".

    Raises:
        UserError: No such task.
    """
    if name.startswith(_FOLDER_PREFIX) and name != _FOLDER_PREFIX:
        return FolderTask(Path(name[len(_FOLDER_PREFIX) :]).expanduser())
    for task in _TASKS:
        if task.name == name:
            return task
    known = ", ".join(task.name for task in _TASKS)
    raise UserError(
        f"there is no task {name!r}; the tasks are {known} and "
        f"{_FOLDER_PREFIX}PATH, a folder with a subfolder of clips per class"
    )
