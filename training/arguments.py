"""The command line of `python -m training`; imports nothing heavy."""

import argparse
import dataclasses
import math
import os
import typing
from pathlib import Path

from files.command_line import Parser
from files.errors import UserError
from training.comparison.plan import Comparison
from training.config import (
    CACHES,
    CLASS_WEIGHTS,
    PRECISIONS,
    SCHEDULES,
    FitConfig,
    read_settings,
    require,
)
from training.host_settings import HostSettings
from training.noise import COLORS
from training.presets import PRESETS

FRONTENDS = (
    "leaf",
    "leaf_exact",
    "leaf_fixed_pcen",
    "efficient_leaf",
    "tfbanks",
    "sincnet",
    "sincnet_plus",
    "wavegram",
    "mel",
    "mel_pcen",
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


class _Kind(typing.NamedTuple):
    """How the values of a setting are written."""

    words: str
    metavar: str
    parse: typing.Callable


def _numbers(text):
    return tuple(float(number) for number in text.split(","))


_KINDS = {
    int: _Kind("a whole number", "N", int),
    float: _Kind("a number", "X", float),
    str: _Kind("text", "DIR", str),
    tuple: _Kind("numbers separated by commas", "X,X", _numbers),
}
_SKIP_BAD_CLIPS = "name clips of a folder that can't be read, and go on without them"
# The options of `FitConfig`: group, setting, help, options of argparse.
_SETTINGS = (
    ("data", "sample_rate", "of the model, Hz; clips are resampled", {}),
    ("data", "window_seconds", "length of a window of a clip", {}),
    (
        "data",
        "cache",
        "keep decoded clips in memory, if they fit, always, or never",
        {"choices": CACHES},
    ),
    ("data", "data_dir", "where TFDS keeps its data (default: TFDS's own place)", {}),
    ("data", "skip_bad_clips", _SKIP_BAD_CLIPS, {}),
    (
        "data",
        "task_weights",
        "how often each task is drawn, relative to the others (default: all alike)",
        {},
    ),
    ("data", "balanced", "draw all classes alike, however many clips they have", {}),
    (
        "data",
        "class_weights",
        "weigh losses as if all classes were alike in number",
        {"choices": CLASS_WEIGHTS},
    ),
    (
        "model",
        "frontend",
        "the layer that turns waveforms into features",
        {"choices": FRONTENDS},
    ),
    (
        "model",
        "encoder",
        f"the network behind it: {', '.join(ENCODERS)}, or a .keras file of your own "
        "model from (batch, frames, n_filters) to (batch, dims)",
        {"metavar": "NAME_OR_FILE"},
    ),
    ("model", "n_filters", "channels of the features", {}),
    ("training", "epochs", "passes over the training clips, at most", {}),
    ("training", "steps_per_epoch", "batches in an epoch (default: one pass)", {}),
    ("training", "batch_size", "windows in a batch", {}),
    ("training", "learning_rate", "of Adam at its highest", {}),
    (
        "training",
        "schedule",
        "how the rate goes on: falls to 0 as a cosine, or stays",
        {"choices": SCHEDULES},
    ),
    ("training", "warmup_steps", "steps over which the rate rises from 0 first", {}),
    (
        "training",
        "clip_norm",
        "norm of all gradients together above which they are scaled down (default: "
        "no limit)",
        {},
    ),
    (
        "training",
        "precision",
        "to compute in; the saved model computes in float32",
        {"choices": PRECISIONS},
    ),
    (
        "training",
        "patience",
        "epochs without a better one after which the run ends (default: never)",
        {},
    ),
    (
        "training",
        "checkpoint_steps",
        "steps between checkpoints (default: one an epoch)",
        {},
    ),
    (
        "training",
        "deterministic",
        "the same seed gives the same run to the bit, on GPUs as well, where that is "
        "slower",
        {},
    ),
    (
        "training",
        "seed",
        "of the split, the weights, the windows and what is drawn in training",
        {},
    ),
    (
        "augmentation",
        "noise_snr",
        "add white noise in training, at a signal-to-noise ratio from LOW to HIGH dB",
        {"metavar": "LOW,HIGH"},
    ),
    (
        "augmentation",
        "mixup",
        "mix windows and their labels, by shares of Beta(X, X); at 1 all shares are "
        "alike likely",
        {},
    ),
    (
        "augmentation",
        "spec_augment",
        "mask and warp features in training, by the frontend's SpecAugment",
        {},
    ),
)


def make_parser():
    """The parser of all commands; `command` holds the chosen one."""
    parser = Parser(
        prog="python -m training",
        description="Trains and evaluates classifiers of waveforms.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_fit(commands)
    _add_evaluate(commands)
    _add_compare(commands)
    _add_adapt(commands)
    _add_plot(commands)
    _add_tasks(commands)
    return parser


def fit_config(arguments):
    """The `FitConfig` of parsed arguments of `fit`.

    Options win over the file of `--config`, that over `--preset`, that over the
    settings of the run to resume, those over the defaults. Paths are made absolute,
    so that the run finds its data from any folder.

    Raises:
        UserError: No task, a file of settings that can't be read, or settings that
            don't go together.
    """
    settings = dict(PRESETS[arguments.preset]) if arguments.preset else {}
    started = Path(arguments.output) / "config.json"
    if arguments.resume and started.exists():
        settings = {**read_settings(started), **settings}
    if arguments.config:
        settings.update(read_settings(Path(arguments.config)))
    settings.update(given_settings(arguments))
    if "task" not in settings:
        raise UserError("name what to learn with --task; see `tasks` for the names")
    try:
        return FitConfig(**settings)
    except (TypeError, ValueError) as error:
        where = f" in {arguments.config}" if arguments.config else ""
        raise UserError(f"cannot use the settings{where}: {error}") from error


def given_settings(arguments):
    """The settings that were given as options, {name: value}."""
    names = {field.name for field in dataclasses.fields(FitConfig)}
    given = {name: value for name, value in vars(arguments).items() if name in names}
    if given.get("data_dir"):
        given["data_dir"] = _absolute(given["data_dir"])
    if "task" in given:
        given["task"] = ",".join(map(_absolute_task, given["task"].split(",")))
    return given


def _add_fit(commands):
    parser = commands.add_parser(
        "fit",
        help="train a classifier",
        description="Trains a classifier from raw waveforms and writes a run "
        "folder: the model, its metrics, history, checkpoints and figures.",
    )
    _add_task(parser, "several share frontend and encoder")
    parser.add_argument(
        "--output",
        metavar="RUN",
        required=True,
        help="run folder to write: new, empty, or of a run that didn't finish, which "
        "starts anew",
    )
    _add_settings(parser)


def _add_task(parser, several):
    parser.add_argument(
        "--task",
        metavar="TASK[,TASK...]",
        default=argparse.SUPPRESS,
        help="a name that `tasks` lists, or folder:PATH, a folder with a subfolder "
        f"of clips per class; {several}",
    )


def _add_settings(parser, left_out=(), renamed=None):
    """Adds `--preset`, `--config` and the settings of a `FitConfig`.

    Args:
        parser: Of the command.
        left_out: Settings that the command doesn't offer.
        renamed: {setting: option} where an option is called otherwise.
    """
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help="settings that go together, which other options change",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help="JSON file of settings, such as the config.json of a run, which other "
        "options change",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="go on with the run in --output where it was cut off, with its own "
        "settings and on the same clips; start it if it wasn't started",
    )
    devices = parser.add_argument_group("devices")
    devices.add_argument(
        "--distribute",
        choices=("none", "mirrored", "hosts"),
        default="none",
        help="split batches over all devices of this host, or of many hosts, each of "
        "which runs this command (default: none)",
    )
    devices.add_argument(
        "--coordinator",
        metavar="HOST:PORT",
        help="of --distribute hosts: address of the first host, a free port",
    )
    devices.add_argument(
        "--n-hosts",
        metavar="N",
        type=_count,
        help="of --distribute hosts: how many run this command",
    )
    devices.add_argument(
        "--host-index",
        metavar="N",
        type=_index,
        help="of --distribute hosts: which of them this is, from 0",
    )
    groups = {
        title: parser.add_argument_group(title)
        for title in ("data", "model", "training", "augmentation")
    }
    for title, name, text, options in _SETTINGS:
        if name not in left_out:
            option = (renamed or {}).get(name, "--" + name.replace("_", "-"))
            _add_setting(groups[title], option, name, text, **options)


def _add_setting(parser, option, name, text, **options):
    """Adds the option of one setting of a `FitConfig`."""
    [field] = [f for f in dataclasses.fields(FitConfig) if f.name == name]
    if field.default is not None and field.type is not bool:
        text += f" (default: {field.default})"
    if field.type is bool:
        parser.add_argument(
            option,
            dest=name,
            action=argparse.BooleanOptionalAction,
            default=argparse.SUPPRESS,
            help=text,
        )
        return
    if "choices" not in options:
        options.setdefault("metavar", _kind(field.type).metavar)
        options["type"] = _setting(name, field.type)
    parser.add_argument(
        option, dest=name, default=argparse.SUPPRESS, help=text, **options
    )


def _add_evaluate(commands):
    parser = commands.add_parser(
        "evaluate",
        help="evaluate a finished run",
        description="Evaluates a run on its test split, or on other clips with the "
        "same class names.",
    )
    parser.add_argument("run", metavar="RUN", help="folder that `fit` wrote")
    parser.add_argument(
        "--task",
        help="evaluate on another task's test split, or on all clips of folder:PATH "
        "(default: the run's own)",
    )
    parser.add_argument("--data-dir", help="where TFDS keeps its data")
    parser.add_argument(
        "--noise-snr",
        metavar="DB",
        type=_finite,
        help="evaluate in noise at this signal-to-noise ratio (default: no noise)",
    )
    _add_noise_color(parser)
    parser.add_argument("--skip-bad-clips", action="store_true", help=_SKIP_BAD_CLIPS)
    parser.add_argument("--json", action="store_true", help="print metrics as JSON")


def _add_noise_color(parser):
    parser.add_argument(
        "--noise-color",
        choices=COLORS,
        default=COLORS[0],
        help=f"of the noise of --noise-snr (default: {COLORS[0]}, whose power falls as "
        "1 / frequency)",
    )


def _add_compare(commands):
    parser = commands.add_parser(
        "compare",
        help="compare frontends on the same tasks and seeds",
        description="Trains each frontend with each seed, and says which differ from "
        "the baseline by more than chance: a table, figures and a report. Goes on "
        "where it stopped.",
    )
    _add_task(parser, "each is learned by itself, or with --multitask by one model")
    parser.add_argument(
        "--frontends",
        metavar="NAME[,NAME...]",
        type=_frontends,
        required=True,
        help=f"of {', '.join(FRONTENDS)}",
    )
    parser.add_argument(
        "--seeds",
        metavar="N",
        type=_count,
        default=5,
        help="runs of each frontend and task, of the seeds --seed, --seed + 1, ...; "
        "runs with the same seed are a pair (default: 5)",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        required=True,
        help="folder to write: new, empty, or of a comparison, which goes on",
    )
    parser.add_argument(
        "--baseline",
        metavar="NAME",
        choices=FRONTENDS,
        help="the frontend that others are compared with (default: mel, or the first "
        "where that is not among them)",
    )
    parser.add_argument(
        "--multitask", action="store_true", help="one model learns all tasks"
    )
    parser.add_argument(
        "--noise-snr",
        metavar="DB[,DB...]",
        dest="snrs_db",
        type=_decibels,
        default=(),
        help="test the trained models as well in noise, at these signal-to-noise "
        "ratios",
    )
    _add_noise_color(parser)
    parser.add_argument(
        "--jobs", metavar="N", type=_count, default=1, help="runs at once (default: 1)"
    )
    _add_settings(
        parser, left_out=("frontend",), renamed={"noise_snr": "--train-noise-snr"}
    )


def _add_adapt(commands):
    parser = commands.add_parser(
        "adapt",
        help="adapt a finished run to noise, or to other microphones",
        description="Trains the PCEN of a run on other clips of the same classes, such "
        "as noisy ones, and nothing else; writes a new run, and says what it scores on "
        "old and new clips before and after.",
    )
    parser.add_argument("run", metavar="RUN", help="folder that `fit` wrote")
    parser.add_argument(
        "--task",
        required=True,
        help="folder:PATH of the clips to adapt to, or another task, whose classes "
        "the run knows; split as by `fit`",
    )
    parser.add_argument(
        "--output",
        metavar="RUN",
        required=True,
        help="run folder to write: new, empty, or of a run that didn't finish",
    )
    for name, default, text in (
        ("epochs", 10, "passes over the training clips"),
        ("steps_per_epoch", None, "batches in an epoch"),
        ("batch_size", None, "windows in a batch"),
        ("learning_rate", 1e-3, "of Adam at its highest"),
        ("data_dir", None, "where TFDS keeps its data"),
    ):
        [field] = [f for f in dataclasses.fields(FitConfig) if f.name == name]
        parser.add_argument(
            "--" + name.replace("_", "-"),
            metavar=_kind(field.type).metavar,
            type=_setting(name, field.type),
            default=default or argparse.SUPPRESS,
            help=f"{text} (default: {default or 'as the run'})",
        )
    _add_setting(parser, "--skip-bad-clips", "skip_bad_clips", _SKIP_BAD_CLIPS)


def comparison(arguments):
    """The `Comparison` of parsed arguments of `compare`.

    Raises:
        UserError: Settings that don't go together.
    """
    settings = fit_config(arguments)
    frontends = arguments.frontends
    baseline = arguments.baseline or ("mel" if "mel" in frontends else frontends[0])
    if baseline not in frontends:
        raise UserError(
            f"the --baseline {baseline} must be one of --frontends "
            f"{','.join(frontends)}"
        )
    if settings.task_weights and not arguments.multitask:
        raise UserError("--task-weights are for models of several tasks: --multitask")
    if arguments.multitask and len(settings.tasks) < 2:
        raise UserError(
            f"--multitask needs several tasks. Received: {settings.task}; name more "
            "with --task, separated by commas"
        )
    if settings.seed + arguments.seeds > 2**32:
        raise UserError(f"seeds must be below {2**32}; choose a lower --seed")
    return Comparison(
        settings=settings,
        frontends=frontends,
        n_seeds=arguments.seeds,
        output=Path(_absolute(arguments.output)),
        baseline=baseline,
        multitask=arguments.multitask,
        snrs_db=arguments.snrs_db,
        noise_color=arguments.noise_color,
        jobs=arguments.jobs,
    )


def _add_plot(commands):
    parser = commands.add_parser(
        "plot",
        help="draw what the frontend of a finished run learned",
        description="Draws the learned filters, pooling and PCEN of a run beside "
        "those it started with, and the learning curves, as PNG files; prints how far "
        "they moved.",
    )
    parser.add_argument("run", metavar="RUN", help="folder that `fit` wrote")
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help="where to write the figures (default: RUN/figures)",
    )


def _add_tasks(commands):
    parser = commands.add_parser(
        "tasks",
        help="list the tasks that can be learned",
        description="Lists the tasks that can be learned: what they are, how much "
        "there is to download, and whether the data is there; or says all of one.",
    )
    parser.add_argument(
        "task",
        metavar="TASK",
        nargs="?",
        help="say all of this one (default: list all)",
    )
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="where TFDS keeps its data (default: TFDS's own place)",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def host_settings(arguments):
    """The `HostSettings` of parsed arguments of `fit`; None for one host.

    Raises:
        UserError: Some are missing, or don't go together.
    """
    values = (arguments.coordinator, arguments.n_hosts, arguments.host_index)
    if arguments.distribute != "hosts":
        if any(value is not None for value in values):
            raise UserError(
                "--coordinator, --n-hosts and --host-index are of --distribute hosts"
            )
        return None
    if any(value is None for value in values):
        raise UserError(
            "--distribute hosts needs --coordinator HOST:PORT, --n-hosts N and "
            "--host-index N"
        )
    host, colon, port = arguments.coordinator.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UserError(
            "--coordinator must be HOST:PORT, the address of the first host and a free "
            f"port of it. Received: {arguments.coordinator}"
        )
    if arguments.host_index >= arguments.n_hosts:
        raise UserError(
            f"--host-index must be below --n-hosts, {arguments.n_hosts}. Received: "
            f"{arguments.host_index}"
        )
    return HostSettings(*values)


def _kind(annotation):
    """How values of a field's type are written, None aside."""
    for option in typing.get_args(annotation) or (annotation,):
        if option in _KINDS:
            return _KINDS[option]
    return _KINDS[tuple]


def _setting(name, annotation):
    """The argparse type of a setting: its kind, and its range by `FitConfig`."""
    kind = _kind(annotation)
    optional = type(None) in typing.get_args(annotation)

    def parse(text):
        if name == "encoder":
            return _encoder(text)
        if optional and text == "none":
            return None
        try:
            value = kind.parse(text)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"must be {kind.words}{' or none' if optional else ''}. "
                f"Received: {text}"
            ) from None
        try:
            require(name, value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return value

    return parse


def _count(text):
    return _whole(text, 1)


def _index(text):
    return _whole(text, 0)


def _whole(text, least):
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if value < least:
        raise argparse.ArgumentTypeError(
            f"must be a whole number, at least {least}. Received: {text}"
        )
    return value


def _finite(text):
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"must be a finite number. Received: {text}")
    return value


def _decibels(text):
    return _different(text, [_finite(number) for number in text.split(",")])


def _frontends(text):
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in FRONTENDS:
            raise argparse.ArgumentTypeError(
                f"must be of {', '.join(FRONTENDS)}. Received: {name}"
            )
    return _different(text, names)


def _different(text, values):
    if len(set(values)) < len(values):
        raise argparse.ArgumentTypeError(f"must be different ones. Received: {text}")
    return tuple(values)


def _encoder(text):
    if text in ENCODERS:
        return text
    if text.endswith(".keras"):
        return _absolute(text)
    raise argparse.ArgumentTypeError(
        f"must be one of {', '.join(ENCODERS)}, or end in .keras. Received: {text}"
    )


def _absolute_task(name):
    prefix, colon, path = name.strip().partition(":")
    if prefix == "folder" and path:
        return prefix + colon + _absolute(path)
    return name.strip()


def _absolute(path):
    if "://" in path:  # a bucket, which TFDS reads as well
        return path
    return os.path.abspath(os.path.expanduser(path))
