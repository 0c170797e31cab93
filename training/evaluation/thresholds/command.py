"""`python -m training thresholds`: from a run to its thresholds."""

import dataclasses
import sys

from leaf_files.command_line import counted
from leaf_files.event_settings import EventSettings
from training.evaluation.clips import ClipEvaluator
from training.evaluation.opening import OpenRun
from training.evaluation.thresholds.choosing import TEST, VALIDATION, choose
from training.evaluation.thresholds.negatives import count_alarms, find_negatives
from training.evaluation.thresholds.writing import write_thresholds


def choose_thresholds(
    run_path,
    target,
    task_name=None,
    data_dir=None,
    skip_bad_clips=False,
    index=None,
    writes=True,
    negatives=(),
    settings=None,
):
    """Chooses the thresholds of a run on its validation clips, and writes them there.

    Args:
        run_path: A finished run folder.
        target: `training.evaluation.thresholds.choosing.Target`.
        task_name: Name of a task of the run, or of where its clips lie now; None for
            all tasks.
        data_dir, skip_bad_clips, index: See `OpenRun.open`.
        writes: Whether to write decisions, table, figures and the report's section.
        negatives: Folders of recordings without any label, for a target of false
            alarms.
        settings: `leaf_files.event_settings.EventSettings` of these.

    Returns:
        A list of `HeadChoices`, one a task.

    Raises:
        UserError: No finished run, or its clips can't be known.

    >>> from training.evaluation.thresholds.choosing import Target
    >>> [found] = choose_thresholds("run", Target("precision", 0.9))
    >>> [choice.note for choice in found.choices]
    ['1 validation clip with it, and 10 are needed to tell', '1 validation clip ...']
    """
    opened = OpenRun.open(run_path, data_dir, skip_bad_clips, index)
    recordings = find_negatives(negatives)
    clips = {split: opened.clips(task_name, split) for split in (VALIDATION, TEST)}
    model = opened.load_model()
    heads = [head for _, head, _ in clips[VALIDATION]]
    opened = opened.with_decisions({head: _so_far(opened, head) for head in heads})
    counts = [None] * len(heads)
    if recordings:
        n_files = counted(len(recordings), "recording")
        print(f"listening for false alarms in {n_files}", file=sys.stderr)
        settings = settings or EventSettings()
        counts = count_alarms(opened, model, heads, recordings, settings)
    found = []
    for n, (name, head, _) in enumerate(clips[VALIDATION]):
        predictions = {}
        for split, of_tasks in clips.items():
            of_split = of_tasks[n][2]
            print(
                f"evaluating on {of_split.n_examples} {split} clips of {name}",
                file=sys.stderr,
            )
            with opened.running():
                evaluator = ClipEvaluator(of_split, head, opened.config)
                predictions[split] = evaluator.predict(model)
        decisions = opened.decisions[head]
        found.append(choose(head, decisions, target, predictions, counts[n]))
    if writes:
        write_thresholds(opened.run, opened.heads, found)
    return found


def _so_far(opened, head):
    """The `Decisions` of a head; of a run of an older version, with its background."""
    decisions = opened.decisions[head]
    if not opened.run.decisions.exists() and head.background in head.labels:
        return dataclasses.replace(decisions, background=(head.background,))
    return decisions
