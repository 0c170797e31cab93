"""Overlapping windows of a recording of any length, cut from its blocks."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from leaf_files.arithmetic import ceil_div


@dataclasses.dataclass(frozen=True)
class Grid:
    """Places of the windows of a recording.

    Window k begins at sample k * hop_samples. The last one reaches to the end of the
    recording, or beyond it, where zeros follow. A recording that isn't longer than a
    window has one window, in whose middle it is.

    Attributes:
        window_samples: Length of a window.
        hop_samples: Samples from the start of a window to that of the next one.

    Example:

    >>> grid = Grid(window_samples=8000, hop_samples=2000)
    >>> grid.n_windows(8000), grid.n_windows(8001), grid.center(1)
    (1, 2, 6000)
    """

    window_samples: int
    hop_samples: int

    def center(self, index: int) -> int:
        """Sample in the middle of a window."""
        return index * self.hop_samples + self.window_samples // 2

    def n_windows(self, n_samples: int) -> int:
        """Number of windows of a recording of so many samples, 1 at least."""
        rest = max(0, n_samples - self.window_samples)
        return 1 + ceil_div(rest, self.hop_samples)

    def cut(self, blocks: Iterable[np.ndarray], most: int = 32) -> Iterator[np.ndarray]:
        """The windows of a recording, in order; no more of it is held than they need.

        Args:
            blocks: Iterable of (n,), of at least one sample together.
            most: Most windows in a batch.

        Yields:
            (windows, window_samples), of the blocks' dtype.

        Example:

        >>> blocks = [np.arange(3), np.arange(3, 6)]
        >>> [w.tolist() for w in Grid(window_samples=4, hop_samples=3).cut(blocks)]
        [[[0, 1, 2, 3]], [[3, 4, 5, 0]]]
        """
        window, hop = self.window_samples, self.hop_samples
        waiting = np.zeros(0, np.float32)
        is_first = True
        for block in blocks:
            waiting = np.concatenate([waiting, block]) if waiting.size else block
            while waiting.size >= window:
                n = min(most, (waiting.size - window) // hop + 1)
                views = np.lib.stride_tricks.sliding_window_view(waiting, window)
                yield np.ascontiguousarray(views[: n * hop : hop])
                waiting, is_first = waiting[n * hop :], False
        # What is left begins one hop after the last window did.
        if is_first:
            spare = window - waiting.size
            yield np.pad(waiting, (spare // 2, spare - spare // 2))[np.newaxis]
        elif waiting.size > window - hop:
            yield np.pad(waiting, (0, window - waiting.size))[np.newaxis]
