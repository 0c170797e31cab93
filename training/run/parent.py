"""The run that another one starts from, by `fit --from RUN`: its settings, its data."""

import dataclasses

from leaf_files.errors import UserError
from training.run.data_checks import heard_before
from training.run.data_record import DataRecord
from training.run.folder import RunFolder
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS

# Settings that frontend and encoder are of: another one makes another model.
_MODEL = ("frontend", "frontend_settings", "encoder", "n_filters", "sample_rate")


def inherited_settings(path):
    """The settings that a run of another task takes from a finished one.

    Args:
        path: Folder of the finished run.

    Returns:
        {name of a setting: value}.

    Raises:
        UserError: It holds no finished run, or one that is damaged.

    >>> inherited_settings("run")
    {'frontend': 'mel', 'frontend_settings': {}, 'encoder': 'small', 'n_filters': 8,
     'sample_rate': 8000, 'window_seconds': 0.1}
    """
    config = _read_config(RunFolder(path))
    return {name: getattr(config, name) for name in (*_MODEL, "window_seconds")}


def require_parent(config):
    """Checks that a run can start from the run that its config names.

    Args:
        config: `FitConfig`.

    Raises:
        UserError: That is no finished run, is damaged, or has a model of other
            settings.

    >>> require_parent(FitConfig("drums", sample_rate=8000, from_run="run"))
    Traceback (most recent call last):
    leaf_files.errors.UserError: the run in run, to start from, has frontend mel
    (received: leaf), n_filters 8 (received: 40); leave these options out, or --from
    """
    run = RunFolder(config.from_run)
    parent = _read_config(run)
    run.read_heads()
    different = [
        f"{name} {getattr(parent, name)} (received: {getattr(config, name)})"
        for name in _MODEL
        if getattr(parent, name) != getattr(config, name)
    ]
    if different:
        raise UserError(
            f"the run in {run.path}, to start from, has {', '.join(different)}; leave "
            "these options out, or --from"
        )


def _read_config(run):
    run.require_finished()
    return FitConfig.read(run.config)


def parent_notes(config, tasks, splits):
    """Lines on clips to validate and test by that the parent was trained on, a list.

    Args:
        config: `FitConfig` of the run.
        tasks: Tasks of the run, from `get_tasks`.
        splits: {split: `ClipSet`s of the tasks}.

    >>> from training.tasks.registry import get_task
    >>> task = get_task("folder:drums")  # the parent's own
    >>> splits = {s: [clips] for s, clips in task.load().splits.items()}
    >>> [line] = parent_notes(FitConfig(task.name, from_run="run"), [task], splits)
    >>> print(line)
    note: of these 2 validation clips run trained on 0 and chose its epoch by 2 ...
    """
    if not config.from_run:
        return []
    run = RunFolder(config.from_run)
    lines = [
        heard_before(run, task, clips, split)
        for split in SPLITS[1:]
        for task, clips in zip(tasks, splits[split])
    ]
    return [*run.notes(), *dict.fromkeys(filter(None, lines))]


def with_parent(data, config):
    """The `DataRecord` of a run with the records of its parent, if it has one.

    Args:
        data: `DataRecord` of the run's own clips.
        config: `FitConfig` of the run.

    >>> data = with_parent(DataRecord(()), FitConfig("drums", from_run="run"))
    >>> [task.head for task in data.before], data.started_from["run"]
    (['drums, before 1'], 'run')
    """
    if not config.from_run:
        return data
    run = RunFolder(config.from_run)
    parent = DataRecord.read(run) or DataRecord(())
    records = [
        dataclasses.replace(task, head=f"{task.head.partition(',')[0]}, before {n}")
        for n, task in enumerate(parent.tasks + parent.before, 1)
    ]
    model = run.file_marks()[run.model.name]
    started_from = {"run": str(run.path), "model": model}
    return dataclasses.replace(data, before=tuple(records), started_from=started_from)


def as_started(data, run):
    """The `DataRecord` of a run that continues, with the records of its parent.

    Args:
        data: `DataRecord` of the run's own clips.
        run: `RunFolder` of the run.

    >>> data = with_parent(DataRecord(()), FitConfig("drums", from_run="run"))
    >>> data.write(RunFolder("tuned"))
    >>> as_started(DataRecord(()), RunFolder("tuned")).started_from["run"]
    'run'
    """
    record = DataRecord.read(run)
    if record is None:
        return data
    return dataclasses.replace(
        data, before=record.before, started_from=record.started_from
    )
