"""Recordings without any label, heard by a model as `export detect` hears them."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from leaf_files.command_line import note
from leaf_files.errors import UserError
from leaf_files.oddities import warn_of
from leaf_files.sound import FileBlocks, in_chunks
from leaf_files.walk import find_clips
from training.decisions.alarms import AlarmCounter
from training.evaluation.clips import quiet_tracing

_MOMENT = 2.0  # seconds
_AT_ONCE = 16.0  # seconds
_MOST_WINDOWS = 64


def find_negatives(folders):
    """The recordings in some folders, at any depth; each file once.

    Args:
        folders: Paths.

    Raises:
        UserError: One isn't there, or holds none.

    >>> len(find_negatives(["drums", "drums/kick"]))
    10
    """
    found: dict[Path, Path] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise UserError(
                f"there is no folder {folder}; name folders of recordings without any "
                "of the labels as --negatives"
            )
        for path in find_clips(folder, "recordings"):
            found.setdefault(path.resolve(), path)
    return list(found.values())


def count_alarms(opened, model, heads, paths, settings):
    """The `AlarmCounts` of some heads in recordings, one a head.

    Only what the windows at work need is held, however long recordings are.

    Args:
        opened: `OpenRun` of the run.
        model: Its Keras model.
        heads: `Head`s to count for.
        paths: Paths of the recordings.
        settings: `leaf_files.event_settings.EventSettings`.

    Returns:
        A list of `AlarmCounts`.

    Raises:
        UserError: A recording can't be read, unless the run skips such.

    >>> from pathlib import Path
    >>> from leaf_files.event_settings import EventSettings
    >>> from training.evaluation.opening import OpenRun
    >>> opened = OpenRun.open("run")
    >>> paths = find_negatives([Path("drums")])
    >>> [counts] = count_alarms(
    ...     opened, opened.load_model(), opened.heads, paths, EventSettings())
    >>> list(counts.counts), round(3600 * counts.hours, 1)
    (['kick', 'snare'], 1.0)
    """
    config, seconds = opened.config, 0.0
    counters = [
        AlarmCounter(
            *(head, opened.decisions[head], config.window_samples),
            *(config.sample_rate, settings),
        )
        for head in heads
    ]
    with tqdm(
        desc="hearing negatives",
        unit=" s heard",
        unit_scale=True,
        delay=_MOMENT,
        leave=False,
        disable=None,  # without a terminal
    ) as progress:
        for path in paths:
            try:
                heard = _hear(opened, model, heads, counters, path)
            except UserError as error:
                if not config.skip_bad_clips:
                    raise
                note(f"skipped: {error}")
                heard = 0.0
            seconds += heard
            progress.update(heard)
    if not seconds:
        raise UserError("the --negatives hold no sound that can be read")
    return [counter.counts(seconds / 3600) for counter in counters]


def _hear(opened, model, heads, counters, path):
    """Counts the events of a recording; returns its seconds."""
    rate, grid = opened.config.sample_rate, counters[0].grid
    blocks = FileBlocks(path, rate)
    try:
        for windows in grid.cut(
            in_chunks(blocks, round(_AT_ONCE * rate)), _MOST_WINDOWS
        ):
            with opened.running(), quiet_tracing():
                logits = model.predict_on_batch(windows)
            for head, counter in zip(heads, counters):
                of_head = logits[head.name] if isinstance(logits, dict) else logits
                counter.hear(_probabilities(of_head, head))
    finally:
        n_samples = round(blocks.file_samples * rate / max(1, blocks.file_rate))
        for counter in counters:
            counter.end(n_samples)
    warn_of(path, blocks.oddities)
    return blocks.file_samples / blocks.file_rate


def _probabilities(logits, head):
    """(windows, classes), float64."""
    logits = np.asarray(logits, np.float64)
    if head.multi_label:
        return np.exp(-np.logaddexp(0.0, -logits))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
