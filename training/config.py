"""The settings of a run: one frozen record, saved beside the model."""

import dataclasses
import math
import types
import typing

from files.errors import UserError
from files.json_files import read_json

SCHEDULES = ("cosine", "constant")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
CLASS_WEIGHTS = ("none", "balanced")
CACHES = ("auto", "memory", "none")

_COUNT = ("at least 1", lambda value: value >= 1)


def _one_of(names):
    return "one of " + ", ".join(names), lambda value: value in names


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
    "schedule": _one_of(SCHEDULES),
    "warmup_steps": ("at least 0", lambda steps: steps >= 0),
    "clip_norm": ("a finite number above 0", lambda norm: 0 < norm < math.inf),
    "precision": _one_of(PRECISIONS),
    "patience": _COUNT,
    "task_weights": (
        "finite numbers above 0, one a task",
        lambda weights: weights and all(0 < w < math.inf for w in weights),
    ),
    "class_weights": _one_of(CLASS_WEIGHTS),
    "mixup": ("in (0, 100]", lambda alpha: 0 < alpha <= 100),
    "noise_snr": (
        "LOW,HIGH with LOW <= HIGH, in dB",
        lambda snr: len(snr) == 2 and -math.inf < snr[0] <= snr[1] < math.inf,
    ),
    "checkpoint_steps": _COUNT,
    "cache": _one_of(CACHES),
    "seed": ("from 0 to 4294967295", lambda seed: 0 <= seed < 2**32),
}


@dataclasses.dataclass(frozen=True)
class FitConfig:
    """All that a training run depends on, besides the data itself.

    Attributes:
        task: A registered name or "folder:PATH"; several, separated by commas, share
            frontend and encoder.
        task_weights: How often windows are drawn of each task, relative to the
            others; None for all alike.
        frontend: A name in `training.models.FRONTENDS`.
        encoder: A name in `leaf_tf.encoders.ENCODERS`, or the path of a `.keras` file.
        n_filters: Of the frontend.
        sample_rate: Of the model's waveforms, Hz; clips are resampled to it.
        window_seconds: Length of a training window and of one evaluation
            window.
        epochs: Passes over the training clips, at most.
        steps_per_epoch: Batches in an epoch; None for one pass over the clips.
        batch_size: Windows in a batch.
        learning_rate: Of Adam at its highest.
        schedule: "cosine", which falls to 0 over the run, or "constant".
        warmup_steps: Steps over which the rate rises from 0 first.
        clip_norm: Norm of all gradients together, above which they are scaled down
            to it; None for no limit.
        precision: "float32", or the dtype policy to compute by; the model that is
            saved computes in float32.
        patience: Epochs without a better one after which the run ends; None for
            never.
        balanced: Whether windows are drawn of all classes alike.
        class_weights: "none", or "balanced": losses weigh as if all classes were
            alike in number.
        mixup: Alpha of the Beta distribution by which windows are mixed; None for
            no mixing.
        spec_augment: Whether features are masked and warped in training.
        noise_snr: (lowest, highest) signal-to-noise ratio of the white noise that is
            added to windows in training, dB; None for no noise.
        checkpoint_steps: Steps between checkpoints; None for one an epoch.
        deterministic: Whether the same seed gives the same run to the bit, on GPUs
            as well, where that is slower.
        cache: "memory" keeps decoded clips there, "none" reads them each time anew,
            "auto" keeps them if they fit. The results are the same.
        seed: Of the split, the weights, the windows and what is drawn in training.
        data_dir: Where TFDS keeps its data; None for TFDS's own default.
        skip_bad_clips: Whether clips of a folder that can't be read are named and
            left out, instead of refused.

    Raises:
        ValueError: A setting of another type, or out of range.
    """

    task: str
    task_weights: tuple[float, ...] | None = None
    frontend: str = "leaf"
    encoder: str = "small"
    n_filters: int = 40
    sample_rate: int = 16000
    window_seconds: float = 1.0
    epochs: int = 20
    steps_per_epoch: int | None = None
    batch_size: int = 32
    learning_rate: float = 3e-3
    schedule: str = "cosine"
    warmup_steps: int = 0
    clip_norm: float | None = None
    precision: str = "float32"
    patience: int | None = None
    balanced: bool = False
    class_weights: str = "none"
    mixup: float | None = None
    spec_augment: bool = False
    noise_snr: tuple[float, float] | None = None
    checkpoint_steps: int | None = None
    deterministic: bool = False
    cache: str = "auto"
    seed: int = 0
    data_dir: str | None = None
    skip_bad_clips: bool = False

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):  # as JSON has it
                value = tuple(value)
                object.__setattr__(self, field.name, value)
            if not _is_of(value, field.type):
                raise ValueError(
                    f"`{field.name}` must be {_name(field.type)}. Received: {value!r}"
                )
            if value is not None:
                try:
                    require(field.name, value)
                except ValueError as error:
                    raise ValueError(f"`{field.name}` {error}") from error
        names = self.tasks
        if not all(names) or len(set(names)) < len(names):
            raise ValueError(
                "`task` must be one name, or different names separated by commas. "
                f"Received: {self.task!r}"
            )
        if self.task_weights and len(self.task_weights) != len(names):
            raise ValueError(
                f"`task_weights` must be {len(names)} numbers, one a task. "
                f"Received: {self.task_weights}"
            )

        if self.balanced and self.class_weights != "none":
            raise ValueError(
                "`balanced` and `class_weights` mend the same thing; choose one"
            )

    @property
    def tasks(self):
        """The names of the tasks."""
        return tuple(name.strip() for name in self.task.split(","))

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
            return cls(**read_settings(path))
        except (ValueError, TypeError) as error:
            raise _unreadable(path, error) from error


def read_settings(path):
    """The settings in a JSON file, some or all of a `FitConfig`'s, unchecked.

    Raises:
        UserError: The file is missing or damaged.
    """
    try:
        values = read_json(path)
        if not isinstance(values, dict):
            raise ValueError("it holds no {setting: value}")
        known = [field.name for field in dataclasses.fields(FitConfig)]
        unknown = [name for name in values if name not in known]
        if unknown:
            raise ValueError(
                f"there is no setting {unknown[0]!r:.80}; the settings are "
                f"{', '.join(known)}"
            )
        return values
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise _unreadable(path, error) from error


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


def _is_of(value, kind):
    """Whether a value is of a field's type; whole numbers will do for float."""
    if typing.get_origin(kind) is types.UnionType:
        return any(_is_of(value, option) for option in typing.get_args(kind))
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_is_of(v, float) for v in value)
    if isinstance(value, bool):  # which Python takes for a whole number
        return kind is bool
    return isinstance(value, int | float if kind is float else kind)


def _name(kind):
    return kind.__name__ if isinstance(kind, type) else str(kind)


def _unreadable(path, error):
    return UserError(
        f"cannot read the settings in {path}: {error}; name a folder that "
        "`python -m training fit` wrote, or its config.json"
    )
