"""The settings of mixtures."""

import dataclasses
import math
from typing import Any

from training.tasks.clip_sets import SPLITS
from training.tasks.noise import COLORS

ALL_CLIPS = "all"
CHOICES = (*SPLITS, ALL_CLIPS)
FORMATS = ("flac", "wav")


@dataclasses.dataclass(frozen=True)
class MixSettings:
    """What mixtures are made of, besides the clips.

    Attributes:
        minutes: Length of all recordings together.
        recording_minutes: Length of a recording; the last one may be shorter.
        events_per_minute: Number of events a minute, at least 0.
        snr: (lowest, highest) level of an event above the background, dB, drawn
            evenly: its mean square by that of all of the background.
        background: "pink", "white" (noise), or the path of a folder of recordings.
        gap: Seconds without an event between two of them, at least.
        overlap: Whether events may overlap; then there is no gap.
        trim_db: Level below the loudest 10 ms of a clip from which on what is before
            and after it is silence, dB.
        split: Split whose clips are taken, or "all".
        sample_rate: Hz.
        format: "flac" or "wav", of 16 bits.
        seed: Seed of what is drawn.

    Raises:
        ValueError: A setting out of range.

    >>> MixSettings(snr=(20.0, 0.0))
    Traceback (most recent call last):
    ValueError: `snr` must be LOW,HIGH, finite, LOW <= HIGH. Received: (20.0, 0.0)
    """

    minutes: float = 60.0
    recording_minutes: float = 10.0
    events_per_minute: float = 10.0
    snr: tuple[float, float] = (0.0, 20.0)
    background: str = COLORS[0]
    gap: float = 0.5
    overlap: bool = False
    trim_db: float = 40.0
    split: str = ALL_CLIPS
    sample_rate: int = 16000
    format: str = FORMATS[0]
    seed: int = 0

    def __post_init__(self):
        rules = {
            "minutes": ("above 0 and at most 10000", 0 < self.minutes <= 1e4),
            "recording_minutes": (
                "above 0 and at most 240",
                0 < self.recording_minutes <= 240,
            ),
            "events_per_minute": (
                "from 0 to 600",
                0 <= self.events_per_minute <= 600,
            ),
            "snr": (
                "LOW,HIGH, finite, LOW <= HIGH",
                len(self.snr) == 2
                and all(map(math.isfinite, self.snr))
                and self.snr[0] <= self.snr[1],
            ),
            "gap": ("from 0 to 3600 seconds", 0 <= self.gap <= 3600),
            "trim_db": ("above 0", self.trim_db > 0),
            "split": (f"one of {', '.join(CHOICES)}", self.split in CHOICES),
            "format": (f"one of {', '.join(FORMATS)}", self.format in FORMATS),
        }
        for name, (rule, holds) in rules.items():
            if not holds:
                raise ValueError(
                    f"`{name}` must be {rule}. Received: {getattr(self, name)}"
                )

    @property
    def recording_samples(self) -> list[int]:
        """Samples of each recording.

        >>> MixSettings(minutes=2.5, recording_minutes=1.0).recording_samples
        [960000, 960000, 480000]
        """
        left = max(1, round(self.minutes * 60 * self.sample_rate))
        most = max(1, round(self.recording_minutes * 60 * self.sample_rate))
        n_whole, rest = divmod(left, most)
        return [most] * n_whole + ([rest] if rest else [])

    def to_dict(self) -> dict[str, Any]:
        """What JSON holds."""
        return {**dataclasses.asdict(self), "snr": list(self.snr)}
