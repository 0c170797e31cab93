"""`python -m training inspect`: what a task is, before anything learns from it."""

import dataclasses
from pathlib import Path

from leaf_files.atomic import writable_folder
from leaf_files.errors import UserError
from training.inspection.facts import TaskFacts, facts_of
from training.inspection.findings import findings_of
from training.inspection.table import require_writable, write_table
from training.tasks.registry import get_tasks


@dataclasses.dataclass(frozen=True)
class Inspected:
    """Facts of a task's clips, and findings about them.

    Attributes:
        facts: `TaskFacts` of its clips.
        findings: Findings, a dict for JSON.

    >>> from training.settings.config import FitConfig
    >>> [drums] = inspect(FitConfig("folder:drums"))
    >>> drums.facts.labels, drums.findings["clips"]
    (('kick', 'snare'), 10)
    """

    facts: TaskFacts
    findings: dict


def inspect(config, output=None, write=None):
    """Looks at the clips of tasks; learns nothing.

    Args:
        config: `FitConfig` whose settings say which tasks, and how their data is read
            and split.
        output: Folder for figures, or None; of several tasks, a subfolder each.
        write: CSV file to write as a table, or None; of one task.

    Returns:
        An `Inspected` a task.

    Raises:
        UserError: A task can't be looked at, or a file can't be written.

    >>> from training.settings.config import FitConfig
    >>> [drums] = inspect(FitConfig("folder:drums"))
    >>> drums.findings["labels_a_clip"]
    {'1': 10}
    """
    tasks = get_tasks(config)
    if write is not None and len(tasks) > 1:
        raise UserError(
            f"--write makes the table of one task, and {len(tasks)} are asked for"
        )
    if write is not None:
        require_writable(write)
    if output is not None:
        writable_folder(output)
    inspected = []
    for task in tasks:
        facts = facts_of(task, config)
        if not facts.clips:
            raise UserError("; ".join(facts.faults) or f"{task.name} has no clips")
        inspected.append(Inspected(facts, findings_of(facts)))
    if write is not None:
        write_table(write, inspected[0].facts)
    if output is not None:
        from training.inspection.figures import draw_task

        for number, each in enumerate(inspected, 1):
            folder = Path(output) / str(number) if len(inspected) > 1 else Path(output)
            draw_task(each.facts, each.findings, folder)
    return inspected
