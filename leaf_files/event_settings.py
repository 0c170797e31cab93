"""How the windows of a recording become events, in the units of users."""

import dataclasses

import numpy as np

from leaf_files.events import Rules
from leaf_files.windowing import Grid


@dataclasses.dataclass(frozen=True)
class EventSettings:
    """How the windows of a recording become events, as a user says it.

    Attributes:
        overlap: Share of a window that the next one hears as well, in [0, 1).
        release: Share of the threshold down to which an event goes on, in (0, 1].
        smoothing, merge, least: Seconds, see `Rules`.
        needed: Seconds of a sound that a window must hold to give its label: an event
            begins so much before the end of the first window that does, and ends twice
            as much after the start of the last one.

    Example:

    >>> EventSettings(overlap=0.5).grid(8000).hop_samples
    4000
    """

    overlap: float = 0.75
    release: float = 0.7
    smoothing: float = 0.0
    merge: float = 0.0
    least: float = 0.0
    needed: float = 0.1

    def grid(self, window_samples: int) -> Grid:
        """Places of the windows, at least a sample from each other.

        Args:
            window_samples: Length of a window.
        """
        hop = max(1, round((1.0 - self.overlap) * window_samples))
        return Grid(window_samples, hop)

    def rules_at(
        self, levels: np.ndarray, grid: Grid, sample_rate: int, one_label: bool
    ) -> Rules:
        """The `Rules` of labels with these thresholds.

        Args:
            levels: (labels,), see `Rules`.
            grid: Places of the windows.
            sample_rate: The model's, Hz.
            one_label: See `Rules`.

        Example:

        >>> grid = Grid(window_samples=8000, hop_samples=2000)
        >>> settings = EventSettings(smoothing=0.6)
        >>> settings.rules_at(np.array([0.8]), grid, 8000, True).smoothing
        3
        """
        half = grid.window_samples // 2
        halves = round(self.smoothing * sample_rate / grid.hop_samples / 2)
        return Rules(
            levels=levels,
            releases=self.release * levels,
            smoothing=1 + 2 * halves,
            merge_samples=round(self.merge * sample_rate),
            least_samples=round(self.least * sample_rate),
            lead_samples=max(0, half - round(self.needed * sample_rate)),
            tail_samples=max(0, half - round(2 * self.needed * sample_rate)),
            one_label=one_label,
        )
