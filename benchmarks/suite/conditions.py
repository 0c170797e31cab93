"""The sound that a trained model is tested on: as recorded, in noise, at a gain."""

import dataclasses

from training.evaluation.noise import Noise

# Shares of the steps after which a model is tested as it is, in percent.
BUDGETS = (5, 10, 25, 50, 100)
# One curve has as many points: the budgets are among them.
POINTS = 20


@dataclasses.dataclass(frozen=True)
class Gain:
    """A change of loudness, the same for all clips; nothing is clipped.

    Attributes:
        db: The gain, dB.

    >>> print(Gain(-20))
    gain -20 dB
    """

    db: float

    def __str__(self):
        return f"gain {self.db:+g} dB"

    def added_to(self, clip_set):
        """A `ClipSet` of the same clips at this gain."""
        factor = 10 ** (self.db / 20)

        def read(sample_rate):
            return clip_set.dataset(sample_rate).map(
                lambda clip: {**clip, "waveform": factor * clip["waveform"]}
            )

        return dataclasses.replace(clip_set, read=read, at=None)


SHIFTS: tuple[Noise | Gain, ...] = (
    Noise(10),
    Noise(0),
    *map(Gain, (-30, -20, -10, 10, 20)),
)


def budget_name(percent):
    """The condition of a test after a share of the steps.

    >>> budget_name(100), budget_name(25)
    ('clean', 'clean at 25 %')
    """
    return "clean" if percent == 100 else f"clean at {percent} %"


# Names of all conditions, in the order in which they are shown.
CLEAN = budget_name(100)
CONDITIONS = (*map(budget_name, BUDGETS), *map(str, SHIFTS))
