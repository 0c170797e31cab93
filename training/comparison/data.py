"""Whether the runs of a comparison are of the same data."""

import collections

from leaf_files.errors import UserError
from training.run.data_record import DataRecord, changes

_NAMED = 4  # runs, of many


def finished_like(run, runs):
    """The folder of a finished run of the same tasks; None without one.

    Folders with a record of their data come first.

    Args:
        run: A `PlannedRun`.
        runs: All `PlannedRun`s.

    >>> from training.comparison.plan import Comparison
    >>> from training.settings.config import FitConfig
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 3, Path("pair"), "mel")
    >>> print(finished_like(pair.runs[1], pair.runs).path.as_posix())
    pair/runs/synthetic/mel/seed0
    """
    folders = [
        other.folder
        for other in runs
        if other.config.task == run.config.task and other.folder.metrics.exists()
    ]
    folders.sort(key=lambda folder: not folder.data.exists())
    return folders[0] if folders else None


def without_record(runs):
    """The finished `PlannedRun`s without a record of their data, a list.

    >>> from training.comparison.plan import Comparison
    >>> from training.settings.config import FitConfig
    >>> settings = FitConfig("synthetic")
    >>> pair = Comparison(settings, ("mel", "leaf"), 3, Path("pair"), "mel")
    >>> [str(run) for run in without_record(pair.runs)][:2]
    ['synthetic, mel, seed 0', 'synthetic, leaf, seed 0']
    """
    return [
        run
        for run in runs
        if run.folder.metrics.exists() and not run.folder.data.exists()
    ]


def require_one_data(runs):
    """Checks that all finished runs of the same tasks are of the same data.

    All their clips and labels have to be the same; the splits by seed may differ. For
    runs without a record of their data, only the numbers of clips are compared.

    Args:
        runs: A list of `PlannedRun`.

    Raises:
        UserError: Runs differ in their data; the message names them.

    >>> from training.comparison.plan import Comparison
    >>> from training.settings.config import FitConfig
    >>> settings = FitConfig("synthetic")
    >>> other = Comparison(settings, ("mel", "leaf"), 1, Path("other_data"), "mel")
    >>> require_one_data(other.runs)
    Traceback (most recent call last):
    leaf_files.errors.UserError: runs of different data can't be compared; ...
    """
    by_task = collections.defaultdict(list)
    for run in runs:
        if run.folder.metrics.exists():
            by_task[run.config.task].append(run)
    for finished in by_task.values():
        groups = collections.defaultdict(list)
        for run in finished:
            groups[_data_key(run)].append(run)
        known_keys = [key for key in groups if key is not None]
        totals = {_total(run) for run in finished} - {0}
        if len(known_keys) > 1 or len(totals) > 1:
            if len(known_keys) <= 1:  # some have only a number of clips
                groups.clear()
                for run in finished:
                    groups[_total(run)].append(run)
            _refuse(groups)


def _refuse(groups):
    groups = sorted((runs for runs in groups.values() if runs), key=len, reverse=True)
    listed = "; ".join(
        f"{_total(runs[0])} clips: {', '.join(map(str, runs[:_NAMED]))}"
        + (f" and {len(runs) - _NAMED} more" if len(runs) > _NAMED else "")
        for runs in groups
    )
    first, second = groups[0][0].folder, groups[1][0].folder
    difference = _difference(first, second)
    raise UserError(
        f"runs of different data can't be compared; those here are of {listed}"
        f"{difference}; remove the folders of the unwanted ones, such as "
        f"{second.path}, and have them trained again on the data of the others, "
        "or name another --output"
    )


def _difference(one, other):
    records = [DataRecord.read(folder) for folder in (one, other)]
    if None in records:
        return ""
    phrases = (
        changes(before, after, by_split=False)
        for before, after in zip(records[0].tasks, records[1].tasks)
    )
    return f" ({'; '.join(filter(None, phrases))})"


def _data_key(run):
    """A key of the data of a finished run; None if unknown."""
    record = DataRecord.read(run.folder, with_clips=False)
    if record is None:
        return None
    return tuple((task.labels, task.fingerprint) for task in record.tasks)


def _total(run):
    """Number of a finished run's clips; 0 if unknown."""
    return sum(run.folder.read_metrics().get("clips", {}).values())
