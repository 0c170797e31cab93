"""The clips of a task as a table, to be edited and read by `table:FILE`."""

import os
from pathlib import Path

from leaf_files.atomic import write_csv
from leaf_files.errors import UserError
from leaf_files.run_folder import LABEL_SEPARATOR
from training.inspection.findings import alike
from training.tasks.own.entries import name_below


def require_writable(path):
    """Checks the name of a table before any long work.

    Raises:
        UserError: It isn't called .csv, or it is there.

    >>> require_writable("clips.txt")
    Traceback (most recent call last):
    leaf_files.errors.UserError: --write makes a table, FILE.csv. Received: clips.txt
    """
    path = Path(path)
    if path.suffix.lower() != ".csv":
        raise UserError(f"--write makes a table, FILE.csv. Received: {path}")
    if path.exists():
        raise UserError(
            f"{path} exists, and may have been edited: name another file by --write, "
            "or remove it"
        )


def write_table(path, facts):
    """Writes the clips, their labels, groups and splits.

    Args:
        path: A CSV file; paths of clips are relative to its folder where they are
            below it, else absolute.
        facts: `training.inspection.facts.TaskFacts`.

    Raises:
        UserError: The clips are no files, as of TFDS, or the file can't be written.

    >>> from training.inspection.inspecting import inspect
    >>> from training.settings.config import FitConfig
    >>> [drums] = inspect(FitConfig("folder:drums"))
    >>> write_table("drums.csv", drums.facts)
    >>> print(Path("drums.csv").read_text())
    path,label,split
    drums/kick/0.wav,kick,...
    """
    if any(clip.path is None for clip in facts.clips):
        raise UserError(
            f"the clips of {facts.task} are in records and are no files: "
            "a table can't name them"
        )
    of_several = [x for x in facts.labels if LABEL_SEPARATOR in x]
    if of_several:
        raise UserError(
            f"in a table {LABEL_SEPARATOR!r} separates labels, and a class is called "
            f"{of_several[0]!r}: rename it"
        )
    path = Path(os.path.abspath(path))
    together = {
        n: number for number, members in enumerate(alike(facts), 1) for n in members
    }
    rows = [
        {
            "path": name_below(Path(os.path.abspath(clip.path)), path.parent),
            "label": LABEL_SEPARATOR.join(clip.labels) or facts.background or "",
            "group": clip.group,
            "split": clip.split,
            "start": clip.start,
            "end": clip.end,
            "weight": None if clip.weight == 1 else clip.weight,
            "sounds_like": together.get(n),
        }
        for n, clip in enumerate(facts.clips)
    ]
    used = [
        column
        for column in rows[0]
        if column in ("path", "label") or any(row[column] is not None for row in rows)
    ]
    write_csv(path, [{column: row[column] for column in used} for row in rows])
