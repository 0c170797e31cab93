"""Events that a run's model finds in recordings, beside those that a table has."""

import os
import re
from pathlib import Path

from leaf_files.command_line import a_few, counted
from leaf_files.errors import UserError
from leaf_files.event_settings import EventSettings
from leaf_files.events import EventFinder
from leaf_files.thresholds import DETECT_THRESHOLD
from training.evaluation.events.matching import Event
from training.evaluation.events.tables import read_reference
from training.evaluation.listening import Listener
from training.evaluation.opening import head_for
from training.run.data_record import DataRecord
from training.tasks.own.table import TableTask
from training.tasks.own.task import OwnTask
from training.tasks.registry import get_task

# What `OwnClip.name` adds to the name of a recording for a stretch of it.
_STRETCH = re.compile(r"@[\d.e+-]*-[\d.e+-]*$")


def find_events(opened, task_name=None, settings=None, say=print):
    """The events of tables and those that a run's model finds in their recordings.

    They are the events that `export detect` finds by the run's own decisions. Of
    recordings that the run trained or validated on, whole or in part, none is heard.

    Args:
        opened: `OpenRun` of the run.
        task_name: Name of a task of a table; None for all tasks of the run.
        settings: `EventSettings`; None for those of `detect`.
        say: Function that is called with a line about what is left out.

    Returns:
        {name of the task: its `Recording`s}.

    Raises:
        UserError: A task is no table with starts and ends, has labels that the model
            doesn't know, or no recording is left.

    >>> from leaf_files.clips import write_clip
    >>> from training.evaluation.opening import OpenRun
    >>> write_clip("quiet.wav", np.zeros(8000), 8000)
    >>> _ = Path("hits.csv").write_text(
    ...     "path,label,start,end\\nquiet.wav,kick,0.2,0.4\\n")
    >>> [[recording]] = find_events(OpenRun.open("run"), "table:hits.csv").values()
    >>> recording.seconds, len(recording.reference)
    (1.0, 1)
    """
    settings = settings or EventSettings()
    heads = dict(_head_and_table(opened, task_name))
    grid = settings.grid(opened.config.window_samples)
    listener = Listener(opened, opened.load_model(), grid)
    return {
        table.name: _heard(listener, head, table, settings, say)
        for head, table in heads.items()
    }


def _head_and_table(opened, task_name):
    """(head, its `TableTask`) of one task, or of all."""

    def known_table(name, head):
        unknown = sorted({x for e in entries for x in e.labels} - {*head.labels})
        if unknown:
            raise UserError(
                f"{name} has events that the model doesn't know: {a_few(unknown)}; it "
                f"knows {', '.join(head.labels)}"
            )
        return table

    if task_name is None:
        for head in opened.heads:
            yield head, _table(head.task, opened.config)[0]
        return
    table, entries = _table(task_name, opened.config)
    yield head_for(task_name, opened.heads, known_table)


def _table(name, config):
    """(the `TableTask` of a name, its entries)."""
    task = get_task(name, config)
    if not isinstance(task, TableTask):
        raise UserError(
            f"--events are those of a table with columns start and end, and {name} is "
            "none: name one by --task table:FILE"
        )
    entries = task.listing(True).entries
    if all(entry.start is None for entry in entries):
        raise UserError(f"no row of {name} has a start: it names clips, not events")
    return task, entries


def _heard(listener, head, table, settings, say):
    opened = listener.opened
    decisions = opened.decisions[head]
    recordings = read_reference(
        table.path, table.column, background=[*decisions.background, head.background]
    )
    learned = _learned(opened)
    if learned is None:
        say(
            f"note: {opened.run.path} has no record of its clips: whether it was "
            "trained on these recordings is unknown"
        )
    left = [p for p in recordings if os.path.realpath(p) not in (learned or ())]
    n_out = len(recordings) - len(left)
    if not left:
        raise UserError(
            f"the run was trained or validated on all {n_out} recordings of "
            f"{table.name}: name others by --task"
        )
    if n_out:
        say(
            f"note: {n_out} of {counted(len(recordings), 'recording')} of {table.name} "
            "are left out: the run was trained or validated on parts of them"
        )
    rate = opened.config.sample_rate
    levels = decisions.levels(head.labels, decisions.none_below or DETECT_THRESHOLD)
    rules = settings.rules_at(levels, listener.grid, rate, not head.multi_label)
    for recording in listener.hear_all(left, f"hearing {table.name}"):
        finder = EventFinder(listener.grid, rules)
        found = []
        for probabilities in recording:
            scores = decisions.calibrated(probabilities[head], head.activation)
            found += [event for row in scores for event in finder.hear(row)]
        found += finder.end(recording.n_samples)
        recordings[recording.path].detected += [
            Event(e.start / rate, e.end / rate, head.labels[e.label], e.score)
            for e in found
        ]
    return [recordings[path] for path in left]


def _learned(opened):
    """Paths of the files that a run learned from or validated on; None if unknown."""
    record = DataRecord.read(opened.run)
    listed = [t for t in record.tasks + record.before if t.clips] if record else []
    if not listed:
        return None
    return {
        os.path.realpath(_folder(task) / _STRETCH.sub("", clip.file))
        for task in listed
        for split in ("train", "validation")
        for clip in task.clips.get(split, ())
    }


def _folder(record):
    """The folder that the names of a task's clips are relative to."""
    task = get_task(record.task)
    return task.folder if isinstance(task, OwnTask) else Path()
