"""Which clips are where in a mixture, before anything is written."""

from typing import NamedTuple

import numpy as np

from leaf_files.errors import UserError


class Placed(NamedTuple):
    """A clip in a recording.

    Attributes:
        start: First sample of its sound in the recording.
        clip: Number of the clip.
        samples: Samples of its sound.
        snr: Level above the background, dB.

    >>> Placed(start=8000, clip=3, samples=4000, snr=10.0).end
    12000
    """

    start: int
    clip: int
    samples: int
    snr: float

    @property
    def end(self) -> int:
        """Its last sample, excluded."""
        return self.start + self.samples


class Deck:
    """Draws clips: labels equally often, the clips of each in turns.

    Args:
        labels: Label of each clip.
        random: `numpy.random.Generator`.

    >>> deck = Deck(["dog", "cat", "dog"], np.random.default_rng(0))
    >>> sorted(deck.draw() for _ in range(4))  # each dog as often as the other
    [0, 1, 1, 2]
    """

    def __init__(self, labels, random):
        self._random = random
        by_label: dict[str, list[int]] = {}
        for clip, label in enumerate(labels):
            by_label.setdefault(label, []).append(clip)
        self._clips = [by_label[label] for label in sorted(by_label)]
        self._waiting: list[list[int]] = [[] for _ in self._clips]
        self._labels: list[int] = []

    def draw(self):
        """The number of a clip."""
        if not self._labels:
            self._labels = self._random.permutation(len(self._clips)).tolist()
        label = self._labels.pop()
        if not self._waiting[label]:
            order = self._random.permutation(len(self._clips[label]))
            self._waiting[label] = [self._clips[label][n] for n in order]
        return self._waiting[label].pop()


def place(deck, samples_of, samples, settings, random):
    """The clips of a recording.

    Without overlap all ways to place them are equally likely.

    Args:
        deck: `Deck`.
        samples_of: Function of the number of a clip; the samples of its sound, 0 of a
            silent one, which is passed over.
        samples: Length of the recording.
        settings: `MixSettings`.
        random: `numpy.random.Generator`.

    Returns:
        `Placed` clips, sorted by their starts.

    Raises:
        UserError: They don't fit, or are silent.

    >>> from training.mixtures.settings import MixSettings
    >>> deck = Deck(["dog", "cat"], np.random.default_rng(0))
    >>> settings = MixSettings(sample_rate=1000, events_per_minute=2.0)
    >>> [placed.clip for placed in place(
    ...     deck, lambda clip: 500, 60_000, settings, np.random.default_rng(0))]
    [0, 1]
    """
    minutes = samples / settings.sample_rate / 60
    n = round(settings.events_per_minute * minutes)
    clips = _drawn(deck, samples_of, n)
    lengths = np.array([samples_of(clip) for clip in clips], np.int64)
    gap = 0 if settings.overlap else round(settings.gap * settings.sample_rate)
    if settings.overlap:
        free = samples - lengths
    else:
        free = np.array([samples - lengths.sum() - gap * max(0, n - 1)])
    if n and free.min() < 0:
        raise UserError(
            f"{n} events of {lengths.sum() / settings.sample_rate:.1f} s, with "
            f"{gap / settings.sample_rate:g} s between them, don't fit into a "
            f"recording of {minutes:g} min: ask for fewer by --events-per-minute, a "
            "smaller --gap, longer recordings, or let them --overlap"
        )
    if settings.overlap:
        starts = random.integers(0, free + 1) if n else np.zeros(0, np.int64)
    else:
        spaces = np.sort(random.integers(0, free[0] + 1, n))
        starts = spaces + np.cumsum(lengths + gap) - (lengths + gap)
    snrs = random.uniform(*settings.snr, n)
    placed = [
        Placed(int(start), clip, int(length), float(snr))
        for start, clip, length, snr in zip(starts, clips, lengths, snrs)
    ]
    return sorted(placed)


def _drawn(deck, samples_of, n):
    """Numbers of n clips that aren't silent."""
    clips: list[int] = []
    n_silent = 0
    while len(clips) < n:
        clip = deck.draw()
        if samples_of(clip):
            clips.append(clip)
            continue
        n_silent += 1
        if n_silent > 1000 + 10 * len(clips):
            raise UserError("the clips are silent, all or nearly all of them")
    return clips
