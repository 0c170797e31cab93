"""What a run knows of its training, for the model card: data, splits, scores."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leaf_files.json_files import read_json
from leaf_files.run_folder import Head, RunPaths, digest_of, read_heads

# Scores of a task in `metrics.json`, in the order of a card.
SCORES = ("accuracy", "macro_f1", "mAP", "auc")


def training_facts(folder: str | Path) -> dict:
    """What a run folder says of how its model was trained and tested.

    A file that is missing or damaged leaves out what it would say. So do scores where
    the model beside them is another one than was trained.

    Args:
        folder: The run folder.

    Returns:
        {} where nothing is known, else what `report.json` has as `training`:
        `frontend`, `encoder`, `parameters`, and a list `tasks` of {`name`: of the task,
        without its folder; `head`; `about`: see `leaf_files.run_folder.Head`;
        `clips`, `groups`: {split: number}; `test`: {`scores`: {name: value},
        `intervals`: {name: [low, high]}, `intervals_over`: "groups" or "clips",
        `n_intervals_over`, `n_examples`, `calibration`}}.

    Example:

    >>> training_facts("run")["tasks"]
    []
    """
    paths = RunPaths(folder)
    config, metrics, data = map(_read, (paths.config, paths.metrics, paths.data))
    files = _mapping(data.get("files"))
    if files.get(paths.model.name, "") not in ("", digest_of(paths.model)):
        metrics = {}
    facts: dict[str, Any] = {
        name: config[name]
        for name in ("frontend", "encoder")
        if isinstance(config.get(name), str)
    }
    total = _mapping(metrics.get("parameters")).get("total")
    if isinstance(total, int):
        facts["parameters"] = total
    records = data.get("tasks")
    records = [_mapping(r) for r in records] if isinstance(records, list) else []
    scores = _mapping(metrics.get("tasks"))
    facts["tasks"] = [
        _task(
            head,
            next((r for r in records if r.get("head") == head.name), {}),
            _mapping(scores.get(head.task)),
        )
        for head in _heads(paths.tasks)
    ]
    return facts


def _task(head: Head, record: Mapping, scores: Mapping) -> dict:
    splits = _mapping(record.get("splits"))
    clips = {name: _mapping(split).get("clips") for name, split in splits.items()}
    task = {
        "name": _without_folder(head.task),
        "head": head.name,
        "about": dict(head.about),
        "clips": _numbers(clips),
        "groups": _numbers(scores.get("n_groups")),
    }
    known = _numbers({name: scores.get(name) for name in SCORES})
    if known:
        intervals = _mapping(scores.get("intervals"))
        counts = _numbers(
            {k: scores.get(k) for k in ("n_examples", "n_intervals_over")}
        )
        over = scores.get("intervals_over")
        task["test"] = {
            "scores": known,
            "intervals": {k: intervals[k] for k in known if _is_pair(intervals.get(k))},
            "intervals_over": over if over in ("groups", "clips") else None,
            "calibration": _numbers(scores.get("calibration")),
            **counts,
        }
    return task


def _without_folder(task: str) -> str:
    """`folder:/home/me/birds` as `folder:birds`: nobody else has such a place."""
    kind, colon, place = task.partition(":")
    if not colon:
        return task
    return f"{kind}:{place.replace(chr(92), '/').rstrip('/').rpartition('/')[2]}"


def _heads(path: Path) -> tuple[Head, ...]:
    try:
        return read_heads(path)
    except (OSError, ValueError, TypeError, KeyError):
        return ()


def _read(path: Path) -> Mapping:
    try:
        return _mapping(read_json(path))
    except (OSError, ValueError):
        return {}


def _mapping(value: Any) -> Mapping:
    return value if isinstance(value, dict) else {}


def _numbers(value: Any) -> dict:
    """The entries of a dict that are numbers, and finite: JSON has no others."""
    return {k: v for k, v in _mapping(value).items() if _is_number(v)}


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)
