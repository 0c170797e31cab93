"""The settings of a run: one frozen record, saved beside the model."""

import dataclasses
import json
import math

from files.errors import UserError

_COUNT = ("at least 1", lambda value: value >= 1)
# What a setting must be, in words and as a test.
_RULES = {
    "n_filters": _COUNT,
    # The rates of FLAC, in which a run keeps its evaluation clips.
    "sample_rate": (
        "from 1 to 655350 Hz, and above 65535 Hz a multiple of 10",
        lambda hz: 1 <= hz <= 655350 and (hz <= 65535 or hz % 10 == 0),
    ),
    "window_seconds": (
        "above 0 and at most 3600 seconds",
        lambda seconds: 0 < seconds <= 3600,
    ),
    "epochs": _COUNT,
    "steps_per_epoch": _COUNT,
    "batch_size": _COUNT,
    "learning_rate": (
        "a finite number above 0",
        lambda rate: 0 < rate < math.inf,
    ),
    "seed": ("from 0 to 4294967295", lambda seed: 0 <= seed < 2**32),
}


@dataclasses.dataclass(frozen=True)
class FitConfig:
    """All that a training run depends on, besides the data itself.

    Attributes:
        task: A registered name or "folder:PATH".
        frontend: A name in `training.models.FRONTENDS`.
        encoder: A name in `leaf_tf.encoders.ENCODERS`, or the path of a `.keras` file.
        n_filters: Of the frontend.
        sample_rate: Of the model's waveforms, Hz; clips are resampled to it.
        window_seconds: Length of a training window and of one evaluation
            window.
        epochs: Passes over the training clips.
        steps_per_epoch: Batches in an epoch; None for one pass over the clips.
        batch_size: Windows in a batch.
        learning_rate: Of Adam at its highest; falls to 0 as a cosine.
        seed: Of the split, the weights and the windows.
        data_dir: Where TFDS keeps its data; None for TFDS's own default.

    Raises:
        ValueError: A setting of another type, or out of range.
    """

    task: str
    frontend: str = "leaf"
    encoder: str = "small"
    n_filters: int = 40
    sample_rate: int = 16000
    window_seconds: float = 1.0
    epochs: int = 20
    steps_per_epoch: int | None = None
    batch_size: int = 32
    learning_rate: float = 3e-3
    seed: int = 0
    data_dir: str | None = None

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            allowed = field.type | int if field.type is float else field.type
            if not isinstance(value, allowed):
                raise ValueError(
                    f"`{field.name}` must be {_name(field.type)}. Received: {value!r}"
                )
            if value is not None:
                try:
                    require(field.name, value)
                except ValueError as error:
                    raise ValueError(f"`{field.name}` {error}") from error

    @property
    def window_samples(self):
        """Samples in a window."""
        return max(1, round(self.window_seconds * self.sample_rate))

    def to_dict(self):
        """For `config.json`."""
        return dataclasses.asdict(self)

    @classmethod
    def read(cls, path):
        """The settings that an earlier run saved.

        Raises:
            UserError: The file is missing, damaged, or holds other settings.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return cls(**values)
        except (OSError, UnicodeDecodeError, ValueError, TypeError) as error:
            raise UserError(
                f"cannot read the settings in {path}: {error}; name a folder that "
                "`python -m training fit` wrote"
            ) from error


def require(name, value):
    """Checks one setting of a `FitConfig`.

    Args:
        name: A field of it.
        value: Of the field's type, and not None.

    Raises:
        ValueError: It is out of range, e.g. "must be at least 1. Received: 0".
    """
    if name not in _RULES:
        return
    rule, holds = _RULES[name]
    if not holds(value):
        raise ValueError(f"must be {rule}. Received: {value}")


def _name(kind):
    return getattr(kind, "__name__", str(kind))
