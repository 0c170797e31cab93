"""The tasks as text, and as values for JSON; imports nothing heavy."""

from training.tasks.tfds import size

FOLDER = "a folder of yours with a subfolder of clips per class"
TABLE = "a table of yours: clips and labels (CSV, ...), or annotations of recordings"


def table(tasks, data_dir=None):
    """A table, two lines a task: download, state, licence and homepage; the classes.

    Args:
        tasks: `TfdsTask`s to list.
        data_dir: Folder of TFDS. Defaults to TFDS's own.

    >>> from training.tasks.registry import known_tasks
    >>> print(table(known_tasks()[:1], "/data"))
    task         download  data               licence     homepage
    synthetic    none      made on first use  Apache-2.0  this package
        8 synthesised words of two syllables, 125 speakers, noise and rooms
    folder:PATH
        a folder of yours with a subfolder of clips per class
    table:FILE
        a table of yours: clips and labels (CSV, ...), or annotations of recordings
    """
    rows = [("task", "download", "data", "licence", "homepage")]
    descriptions = [None, *(task.about for task in tasks), FOLDER, TABLE]
    for task in tasks:
        licence = task.licence.partition(";")[0]
        data = _data(task, data_dir)
        rows.append((task.name, _download(task), data, licence, task.homepage))
    rows += [(name, "", "", "", "") for name in ("folder:PATH", "table:FILE")]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row, about in zip(rows, descriptions):
        cells = (cell.ljust(width) for cell, width in zip(row, widths))
        lines.append("  ".join(cells).rstrip())
        if about:
            lines.append(f"    {about}")
    return "\n".join(lines)


def description(task, data_dir=None):
    """The entry of one task in the registry, some lines.

    >>> from training.tasks.registry import get_task
    >>> print(description(get_task("synthetic"), "/data"))
    synthetic
      what      8 synthesised words of two syllables, 125 speakers, noise and rooms
      splits    fixed, no speaker in two of them
      ...
    """
    entries = {
        "what": task.about,
        "splits": task.split_rule,
        "metric": task.metric,
        "rate": f"{task.sample_rate} Hz",
        "download": _download(task),
        "data": _data(task, data_dir),
        "licence": task.licence,
        "homepage": task.homepage,
        "TFDS": task.dataset,
    }
    by_hand = task.how_to_get(data_dir)
    if by_hand:
        entries["to get it"] = by_hand
    width = max(map(len, entries))
    return "\n".join(
        [task.name, *(f"  {key:<{width}}  {text}" for key, text in entries.items())]
    )


def record(task, data_dir=None):
    """The entry of one task in the registry, a dict for JSON.

    >>> from training.tasks.registry import get_task
    >>> record(get_task("spoken_digit"))["sample_rate"]
    8000
    """
    return {
        "name": task.name,
        "about": task.about,
        "split_rule": task.split_rule,
        "metric": task.metric,
        "sample_rate": task.sample_rate,
        "download_bytes": task.download_bytes,
        "by_hand": task.how_to_get(data_dir),
        "ready": task.is_ready(data_dir),
        "licence": task.licence,
        "homepage": task.homepage,
        "tfds": task.dataset,
    }


def _download(task):
    if not task.download_bytes:
        return "none"
    return size(task.download_bytes) + (", by hand" if task.by_hand else "")


def _data(task, data_dir):
    if task.is_ready(data_dir):
        return "ready"
    return "missing" if task.download_bytes else "made on first use"
