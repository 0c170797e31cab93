"""How far a run has come: what a checkpoint holds beside the model."""

import dataclasses


@dataclasses.dataclass
class Progress:
    """The state of a run that the model and its optimizer don't know.

    Attributes:
        step: Optimizer steps done, over all epochs.
        best_epoch: Counted from 1; 0 before the first.
        best: What the best epoch was ranked by, see `callbacks.score_of`.
        history: One dict an epoch.
        n_replans: How often LEAF was planned anew.
        seconds: Of training so far, and of the epoch under way.
        running: In the middle of an epoch, the values of the metrics' variables, of
            which the epoch's means become.
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
        """For JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values):
        """What `to_dict` gave, read back from JSON."""
        return cls(**{**values, "best": tuple(values["best"])})
