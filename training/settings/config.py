"""The settings of a run: one frozen record, saved beside the model."""

import dataclasses
import math
import os
import re
from pathlib import Path
from typing import Any

from leaf_files.arithmetic import ceil_div
from leaf_files.command_line import did_you_mean, program
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from training.settings.fields import (
    AT_LEAST_ONE,
    COLUMNS,
    REQUIRED,
    Rule,
    documented,
    setting,
    settings_of,
)
from training.settings.frontends import (
    FRONTENDS,
    Value,
    checked_settings,
    parse_frontend,
    parse_setting,
)

ENCODERS = (
    "small",
    "bc_resnet",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "cnn6",
    "cnn10",
    "cnn14",
)

_EPOCHS, _LEAST_STEPS = 20, 50  # of an epoch, where neither is chosen
LEAVE_ONE_GROUP_OUT = "groups"  # a value of `folds`
NO_GROUPS = "none"  # a value of `group_by`
SYNTHETIC, UNLABELLED = BACKGROUNDS = "synthetic", "unlabelled"  # of `background`
_A_REGEX = "a regular expression with a group in parentheses, such as ([^/]+)__"
_FOLDS = Rule(
    "a whole number from 2, or groups",
    lambda folds: (
        folds == LEAVE_ONE_GROUP_OUT if isinstance(folds, str) else folds >= 2
    ),
)

_FOCAL_GAMMA = 2.0  # of the paper, and of Keras
_FINITE_ABOVE_ZERO = Rule("a finite number above 0", lambda x: 0 < x < math.inf)
_FREEZABLE = ("frontend", "encoder", "frontend,encoder")
_SHARE = Rule("above 0 and at most 1", lambda share: 0 < share <= 1)
# Settings that are details of another one, or of any of several.
_DETAILS = {
    "rt60": ("synthetic_rirs",),
    "rir_share": ("rir_dir", "synthetic_rirs"),
    "noise_dir_snr": ("noise_dir",),
    "noise_dir_share": ("noise_dir",),
}


def absolute_path(path: str) -> str:
    """An absolute path, right in any folder; a bucket's address stays as it is.

    >>> absolute_path("gs://bucket/data"), os.path.isabs(absolute_path("~/data"))
    ('gs://bucket/data', True)
    """
    if "://" in path:  # TFDS reads buckets as well
        return path
    return os.path.abspath(os.path.expanduser(path))


def _folder(text):
    return text and absolute_path(text)


def _range(words, least=-math.inf, most=math.inf):
    """The rule of LOW,HIGH, two finite numbers from `least` to `most`."""
    return Rule(
        f"LOW,HIGH with LOW <= HIGH, {words}",
        lambda pair: (
            len(pair) == 2
            and all(map(math.isfinite, pair))
            and least <= pair[0] <= pair[1] <= most
        ),
    )


def _frozen(text):
    parts = {part.strip() for part in text.split(",")}
    for frozen in _FREEZABLE:
        if parts == set(frozen.split(",")):
            return frozen
    raise ValueError(f"must be {', '.join(_FREEZABLE[:2])}, or both. Received: {text}")


def _encoder(text):
    if text in ENCODERS:
        return text
    if text.endswith(".keras"):
        return absolute_path(text)
    raise ValueError(
        f"must be one of {', '.join(ENCODERS)}, or end in .keras. Received: {text}"
        f"{did_you_mean([text], ENCODERS)}"
    )


def _sources(text):
    names = [name.strip() for name in text.split(",")]
    if not all(names) or len(set(names)) < len(names):
        words = f"{', '.join(BACKGROUNDS)} or folders, each once, separated by commas"
        raise ValueError(f"must be {words}. Received: {text!r}")
    return ",".join(n if n in BACKGROUNDS else absolute_path(n) for n in names)


def _regex(text):
    try:
        has_group = re.compile(text).groups > 0
    except re.error as error:
        raise ValueError(f"must be {_A_REGEX}. Received: {text!r}: {error}") from error
    if not has_group:
        raise ValueError(f"must be {_A_REGEX}. Received: {text!r}, without parentheses")
    return text


def _is_regex(text):
    try:
        return bool(_regex(text))
    except ValueError:
        return False


def _folds(text):
    folds = int(text) if text.isdecimal() else text
    if not _FOLDS.holds(folds):
        raise ValueError(
            f"must be {_FOLDS.words}. Received: {text}"
            f"{did_you_mean([text], [LEAVE_ONE_GROUP_OUT])}"
        )
    return folds


def _column(what, default):
    """A setting that names a column of a table."""
    return setting(
        None,
        COLUMNS,
        f"column {what}",
        none=default,
        metavar="NAME",
    )


@documented
@dataclasses.dataclass(frozen=True)
class FitConfig:
    """The settings of a training run: all that it depends on, besides the data.

    A new setting is one entry here, see `training.settings.fields`: its check, its
    option and their words follow.

    Raises:
        ValueError: A setting of another type, or out of range.

    >>> FitConfig("folder:clips", sample_rate=8000, window_seconds=0.5).window_samples
    4000
    >>> FitConfig("folder:clips", epochs=0)
    Traceback (most recent call last):
    ValueError: `epochs` must be at least 1. Received: 0
    """

    task: str = setting(
        REQUIRED,
        None,
        'registered name, "folder:PATH", or "table:FILE", of which "table:FILE#COLUMN" '
        "names the column of labels; several, separated by commas, share frontend and "
        "encoder",
    )
    task_weights: tuple[float, ...] | None = setting(
        None,
        "balance of tasks and classes",
        "frequencies at which windows of each task are drawn, relative to one another",
        rule=Rule(
            "finite numbers above 0, one a task",
            lambda weights: weights and all(0 < w < math.inf for w in weights),
        ),
        none="all equal",
    )
    frontend: str = setting(
        "leaf",
        "model",
        f"layer that turns waveforms into features: {', '.join(FRONTENDS)}; settings "
        "of its own may follow, as in leaf:compression=log",
        choices=FRONTENDS,
        metavar="NAME[:SETTING=VALUE...]",
        parse=parse_frontend,
    )
    # Not hashed, as it can be changed; equal configs have equal hashes all the same.
    frontend_settings: dict[str, Value] = setting(
        {},
        "model",
        "setting of the frontend's own, an argument of its class, such as "
        "frontend.compression=log; can be given several times",
        none="as the frontend has them",
        metavar="frontend.NAME=VALUE",
        parse=parse_setting,
    )
    from_run: str | None = setting(
        None,
        "model",
        "finished run to start from: frontend and encoder are its, and their settings; "
        "the head is new",
        none="start from nothing",
        metavar="RUN",
        parse=_folder,
    )
    freeze: str | None = setting(
        None,
        "model",
        "parts that stay as they are, statistics of batch normalisation as well: "
        "frontend, encoder, or both",
        rule=Rule("frontend, encoder, or frontend,encoder", _FREEZABLE.__contains__),
        none="all parts learn",
        metavar="PART[,PART]",
        parse=_frozen,
    )
    encoder: str = setting(
        "small",
        "model",
        f"network behind the frontend: {', '.join(ENCODERS)}, or a .keras file of your "
        "own model from (batch, frames, n_filters) to (batch, dims)",
        metavar="NAME_OR_FILE",
        parse=_encoder,
    )
    n_filters: int = setting(40, "model", "channels of the features", rule=AT_LEAST_ONE)
    sample_rate: int = setting(
        16000,
        "data",
        "rate of the model's waveforms, Hz; clips are resampled to it",
        # The rates of FLAC, in which a run keeps its evaluation clips.
        rule=Rule(
            "from 1 to 655350 Hz, and above 65535 Hz a multiple of 10",
            lambda hz: 1 <= hz <= 655350 and (hz <= 65535 or hz % 10 == 0),
        ),
    )
    window_seconds: float = setting(
        1.0,
        "data",
        "length of the windows of clips, in training and evaluation, seconds",
        rule=Rule("above 0 and at most 3600 seconds", lambda s: 0 < s <= 3600),
    )
    epochs: int | None = setting(
        None,
        "training",
        "passes over the training clips, at most",
        rule=AT_LEAST_ONE,
        none=f"{_EPOCHS}, each of at least {_LEAST_STEPS} steps",
    )
    steps_per_epoch: int | None = setting(
        None, "training", "batches in an epoch", rule=AT_LEAST_ONE, none="one pass"
    )
    batch_size: int = setting(32, "training", "windows in a batch", rule=AT_LEAST_ONE)
    learning_rate: float = setting(
        3e-3, "training", "highest learning rate of Adam", rule=_FINITE_ABOVE_ZERO
    )
    schedule: str = setting(
        "cosine",
        "training",
        "learning rate over the run: falls to 0 as a cosine, or stays",
        choices=("cosine", "constant"),
    )
    warmup_steps: int = setting(
        0,
        "training",
        "steps over which the learning rate rises from 0 first",
        rule=Rule("at least 0", lambda steps: steps >= 0),
    )
    clip_norm: float | None = setting(
        None,
        "training",
        "largest norm of all gradients together; above it they are scaled down to it",
        rule=_FINITE_ABOVE_ZERO,
        none="no limit",
    )
    precision: str = setting(
        "float32",
        "training",
        "dtype policy of training; the saved model computes in float32",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    patience: int | None = setting(
        None,
        "training",
        "epochs without improvement after which the run ends",
        rule=AT_LEAST_ONE,
        none="never",
    )
    balanced: bool = setting(
        False,
        "balance of tasks and classes",
        "draw all classes equally often, however many clips they have",
    )
    class_weights: str = setting(
        "none",
        "balance of tasks and classes",
        "weights of classes in the loss; balanced: all classes count equally",
        choices=("none", "balanced"),
    )
    loss: str = setting(
        "cross_entropy",
        "balance of tasks and classes",
        "loss of training; focal: cross-entropy times (1 - p)^focal_gamma, so that "
        "windows whose label is probable, p, count little",
        choices=("cross_entropy", "focal"),
    )
    focal_gamma: float = setting(
        _FOCAL_GAMMA,
        "balance of tasks and classes",
        "exponent of --loss focal; the higher, the less what is easy counts",
        rule=Rule("in [0, 10]", lambda gamma: 0 <= gamma <= 10),
    )
    label_smoothing: float = setting(
        0.0,
        "balance of tasks and classes",
        "share of each label that is spread over all classes in the loss of training; "
        "of several labels over yes and no",
        rule=Rule("at least 0 and below 1", lambda share: 0 <= share < 1),
    )
    mixup: float | None = setting(
        None,
        "augmentation",
        "alpha of Beta(alpha, alpha), the distribution of the shares by which windows "
        "and their labels are mixed; at 1 all shares are equally likely",
        rule=Rule("in (0, 100]", lambda alpha: 0 < alpha <= 100),
        none="no mixing",
    )
    spec_augment: bool = setting(
        False,
        "augmentation",
        "mask and warp features in training, by the frontend's SpecAugment",
    )
    speed: tuple[float, float] | None = setting(
        None,
        "augmentation",
        "slowest and fastest speed at which windows are played in training, by "
        "resampling: 1.1 is faster and higher by a tenth",
        rule=_range("from 0.25 to 4", 0.25, 4.0),
        none="as recorded",
        metavar="LOW,HIGH",
    )
    time_shift: float | None = setting(
        None,
        "augmentation",
        "most seconds by which windows reach beyond the ends of their clip in "
        "training; half of a short clip stays in",
        rule=_FINITE_ABOVE_ZERO,
        none="windows are within their clip, or around it",
        metavar="SECONDS",
    )
    rir_dir: str | None = setting(
        None,
        "augmentation",
        "folder of room impulse responses, audio files at any depth, in which windows "
        "sound in training",
        none="no rooms",
        metavar="DIR",
        parse=_folder,
    )
    synthetic_rirs: bool = setting(
        False,
        "augmentation",
        "let windows sound in made-up rooms in training: direct sound, then decaying "
        "noise; beside --rir-dir as many as it has",
    )
    rt60: tuple[float, float] = setting(
        (0.1, 0.8),
        "augmentation",
        "shortest and longest reverberation time of --synthetic-rirs, seconds to "
        "-60 dB",
        rule=_range("from 0.01 to 10 seconds", 0.01, 10.0),
        metavar="LOW,HIGH",
    )
    rir_share: float = setting(
        0.5,
        "augmentation",
        "share of the windows that sound in a room, of --rir-dir or --synthetic-rirs",
        rule=_SHARE,
    )
    gain: tuple[float, float] | None = setting(
        None,
        "augmentation",
        "lowest and highest gain of windows in training, dB; nothing is clipped",
        rule=_range("from -120 to 120 dB", -120.0, 120.0),
        none="as recorded",
        metavar="LOW,HIGH",
    )
    noise_dir: str | None = setting(
        None,
        "augmentation",
        "folder of background noise, audio files at any depth, of which a random part "
        "is added to windows in training",
        none="no such noise",
        metavar="DIR",
        parse=_folder,
    )
    noise_dir_snr: tuple[float, float] = setting(
        (5.0, 30.0),
        "augmentation",
        "lowest and highest signal-to-noise ratio of --noise-dir, dB",
        rule=_range("in dB"),
        metavar="LOW,HIGH",
    )
    noise_dir_share: float = setting(
        1.0,
        "augmentation",
        "share of the windows that get noise of --noise-dir",
        rule=_SHARE,
    )
    noise_snr: tuple[float, float] | None = setting(
        None,
        "augmentation",
        "lowest and highest signal-to-noise ratio of the white noise that is added to "
        "windows in training, dB",
        rule=_range("in dB"),
        none="no noise",
        metavar="LOW,HIGH",
    )
    checkpoint_steps: int | None = setting(
        None,
        "training",
        "steps between checkpoints",
        rule=AT_LEAST_ONE,
        none="one an epoch",
    )
    deterministic: bool = setting(
        False,
        "training",
        "compute so that the same seed gives the same run to the bit, on GPUs as "
        "well, where that is slower",
    )
    cache: str = setting(
        "auto",
        "data",
        "whether decoded clips are kept in memory: auto, if they fit; memory, "
        "always; none, never; the results are the same",
        choices=("auto", "memory", "none"),
    )
    index: str = setting(
        "use",
        "data",
        "index of what was heard of clips before: use it, so that files of the same "
        "size and time aren't heard again; hear all afresh; or keep none; the results "
        "are the same",
        choices=("use", "fresh", "none"),
    )
    seed: int = setting(
        0,
        "training",
        "seed of the split, the weights, the windows and what is drawn in training",
        rule=Rule("from 0 to 4294967295", lambda seed: 0 <= seed < 2**32),
    )
    data_dir: str | None = setting(
        None,
        "data",
        "folder where TFDS keeps its data",
        none="TFDS's own place",
        metavar="DIR",
        parse=_folder,
    )
    skip_bad_clips: bool = setting(
        False,
        "data",
        "name clips of a folder that can't be read, and leave them out",
    )
    multi_label: bool = setting(
        False,
        "data",
        "give each class of a folder or a table a probability of its own, whatever the "
        "others have, as where clips have several labels or none; clips of a folder "
        "background have none",
    )
    background: str | None = setting(
        None,
        "data",
        "where the class background is from, for the answer none of these, or, of "
        "several labels, clips without one: synthetic, silence and noise at many "
        "levels; folders of recordings of none of the classes; unlabelled, what lies "
        "between the events of a table; several, separated by commas",
        none="no clips are added",
        metavar="SOURCE[,SOURCE...]",
        parse=_sources,
    )
    background_share: float | None = setting(
        None,
        "data",
        "share of all clips that --background adds",
        rule=Rule("above 0 and below 1", lambda share: 0 < share < 1),
        none="as many clips as the classes have in the mean",
    )
    group_pattern: str | None = setting(
        None,
        "data",
        "regular expression, searched in the path of a clip below its folder or table, "
        "whose first parentheses match the group: whoever or whatever made the clip; "
        "whole groups go to one split",
        rule=Rule(_A_REGEX, _is_regex),
        none="groups as the data tells them, if it does",
        metavar="REGEX",
        parse=_regex,
    )
    group_by: str | None = setting(
        None,
        "data",
        "what else tells groups: the name of the folder that a clip lies in; or "
        "nothing, whatever the data tells",
        choices=("parent", NO_GROUPS),
        none="group_pattern, or the data",
    )
    folds: int | str | None = setting(
        None,
        "data",
        "number of folds, of whole groups where they are known, of which one tests and "
        "the next one validates; or groups, to leave one group out",
        rule=_FOLDS,
        none="one split, 80/10/10",
        metavar="K",
        parse=_folds,
    )
    fold: int | None = setting(
        None,
        "data",
        "number of the fold that tests, from 0",
        rule=Rule("at least 0", lambda fold: fold >= 0),
        none="the seed modulo the number of folds",
    )

    path_column: str | None = _column("of the audio file", "path, or file")
    group_column: str | None = _column(
        "of whoever or whatever made the clip; whole groups go to one split", "group"
    )
    split_column: str | None = _column("of train, validation or test", "split")
    start_column: str | None = _column("of the start of a segment, seconds", "start")
    end_column: str | None = _column("of the end of a segment, seconds", "end")
    weight_column: str | None = _column("of the weight of a clip in the loss", "weight")
    background_class: str | None = setting(
        None,
        COLUMNS,
        "name of a class for what is annotated in no row: stretches of annotated "
        "recordings, as long as a window",
        none="they aren't used",
        metavar="NAME",
    )

    def __post_init__(self):
        for name, entry in settings_of(type(self)).items():
            value = getattr(self, name)
            if isinstance(value, list):  # as JSON has it
                value = tuple(value)
                object.__setattr__(self, name, value)
            try:
                if name == "frontend_settings":
                    value = checked_settings(value)
                    object.__setattr__(self, name, value)
                entry.require_type(value)
                if value is not None:
                    entry.require(value)
            except ValueError as error:
                raise ValueError(f"`{name}` {error}") from error
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

        if self.group_pattern is not None and self.group_by is not None:
            raise ValueError(
                "`group_pattern` and `group_by` both tell groups; choose one"
            )
        if self.fold is not None and self.folds is None:
            raise ValueError("`fold` is one of `folds`; say how many there are")
        if isinstance(self.folds, int) and (self.fold or 0) >= self.folds:
            raise ValueError(
                f"`fold` must be below `folds`, {self.folds}, as folds are counted "
                f"from 0. Received: {self.fold}"
            )
        if self.background_share is not None and self.background is None:
            raise ValueError(
                "`background_share` is of use with `background` only; give that as "
                f"well. Received: {self.background_share}"
            )
        if self.background_class is not None and self.background is not None:
            raise ValueError(
                "`background` and `background_class` both make a class of none of the "
                "classes; choose one: `background_class` takes all that is annotated "
                "in no row, `background` unlabelled as many clips as a class has"
            )
        if self.balanced and self.class_weights != "none":
            raise ValueError(
                "`balanced` and `class_weights` correct the same imbalance; choose one"
            )
        if self.focal_gamma != _FOCAL_GAMMA and self.loss != "focal":
            raise ValueError(
                "`focal_gamma` is of use with the loss focal only; give that as well. "
                f"Received: {self.focal_gamma}"
            )
        self._require_effect()
        is_new = not self.from_run and self.encoder in ENCODERS
        if is_new and "encoder" in (self.freeze or ""):
            raise ValueError(
                f"`freeze` can't be {self.freeze}: the encoder {self.encoder} has "
                "learned nothing; start from a run, or name a .keras file of your own"
            )

    def _require_effect(self):
        """Raises a ValueError if a setting is a detail of what isn't asked for."""
        for name, wanted in _DETAILS.items():
            value, default = getattr(self, name), settings_of(type(self))[name].default
            if value != default and not any(getattr(self, n) for n in wanted):
                needed = " or ".join(f"`{n}`" for n in wanted)
                raise ValueError(
                    f"`{name}` is of use with {needed} only; give that as well. "
                    f"Received: {value}"
                )

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks."""
        return tuple(name.strip() for name in self.task.split(","))

    @property
    def window_samples(self) -> int:
        """Samples in a window."""
        return max(1, round(self.window_seconds * self.sample_rate))

    @property
    def n_epochs(self) -> int:
        """Epochs of the run, at most."""
        return self.epochs or _EPOCHS

    def steps_in_epoch(self, n_clips: int) -> int:
        """Optimizer steps in an epoch, by default one pass over so many clips.

        Where neither epochs nor steps were chosen, few clips are passed over several
        times, so that there are enough steps to learn in.
        """
        one_pass = ceil_div(n_clips, self.batch_size)
        if self.epochs is None:
            one_pass = max(one_pass, _LEAST_STEPS)
        return self.steps_per_epoch or one_pass

    def without_sounds(self) -> "FitConfig":
        """The same settings, without rooms and without noise of a folder."""
        names = {*_DETAILS, *(name for names in _DETAILS.values() for name in names)}
        defaults = {n: settings_of(type(self))[n].default for n in names}
        return dataclasses.replace(self, **defaults)

    def to_dict(self) -> dict[str, Any]:
        """The content of `config.json`: lists in place of tuples, as JSON has them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def read(cls, path: Path) -> "FitConfig":
        """The settings that an earlier run saved.

        Raises:
            UserError: The file is missing, damaged, or holds other settings.
        """
        try:
            return cls(**read_settings(path))
        except (ValueError, TypeError) as error:
            raise _unreadable(path, error) from error


def read_settings(path: Path) -> dict[str, Any]:
    """Some or all settings of a `FitConfig` from a JSON file, unchecked.

    Raises:
        UserError: The file is missing or damaged.

    >>> n_written = Path("settings.json").write_text('{"epochs": 5}')
    >>> read_settings(Path("settings.json"))
    {'epochs': 5}
    """
    try:
        values = read_json(path)
        if not isinstance(values, dict):
            raise ValueError("it holds no {setting: value}")
        known = settings_of(FitConfig)
        unknown = [name for name in values if name not in known]
        if unknown:
            raise ValueError(
                f"there is no setting {unknown[0]!r:.80}; the settings are "
                f"{', '.join(known)}{did_you_mean(unknown[:1], known)}"
            )
        return values
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path, error):
    return UserError(
        f"cannot read the settings in {path}: {error}; name a folder that "
        f"`{program('training')} fit` wrote, or its config.json"
    )
