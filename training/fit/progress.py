"""The progress of a run, which a checkpoint holds beside the model."""

import dataclasses


@dataclasses.dataclass
class Progress:
    """The state of a run that isn't in the model and its optimizer.

    Attributes:
        step: Optimizer steps done, over all epochs.
        best_epoch: Number of the best epoch, from 1; 0 before the first.
        best: Rank of the best epoch, see `callbacks.score_of`.
        history: One dict an epoch.
        n_replans: Number of times that LEAF was planned anew.
        seconds: Time of training so far.
        epoch_seconds: Time of the current epoch.
        running: Values of the metrics' variables in the middle of an epoch, to continue
            its means from; else None.

    >>> progress = Progress(step=20, best_epoch=1)
    >>> Progress.from_dict(progress.to_dict()) == progress
    True
    """

    step: int = 0
    best_epoch: int = 0
    best: tuple[float, float] = (-1.0, 0.0)
    history: list[dict] = dataclasses.field(default_factory=list)
    n_replans: int = 0
    seconds: float = 0.0
    epoch_seconds: float = 0.0
    running: list | None = None

    def to_dict(self):
        """Values for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values):
        """The inverse of `to_dict`."""
        return cls(**{**values, "best": tuple(values["best"])})
