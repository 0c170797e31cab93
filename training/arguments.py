"""The command line of `python -m training`; imports nothing heavy."""

import argparse
import dataclasses
import math

from training.config import FitConfig

FRONTENDS = ("leaf", "mel")
ENCODERS = ("small", "efficientnet_b0")


def make_parser():
    """The parser of all commands; `command` holds the chosen one."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Trains and evaluates classifiers of waveforms.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_fit(commands)
    _add_evaluate(commands)
    commands.add_parser(
        "tasks",
        help="list the tasks that can be learned",
        description="Lists the tasks that can be learned.",
    )
    return parser


def fit_config(arguments):
    """The `FitConfig` of parsed arguments of `fit`."""
    names = {field.name for field in dataclasses.fields(FitConfig)}
    given = vars(arguments).items()
    return FitConfig(**{name: value for name, value in given if name in names})


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
        parser.add_argument(option, type=kind, default=default, help=text, **options)

    parser.add_argument(
        "--task",
        required=True,
        default=argparse.SUPPRESS,
        help="a name that `tasks` lists, or folder:PATH, a folder with a subfolder "
        "of clips per class",
    )
    parser.add_argument(
        "--output", required=True, default=argparse.SUPPRESS, help="run folder to write"
    )
    add("frontend", str, "the layer that turns waveforms into features", choices=FRONTENDS)
    add("encoder", str, "the network behind it", choices=ENCODERS)
    add("n_filters", _positive_int, "channels of the features")
    add("sample_rate", _positive_int, "of the model, Hz; clips are resampled")
    add("window_seconds", _positive_float, "length of a window of a clip")
    add("epochs", _positive_int, "passes over the training clips")
    add("steps_per_epoch", _positive_int, "batches in an epoch (default: one pass)")
    add("batch_size", _positive_int, "windows in a batch")
    add("learning_rate", _positive_float, "of Adam at its highest; falls as a cosine")
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


def _positive_int(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return value


def _positive_float(text):
    value = float(text)
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text}")
    return value
