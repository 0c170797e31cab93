"""The command line of `python -m training`; imports nothing heavy."""

import argparse
import dataclasses
import os

from files.command_line import Parser
from training.config import FitConfig, require

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

_KINDS = {int: "a whole number", float: "a number"}
_METAVARS = {int: "N", float: "X", str: "DIR"}


def make_parser():
    """The parser of all commands; `command` holds the chosen one."""
    parser = Parser(
        prog="python -m training",
        description="Trains and evaluates classifiers of waveforms.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_fit(commands)
    _add_evaluate(commands)
    _add_plot(commands)
    _add_tasks(commands)
    return parser


def fit_config(arguments):
    """The `FitConfig` of parsed arguments of `fit`.

    Paths are made absolute, so that the run finds its data from any folder.
    """
    names = {field.name for field in dataclasses.fields(FitConfig)}
    given = {name: value for name, value in vars(arguments).items() if name in names}
    if "data_dir" in given:
        given["data_dir"] = _absolute(given["data_dir"])
    prefix, colon, path = given["task"].partition(":")
    if prefix == "folder" and path:
        given["task"] = prefix + colon + _absolute(path)
    return FitConfig(**given)


def _add_fit(commands):
    defaults = {f.name: f.default for f in dataclasses.fields(FitConfig)}
    parser = commands.add_parser(
        "fit",
        help="train a classifier",
        description="Trains a classifier from raw waveforms and writes a run "
        "folder: the model, its metrics, history, checkpoints and figures.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )

    def add(name, kind, text, **options):
        option = "--" + name.replace("_", "-")
        default = argparse.SUPPRESS if defaults[name] is None else defaults[name]
        if "choices" not in options:
            options.setdefault("metavar", _METAVARS[kind])
        parser.add_argument(
            option, type=_setting(name, kind), default=default, help=text, **options
        )

    parser.add_argument(
        "--task",
        metavar="TASK",
        required=True,
        default=argparse.SUPPRESS,
        help="a name that `tasks` lists, or folder:PATH, a folder with a subfolder "
        "of clips per class",
    )
    parser.add_argument(
        "--output",
        metavar="RUN",
        required=True,
        default=argparse.SUPPRESS,
        help="run folder to write: new, empty, or of a run that didn't finish, which "
        "starts anew",
    )
    add(
        "frontend",
        str,
        "the layer that turns waveforms into features",
        choices=FRONTENDS,
    )
    add(
        "encoder",
        str,
        f"the network behind it: {', '.join(ENCODERS)}, or a .keras file of your own "
        "model from (batch, frames, n_filters) to (batch, dims)",
        metavar="NAME_OR_FILE",
    )
    add("n_filters", int, "channels of the features")
    add("sample_rate", int, "of the model, Hz; clips are resampled")
    add("window_seconds", float, "length of a window of a clip")
    add("epochs", int, "passes over the training clips")
    add("steps_per_epoch", int, "batches in an epoch (default: one pass)")
    add("batch_size", int, "windows in a batch")
    add("learning_rate", float, "of Adam at its highest; falls as a cosine")
    add("seed", int, "of the split, the weights and the windows")
    add("data_dir", str, "where TFDS keeps its data (default: TFDS's own place)")


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
    parser.add_argument("--json", action="store_true", help="print metrics as JSON")


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


def _setting(name, kind):
    """The argparse type of a setting: its kind, and its range by `FitConfig`."""

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"must be {_KINDS[kind]}. Received: {text}"
            ) from None
        if name == "encoder":
            return _encoder(text)
        try:
            require(name, value)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return value

    return parse


def _encoder(text):
    if text in ENCODERS:
        return text
    if text.endswith(".keras"):
        return _absolute(text)
    raise argparse.ArgumentTypeError(
        f"must be one of {', '.join(ENCODERS)}, or end in .keras. Received: {text}"
    )


def _absolute(path):
    if "://" in path:  # a bucket, which TFDS reads as well
        return path
    return os.path.abspath(os.path.expanduser(path))
