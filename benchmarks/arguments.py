"""The arguments of `python -m benchmarks`."""

import argparse
import math
import os
import pathlib

from benchmarks import suite_data
from benchmarks.settings import KNOWN
from leaf_files import command_line
from leaf_files.argument_types import at_least, number

_seconds = number(float, "a number above 0", lambda seconds: 0 < seconds < math.inf)


def parser():
    made = command_line.Parser(
        prog="python -m benchmarks",
        description="Measures the frontends on Keras's current backend, input, and "
        "what was exported under load.",
    )
    commands = made.add_subparsers(dest="command", required=True)
    speed = commands.add_parser(
        "frontends",
        help="time and memory of each frontend, beside mel",
        description="Times all frontends in turn, in one run, and prints medians "
        "and their ratios to log-mel.",
    )
    _add_seconds(speed, 4.0, "time for each contestant of a comparison")
    speed.add_argument(
        "--quick", action="store_true", help="only batches of 8 x 1 s, and TFLite"
    )
    speed.add_argument(
        "--shapes",
        type=_shapes,
        metavar="NxS,...",
        help="instead of all that, batches of N clips of S seconds, forward and "
        "backward, as a GPU wants them: 32x1,256x1,1x600",
    )
    speed.add_argument(
        "--settings",
        type=_names,
        metavar="A,B",
        help="instead of all that, batches of 4 x 1 s with the filters and the rate of "
        f"well-known classifiers: {', '.join(KNOWN)}",
    )
    accuracy = commands.add_parser(
        "accuracy",
        help="how far fast LEAF is from exact LEAF",
        description="Compares fast with exact LEAF on many signals, at mel "
        "initialisation and for random filterbanks, beside the planner's prediction.",
    )
    accuracy.add_argument(
        "--banks",
        type=at_least(0),
        default=50,
        help="random filterbanks to try (default: %(default)s)",
    )
    accuracy.add_argument(
        "--clips",
        type=_folder,
        action="append",
        default=[],
        metavar="FOLDER",
        help="real clips to try as well; may be repeated",
    )
    reading = commands.add_parser(
        "input",
        help="how many clips a second can be read",
        description="Reads clips in each way that training has: files by soundfile, "
        "and by tensorflow-io where its operators load, and what TFDS prepared; prints "
        "clips a second. The files are in the system's memory: disks are not measured.",
    )
    _add_seconds(reading, 4.0, "time for each way of reading")
    reading.add_argument(
        "--n-clips",
        type=at_least(1),
        default=64,
        metavar="N",
        help="clips to make of each format (default: %(default)s)",
    )
    reading.add_argument(
        "--clip-seconds",
        type=_seconds,
        default=4.0,
        help="their length (default: %(default)s)",
    )
    reading.add_argument(
        "--clips",
        type=_folder,
        metavar="FOLDER",
        help="read the audio files in this folder instead",
    )
    load = commands.add_parser(
        "load",
        help="an exported model under many clients, and for hours of a stream",
        description="Lets many clients at once ask the SavedModel, in one process, and "
        "streams sound of hours through model_streaming.tflite, if it is there. Prints "
        "errors, differences to the answers one by one, latency and memory. Exit code "
        "1 if anything failed or differed.",
    )
    load.add_argument(
        "artifact",
        metavar="ARTIFACT",
        help="what python -m export wrote: the folder, or the SavedModel in it",
    )
    load.add_argument(
        "--clients",
        type=at_least(1),
        default=50,
        metavar="N",
        help="how many ask at once (default: %(default)s)",
    )
    _add_seconds(load, 60.0, "how long they ask")
    load.add_argument(
        "--stream-hours",
        type=_seconds,
        default=1.0,
        metavar="HOURS",
        help="sound to stream (default: %(default)s)",
    )
    _add_runtimes(commands)
    start = commands.add_parser(
        "start",
        help="how soon a training on many clips begins to learn",
        description="Makes a folder of many small clips and starts trainings on it: "
        "clips that are new, that the index knows, and that are in shards; prints "
        "seconds to the first step, clips a second, and memory.",
    )
    start.add_argument(
        "--n-clips",
        type=at_least(100),
        default=100_000,
        metavar="N",
        help="clips to make (default: %(default)s)",
    )
    start.add_argument(
        "--clip-seconds",
        type=_seconds,
        default=0.25,
        help="their length (default: %(default)s)",
    )
    start.add_argument(
        "--clips",
        type=_folder,
        metavar="FOLDER",
        help="start on this folder of classes instead",
    )
    phone = commands.add_parser(
        "tflite",
        help="what frontends with few filters cost on one thread of a phone",
        description="Times frontends as TFLite files, one clip of 1 s on one thread, "
        "with several numbers of filters, in turn, beside the first of them with as "
        "many. The suite's report on few filters shows the numbers where they lie in "
        "its folder: --json OUTPUT/tflite.json.",
    )
    phone.add_argument(
        "--frontends",
        type=_names,
        metavar="A,B",
        default=("mel", "leaf"),
        help="frontends of `python -m training fit`, as it makes them (default: "
        "mel,leaf)",
    )
    phone.add_argument(
        "--n-filters",
        type=_numbers,
        metavar="N,M",
        default=(8, 16, 40),
        help="numbers of filters (default: 8,16,40)",
    )
    phone.add_argument(
        "--sample-rate",
        type=at_least(1),
        default=16000,
        metavar="HZ",
        help="rate of the sound (default: %(default)s)",
    )
    _add_seconds(phone, 4.0, "time for each of them")
    training = commands.add_parser(
        "training",
        help="what a step of a training costs, and which part of it the frontend is",
        description="Times optimizer steps of fit's own models on clips of 1 s that "
        "are in memory, in turn, beside the first of the frontends; then the frontends "
        "alone, forward, and forward and backward.",
    )
    training.add_argument(
        "--frontends",
        type=_names,
        metavar="A,B",
        default=("mel", "leaf"),
        help="frontends of `python -m training compare` (default: mel,leaf)",
    )
    training.add_argument(
        "--encoder",
        default="small",
        metavar="NAME",
        help="encoder of `python -m training fit` (default: %(default)s)",
    )
    training.add_argument(
        "--batch-size",
        type=at_least(1),
        default=16,
        metavar="N",
        help="clips of a step (default: %(default)s)",
    )
    training.add_argument(
        "--sample-rate",
        type=at_least(1),
        default=16000,
        metavar="HZ",
        help="rate of the sound (default: %(default)s)",
    )
    _add_seconds(training, 4.0, "time for each part of each")
    plans = commands.add_parser(
        "plans",
        help="make the plans anew that come with leaf_tf",
        description="Plans the filterbanks that common settings start with, writes "
        "them to the file that comes with leaf_tf, and prints processor seconds.",
    )
    _add_suite(commands)
    for command in (
        *(speed, accuracy, reading, load, plans, start, phone),
        training,
    ):
        command.add_argument(
            "--json", type=pathlib.Path, metavar="FILE", help="write all numbers"
        )
    for command in (speed, accuracy):
        command.add_argument(
            "--figure", type=pathlib.Path, metavar="FILE", help="draw a PNG"
        )
    return made


def _add_runtimes(commands):
    runtimes = commands.add_parser(
        "runtimes",
        help="an exported model in every runtime: differences to Keras, and time",
        description="Asks each runtime that is installed the same, and Keras; prints "
        "the largest differences in probability, and the time of one window, in turn, "
        "beside LiteRT's Interpreter, as a Markdown table. What is not installed is "
        "named, with how to install it.",
    )
    runtimes.add_argument(
        "source",
        metavar="RUN_OR_KERAS_FILE",
        help="what was exported, which Keras runs",
    )
    runtimes.add_argument(
        "artifact",
        type=_folder,
        metavar="DIR",
        help="the --output of python -m export",
    )
    runtimes.add_argument(
        "--only",
        type=_names,
        metavar="A,B",
        help="names of runtimes, as the table has them (default: all)",
    )
    _add_seconds(runtimes, 2.0, "time for each of them")
    runtimes.add_argument(
        "--json", type=pathlib.Path, metavar="FILE", help="write all numbers"
    )


def _add_seconds(command, default, of_what):
    command.add_argument(
        "--seconds",
        type=_seconds,
        default=default,
        help=f"{of_what} (default: %(default)s)",
    )


def _add_suite(commands):
    suite = commands.add_parser(
        "suite",
        help="frontends against mel on real tasks, groups held out",
        description="Trains and tests frontends on real tasks whose test clips come "
        "from speakers, rooms or instruments never heard in training, beside mel with "
        "the same seeds: as recorded after 5 to 100 % of the steps, in noise, and at "
        "other loudness. Writes report.md, results.csv, figures, and a small file a "
        "run; what is finished is kept, so that the same command goes on after an "
        "interruption. `suite prepare DIR` builds the tasks from public packages.",
    )
    suite.add_argument(
        "action",
        nargs="?",
        choices=("prepare",),
        help="build the tasks in DIR, and train nothing",
    )
    suite.add_argument(
        "folder", nargs="?", type=pathlib.Path, metavar="DIR", help="where to build"
    )
    suite.add_argument(
        "--data",
        type=pathlib.Path,
        metavar="DIR",
        help="folder of the tasks, as `suite prepare` builds it",
    )
    suite.add_argument(
        "--output", type=pathlib.Path, metavar="DIR", help="folder of the results"
    )
    suite.add_argument(
        "--tasks", type=_names, metavar="A,B", help="tasks (default: all)"
    )
    suite.add_argument(
        "--frontends",
        type=_names,
        metavar="A,B",
        help="frontends of `python -m training compare`, as leaf or leaf:n_filters=8 "
        "(default: mel,leaf)",
    )
    suite.add_argument(
        "--encoders",
        type=_names,
        metavar="A,B",
        help="encoders (default: small,bc_resnet)",
    )
    suite.add_argument(
        "--seeds",
        type=at_least(1),
        metavar="N",
        help="number of seeds, which walk the folds of each task (default: 10)",
    )
    suite.add_argument(
        "--steps",
        type=at_least(1),
        metavar="N",
        help="optimizer steps of a run, a multiple of 20 (default: 600)",
    )
    suite.add_argument(
        "--jobs",
        type=at_least(1),
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes at once (default: as many as cores, %(default)s)",
    )
    suite.add_argument(
        "--quick",
        action="store_true",
        help="2 seeds, 200 steps and the small encoder, where nothing else is said",
    )
    suite.add_argument(
        "--on",
        choices=("test", "validation"),
        default="test",
        help="split that is tested: choose settings on validation (default: "
        "%(default)s)",
    )
    suite.add_argument(
        "--baseline",
        default="mel",
        metavar="A",
        help="frontend that the report compares the others with (default: %(default)s)",
    )
    suite.add_argument(
        "--report-only",
        action="store_true",
        help="make the pages anew from the runs in --output, and train nothing",
    )
    suite_data.add_arguments(suite.add_argument_group("suite prepare DIR"))


def _names(text):
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(
            f"must be different names, separated by commas. Received: {text!r}"
        )
    return names


def _shapes(text):
    shapes = [shape.split("x") for shape in _names(text)]
    if any(len(shape) != 2 for shape in shapes):
        raise argparse.ArgumentTypeError(
            f"must be numbers of clips and of seconds, 32x1,1x600. Received: {text!r}"
        )
    return [tuple(map(at_least(1), shape)) for shape in shapes]


def _numbers(text):
    return tuple(at_least(1)(name) for name in _names(text))


def _folder(text):
    folder = pathlib.Path(text)
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return folder
