"""Recordings without any label, heard by a model as `export detect` hears them."""

from pathlib import Path

from leaf_files.errors import UserError
from leaf_files.walk import find_clips
from training.decisions.alarms import AlarmCounter
from training.evaluation.listening import Listener


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
    counters = {
        head: AlarmCounter(
            *(head, opened.decisions[head], config.window_samples),
            *(config.sample_rate, settings),
        )
        for head in heads
    }
    listener = Listener(opened, model, settings.grid(config.window_samples))
    for recording in listener.hear_all(paths, "hearing negatives"):
        for probabilities in recording:
            for head, counter in counters.items():
                counter.hear(probabilities[head])
        for counter in counters.values():
            counter.end(recording.n_samples)
        seconds += recording.seconds
    if not seconds:
        raise UserError("the --negatives hold no sound that can be read")
    return [counter.counts(seconds / 3600) for counter in counters.values()]
