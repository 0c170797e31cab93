"""The events of a whole recording, by a model that hears windows."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from export.contract.heads import Head
from export.runners.detecting import levels_of
from export.runners.event_tables import Found, FoundEvent
from export.runners.opening import OpenArtifact
from leaf_files.event_settings import EventSettings
from leaf_files.events import EventFinder, Rules
from leaf_files.oddities import warn_of
from leaf_files.run_folder import SIGMOID
from leaf_files.sound import FileBlocks
from leaf_files.thresholds import DETECT_THRESHOLD
from leaf_files.windowing import Grid


@dataclasses.dataclass(frozen=True)
class Settings(EventSettings):
    """How the windows of a recording become events, as a user says it.

    Attributes:
        threshold: Score from which any label is an event; None for their own.
        ignored: Labels that are never events.

    Example:

    >>> Settings(overlap=0.5).grid(8000).hop_samples
    4000
    """

    threshold: float | None = None
    ignored: tuple[str, ...] = ()

    def rules(self, head: Head, grid: Grid, sample_rate: int) -> Rules:
        """The `Rules` of a head.

        Args:
            head: The head.
            grid: Places of the windows.
            sample_rate: The model's, Hz.

        Example:

        >>> grid = Grid(window_samples=8000, hop_samples=2000)
        >>> head = Head("", ("no", "yes"), "softmax")
        >>> Settings(threshold=0.8, smoothing=0.6).rules(head, grid, 8000).smoothing
        3
        """
        levels = levels_of(head, self.threshold, DETECT_THRESHOLD)
        ignored = [label in self.ignored for label in head.labels]
        levels = np.where(ignored, np.inf, levels)
        return self.rules_at(levels, grid, sample_rate, head.activation != SIGMOID)


def find_events(
    model: OpenArtifact,
    path: str | Path,
    settings: Settings,
    heard: Callable[[float], None] = lambda seconds: None,
) -> Found:
    """The events of a recording; oddities of its sound go to stderr.

    Windows overlap by `settings.overlap`, and the last one reaches to the end of the
    recording. Only what the windows at work need is held, however long it is.

    Args:
        model: The artifact at work.
        path: Audio file of any length, rate and channels.
        settings: `Settings`.
        heard: Called with the seconds of sound that were heard since the call before.

    Returns:
        `Found`; times are seconds of the file, to the sample of the model's rate.

    Raises:
        UserError: The file can't be read.

    Example:

    >>> from export.runners.opening import open_artifact
    >>> found = find_events(open_artifact("artifacts"), "clip.wav", Settings())
    >>> found.seconds, found.sample_rate
    (1.0, 8000)
    """
    rate = model.sample_rate
    grid = settings.grid(model.window_samples)
    finders = {
        head.name: EventFinder(grid, settings.rules(head, grid, rate))
        for head in model.heads
    }
    found: dict[str, list] = {head.name: [] for head in model.heads}
    blocks = FileBlocks(path, rate)
    for windows in grid.cut(_counted(blocks, heard)):
        answers = model.runner.probabilities(windows)
        for head in model.heads:
            scores = head.decisions.calibrated(answers[head.name], head.activation)
            for row in scores:
                found[head.name] += finders[head.name].hear(row)
    warn_of(path, blocks.oddities)
    n_samples = round(blocks.file_samples * rate / blocks.file_rate)
    for head in model.heads:
        found[head.name] += finders[head.name].end(n_samples)
    seconds = blocks.file_samples / blocks.file_rate
    events = sorted(
        (
            FoundEvent(
                event.start / rate,
                # An event that the end of the recording ends has its end.
                seconds if event.end >= n_samples else event.end / rate,
                head.name,
                head.labels[event.label],
                event.score,
            )
            for head in model.heads
            for event in found[head.name]
        ),
        key=lambda event: (event.start, event.end, event.head, event.label),
    )
    return Found(str(path), seconds, blocks.file_rate, tuple(events))


def _counted(blocks, heard):
    for block in blocks:
        yield block
        heard(block.size / blocks.sample_rate)
