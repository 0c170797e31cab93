"""The command line of `python -m training`; imports nothing heavy."""

import argparse
import dataclasses
import functools
import math
from pathlib import Path
from typing import Any

from leaf_files.argument_types import at_least, checked, number
from leaf_files.command_line import Parser, program
from leaf_files.errors import UserError
from leaf_files.run_folder import RunPaths
from training.comparison.plan import Comparison
from training.mixtures.settings import CHOICES, FORMATS, MixSettings
from training.run.parent import inherited_settings
from training.settings.config import FitConfig, absolute_path, read_settings
from training.settings.fields import GROUPS, settings_of
from training.settings.frontends import (
    FRONTENDS,
    folder_name,
    overridden,
    rewritten,
)
from training.settings.hosts import HostSettings
from training.settings.presets import PRESETS
from training.tasks.noise import COLORS
from training.tasks.own.table import column_of, is_table, split_name

_SETTINGS = settings_of(FitConfig)
# Groups of settings that say what data is; those of them that say how it is learned.
_OF_DATA = ("data", "columns of a table")
_NOT_INSPECTED = ("sample_rate", "cache")
# Settings of data that don't change what is written to shards.
_OF_READING = ("sample_rate", "window_seconds", "cache", "data_dir")
# Settings that add clips to a task, beside its own.
_ADDING = ("background", "background_share")
_RENAMED = {"frontend_settings": "--set"}  # options of other names, in all commands
_finite = number(float, "a finite number", math.isfinite)
_seconds = number(float, "a finite number above 0", lambda s: 0 < s < math.inf)
_share = number(float, "a number above 0, at most 1", lambda share: 0 < share <= 1)
_not_below_0 = number(float, "a finite number, at least 0", lambda s: 0 <= s < math.inf)


def make_parser():
    """The parser of all commands; `command` holds the chosen one.

    >>> make_parser().parse_args(["evaluate", "run"]).command
    'evaluate'
    """
    parser = Parser(
        prog=program("training"),
        description="Trains and evaluates classifiers of waveforms.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    _add_fit(commands)
    _add_evaluate(commands)
    _add_thresholds(commands)
    _add_judge(commands)
    _add_compare(commands)
    _add_adapt(commands)
    _add_quantize(commands)
    _add_prepare(commands)
    _add_mix(commands)
    _add_plot(commands)
    _add_tasks(commands)
    _add_inspect(commands)
    return parser


def fit_config(arguments):
    """The `FitConfig` of parsed arguments of `fit`.

    Options win over the file of `--config`, that over `--preset`, that over the
    settings of the run to resume, those over the defaults. Paths are made absolute,
    so that the run finds its data from any folder.

    Raises:
        UserError: No task, a file of settings that can't be read, or settings that
            don't go together.

    >>> command = "fit --task synthetic --output run --epochs 5"
    >>> fit_config(make_parser().parse_args(command.split())).epochs
    5
    """
    settings: dict[str, Any] = dict(PRESETS.get(arguments.preset, {}))
    started = RunPaths(arguments.output).config
    if arguments.resume and started.exists():
        settings = overridden(read_settings(started), settings)
    if arguments.config:
        settings = overridden(settings, read_settings(Path(arguments.config)))
    given = given_settings(arguments)
    settings = overridden(settings, given)
    if settings.get("from_run") and not (arguments.resume and started.exists()):
        settings = overridden(inherited_settings(settings["from_run"]), settings)
    if "task" not in settings:
        raise UserError("name what to learn with --task; see `tasks` for the names")
    if "task" not in given:
        settings["task"] = with_columns(settings["task"], arguments.label_column)
    try:
        return FitConfig(**settings)
    except (TypeError, ValueError) as error:
        where = f" in {arguments.config}" if arguments.config else ""
        raise UserError(f"cannot use the settings{where}: {error}") from error


def given_settings(arguments):
    """The settings that were given as options, {name: value}.

    >>> command = "fit --task synthetic --output run --epochs 5"
    >>> given_settings(make_parser().parse_args(command.split()))
    {'task': 'synthetic', 'epochs': 5}
    """
    given = {
        name: value for name, value in vars(arguments).items() if name in _SETTINGS
    }
    own = dict(given.pop("frontend_settings", ()))
    if "frontend" in given:
        given["frontend"], after_its_name = given["frontend"]
        own.update(after_its_name)
    if own:
        given["frontend_settings"] = own
    if "task" in given:
        task = ",".join(map(_absolute_task, given["task"].split(",")))
        given["task"] = with_columns(task, arguments.label_column)
    return given


def _add_fit(commands):
    parser = commands.add_parser(
        "fit",
        help="train a classifier",
        description="Trains a classifier from raw waveforms and writes a run "
        "folder: the model, its metrics, history, checkpoints and figures.",
        epilog=_examples(
            "fit --task synthetic --output run",
            "fit --task folder:clips --output run --epochs 50",
            "fit --task table:clips.csv --label-column species --output run",
            "fit --task folder:clips --output run --epochs 50 --resume",
            "fit --task folder:clips --output run --group-by parent --compare-splits",
            "fit --task folder:few --from run --freeze frontend --output fine_tuned",
        ),
    )
    _add_task(parser, "several share frontend and encoder")
    parser.add_argument(
        "--output",
        metavar="RUN",
        required=True,
        help="run folder to write: new, empty, or of a run that didn't finish, which "
        "starts anew",
    )
    parser.add_argument(
        "--compare-splits",
        action="store_true",
        help="train the same on a random split as well, in RUN/random_split, and say "
        "what that would have flattered; where groups are known",
    )
    _add_settings(parser, renamed={"from_run": "--from"})


def _examples(*commands):
    """The end of a command's help: examples to copy."""
    lines = [f"    {program('training')} {command}" for command in commands]
    title = "Example:" if len(lines) == 1 else "Examples:"
    return "\n".join([title, *lines])


def _add_task(parser, several):
    parser.add_argument(
        "--task",
        metavar="TASK[,TASK...]",
        default=argparse.SUPPRESS,
        help="a name that `tasks` lists; folder:PATH, a folder with a subfolder of "
        "clips per class; or table:FILE, a table of clips and their labels, or "
        f"annotations of recordings; {several}",
    )
    columns = "columns of labels, each of them a task"
    _add_label_column(parser, "NAME[,NAME...]", columns, most=None)


def _add_label_column(parser, metavar="NAME", what="column of labels", most=1):
    parser.add_argument(
        "--label-column",
        metavar=metavar,
        type=checked(functools.partial(_columns, most=most)),
        help=f"{what}, of table:FILE (default: label)",
    )


def _add_settings(parser, left_out=(), renamed=None):
    """Adds `--preset`, `--config` and the settings of a `FitConfig`.

    Args:
        parser: Parser of the command.
        left_out: Names of settings that the command doesn't offer.
        renamed: {setting: option} where an option has another name.
    """
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        help="settings that go together, which other options change: few_clips, 2000 "
        "steps and a little augmentation for folders of some hundred clips; paper, the "
        "protocol of the LEAF paper; phone, a small model for noisy places, of many "
        "clips",
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
        help="continue the run in --output where it was interrupted, with its own "
        "settings and on the same clips; start it if it wasn't started",
    )
    for title in GROUPS:
        group = parser.add_argument_group(title)
        for name, setting in _SETTINGS.items():
            if setting.group == title and name not in left_out:
                _add_setting(group, setting, {**_RENAMED, **(renamed or {})}.get(name))
    _add_devices(parser)


def _add_setting(parser, setting, option=None):
    """Adds the option of a `Setting`, by default of its name."""
    option = option or "--" + setting.name.replace("_", "-")
    default = setting.default_in_words
    details: dict = {
        "dest": setting.name,
        "default": argparse.SUPPRESS,
        "help": setting.words + (f" (default: {default})" if default else ""),
    }
    if setting.is_bool:
        details["action"] = argparse.BooleanOptionalAction
    elif setting.choices and not setting.parse:
        details["choices"] = setting.choices
    else:
        if setting.is_mapping:
            details["action"] = "append"
        details["metavar"] = setting.value_metavar
        details["type"] = checked(setting.read)
    parser.add_argument(option, **details)


def _add_devices(parser):
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
        help="address of the first host and a free port of it, for --distribute hosts",
    )
    devices.add_argument(
        "--n-hosts",
        metavar="N",
        type=at_least(1),
        help="number of hosts that run this command, for --distribute hosts",
    )
    devices.add_argument(
        "--host-index",
        metavar="N",
        type=at_least(0),
        help="number of this host, from 0, for --distribute hosts",
    )


def _add_evaluate(commands):
    parser = commands.add_parser(
        "evaluate",
        help="evaluate a finished run",
        description="Evaluates a run on its test split, or on other clips with the "
        "same class names.",
        epilog=_examples(
            "evaluate run",
            "evaluate run --task folder:clips --noise-snr 10",
            "evaluate run --task table:recordings.csv --events",
            "evaluate run --unknown other_sounds",
        ),
    )
    parser.add_argument("run", metavar="RUN", help="folder that `fit` wrote")
    parser.add_argument(
        "--task",
        help="evaluate on another task's test split, or on all clips of folder:PATH or "
        "table:FILE (default: the run's own)",
    )
    _add_label_column(parser)
    _add_data_dir(parser, "the run's")
    parser.add_argument(
        "--noise-snr",
        metavar="DB",
        type=_finite,
        help="evaluate in noise at this signal-to-noise ratio (default: no noise)",
    )
    _add_noise_color(parser)
    parser.add_argument(
        "--unknown",
        metavar="FOLDER",
        action="append",
        default=[],
        help="folder of clips, at any depth, of what the model doesn't know: how well "
        "they are told from the test clips, and how many are called none of these; may "
        "be given several times",
    )
    parser.add_argument(
        "--skip-bad-clips", action="store_true", help=_SETTINGS["skip_bad_clips"].words
    )
    _add_setting(parser, _SETTINGS["index"])
    parser.add_argument(
        "--events",
        action="store_true",
        help="judge the events that the model finds in whole recordings, as "
        f"`{program('export')} detect` does, by those of a table with start and end, "
        "as `judge` does; every event of a recording must be in the table",
    )
    _add_overlap(parser, "--events")
    parser.add_argument("--json", action="store_true", help="print metrics as JSON")


def _add_overlap(parser, option):
    parser.add_argument(
        "--overlap",
        metavar="X",
        type=number(float, "in [0, 1)", lambda x: 0 <= x < 1),
        help=f"share of a window that the next one hears as well, of {option} "
        "(default: 0.75, as of `detect`)",
    )


def event_settings(arguments):
    """The `EventSettings` of parsed arguments with `--overlap`.

    >>> arguments = make_parser().parse_args(["evaluate", "run", "--overlap", "0.5"])
    >>> event_settings(arguments).overlap
    0.5
    """
    from leaf_files.event_settings import EventSettings

    if arguments.overlap is None:
        return EventSettings()
    return EventSettings(arguments.overlap)


def _add_thresholds(commands):
    parser = commands.add_parser(
        "thresholds",
        help="choose from which probability a label is decided on",
        description="Chooses a threshold for each label of a run on its validation "
        "clips, checks them on its test clips, and writes them to the run, from where "
        "exports carry them.",
        epilog=_examples(
            "thresholds run --precision 0.95",
            "thresholds run --recall 0.9 --dry-run",
            "thresholds run --keep 0.95",
            "thresholds run --false-alarms-per-hour 0.5 --negatives street",
        ),
    )
    parser.add_argument("run", metavar="RUN", help="folder that `fit` wrote")
    targets = parser.add_mutually_exclusive_group(required=True)
    for option, metavar, words in (
        ("precision", "P", "least share of a label's decisions that are right"),
        ("recall", "R", "least share of a label's clips that it is found in"),
        (
            "keep",
            "SHARE",
            "share of the clips of known labels that still get an answer: the others "
            "are none of these, by one threshold for all labels without one of their "
            "own",
        ),
    ):
        targets.add_argument(
            f"--{option}", metavar=metavar, type=_share, help=f"{words}, in (0, 1]"
        )
    targets.add_argument(
        "--false-alarms-per-hour",
        metavar="F",
        type=number(float, "a finite number above 0", lambda n: 0 < n < math.inf),
        help="most events of a label an hour in --negatives, found as "
        f"`{program('export')} detect` finds them",
    )
    parser.add_argument(
        "--negatives",
        metavar="FOLDER",
        action="append",
        type=Path,
        default=[],
        help="folder of recordings, at any depth, in which none of the labels occurs, "
        "for --false-alarms-per-hour; may be given several times",
    )
    _add_overlap(parser, "--negatives")
    parser.add_argument(
        "--none-below",
        action="store_true",
        help="choose one threshold for all labels together, in place of one for each",
    )
    parser.add_argument(
        "--task",
        help="one of the run's tasks, or where its clips lie now (default: all)",
    )
    _add_label_column(parser)
    _add_data_dir(parser, "the run's")
    parser.add_argument(
        "--skip-bad-clips", action="store_true", help=_SETTINGS["skip_bad_clips"].words
    )
    _add_setting(parser, _SETTINGS["index"])
    parser.add_argument(
        "--dry-run", action="store_true", help="print the thresholds, write nothing"
    )


def threshold_target(arguments):
    """The `Target` of parsed arguments of `thresholds`.

    Raises:
        UserError: Options that don't go together.

    >>> arguments = make_parser().parse_args(["thresholds", "run", "--recall", "0.9"])
    >>> print(threshold_target(arguments))
    a recall of 90 %
    """
    from training.evaluation.thresholds.choosing import TARGETS, Target

    [given] = [name for name in TARGETS if getattr(arguments, name) is not None]
    of_alarms = arguments.false_alarms_per_hour is not None
    if of_alarms and not arguments.negatives:
        raise UserError(
            "--false-alarms-per-hour needs recordings in which none of the labels "
            "occurs: name a folder of them by --negatives"
        )
    if not of_alarms and (arguments.negatives or arguments.overlap is not None):
        raise UserError("--negatives and --overlap are of --false-alarms-per-hour")
    return Target(given, getattr(arguments, given), arguments.none_below)


def _add_judge(commands):
    parser = commands.add_parser(
        "judge",
        help="judge detected events by those of a reference",
        description="Judges a table of detections, such as `export detect` writes, by "
        "a table of what is in the recordings: by event and by segment, false alarms "
        "an hour and missed events.",
        epilog=_examples(
            "judge detections.csv --reference table.csv",
            "judge detections.csv --reference table.csv --recordings night --json",
        ),
    )
    parser.add_argument(
        "detections",
        metavar="DETECTIONS",
        type=Path,
        help="CSV, TSV or JSON lines of detections, with columns file, start, end, "
        "label and maybe score",
    )
    parser.add_argument(
        "--reference",
        metavar="TABLE",
        type=Path,
        required=True,
        help="table of the events in the recordings, with columns path, label, start "
        "and end, or annotations of Raven or Audacity, or a folder of recordings with "
        "a label file beside each; a row without a label names a recording without "
        "events",
    )
    _add_label_column(parser, what="column of labels of the reference")
    parser.add_argument(
        "--recordings",
        metavar="FOLDER",
        type=Path,
        help="folder of all recordings, at any depth: where the reference names no "
        "event of one, there is none (default: those that the reference names)",
    )
    parser.add_argument(
        "--background",
        metavar="LABEL[,LABEL...]",
        type=checked(functools.partial(_columns, most=None)),
        default=(),
        help="labels that are no events, such as that of silence",
    )
    for option, metavar, default, words in (
        ("collar", "SECONDS", 0.2, "most seconds between starts, and between ends"),
        ("end-share", "X", 0.2, "share of an event by which its end may differ too"),
        ("segment", "SECONDS", 1.0, "length of segments"),
    ):
        parser.add_argument(
            f"--{option}",
            metavar=metavar,
            type=_seconds if option == "segment" else _not_below_0,
            default=default,
            help=f"{words} (default: {default:g})",
        )
    parser.add_argument(
        "--at",
        metavar="N[,N...]",
        type=checked(_finite_numbers),
        default=(0.5, 1.0, 10.0),
        help="false alarms an hour at which missed events are told (default: 0.5,1,10)",
    )
    parser.add_argument(
        "--curve",
        metavar="FILE.csv",
        type=Path,
        help="table to write: false alarms an hour and missed events by threshold",
    )
    parser.add_argument("--json", action="store_true", help="print scores as JSON")


def _add_data_dir(parser, default):
    """Adds `--data-dir` to a command that doesn't make a `FitConfig`."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help=f"{_SETTINGS['data_dir'].words} (default: {default})",
    )


def _add_noise_color(parser):
    parser.add_argument(
        "--noise-color",
        choices=COLORS,
        default=COLORS[0],
        help=f"color of the noise of --noise-snr (default: {COLORS[0]}, whose power "
        "falls as 1 / frequency)",
    )


def _add_compare(commands):
    parser = commands.add_parser(
        "compare",
        help="compare frontends on the same tasks and seeds",
        description="Trains each frontend with each seed, and says which differ from "
        "the baseline by more than chance: a table, figures and a report. Continues "
        "where it stopped.",
        epilog=_examples(
            "compare --task folder:clips --frontends mel,leaf --output pair"
        ),
    )
    _add_task(parser, "each is learned by itself, or with --multitask by one model")
    parser.add_argument(
        "--frontends",
        metavar="NAME[:SETTING=VALUE...][,...]",
        type=checked(_frontends),
        required=True,
        help=f"names among {', '.join(FRONTENDS)}; settings of its own and n_filters "
        "may follow a name, as in leaf,leaf:compression=log:n_filters=8, and win over "
        "--set and --n-filters, which are for all",
    )
    parser.add_argument(
        "--seeds",
        metavar="N",
        type=at_least(1),
        default=5,
        help="runs of each frontend and task, of the seeds --seed, --seed + 1, ...; "
        "runs with the same seed are a pair (default: 5)",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        required=True,
        help="folder to write: new, empty, or of a comparison, which is continued",
    )
    parser.add_argument(
        "--baseline",
        metavar="NAME[:SETTING=VALUE...]",
        type=checked(rewritten),
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
        type=checked(_finite_numbers),
        default=(),
        help="test the trained models as well in noise, at these signal-to-noise "
        "ratios",
    )
    _add_noise_color(parser)
    parser.add_argument(
        "--jobs",
        metavar="N",
        type=at_least(1),
        default=1,
        help="runs at once (default: 1)",
    )
    _add_settings(
        parser,
        left_out=("frontend", "from_run", "freeze"),
        renamed={"noise_snr": "--train-noise-snr"},
    )


def _add_adapt(commands):
    parser = commands.add_parser(
        "adapt",
        help="adapt a finished run to noise, or to other microphones",
        description="Trains the PCEN of a run on other clips of the same classes, such "
        "as noisy ones, and nothing else; writes a new run, and says what it scores on "
        "old and new clips before and after.",
        epilog=_examples("adapt run --task folder:noisy --output adapted"),
    )
    parser.add_argument("run", metavar="RUN", help="folder that `fit` wrote")
    parser.add_argument(
        "--task",
        required=True,
        help="folder:PATH or table:FILE of the clips to adapt to, or another task, "
        "whose classes the run knows; split as by `fit`",
    )
    _add_label_column(parser)
    parser.add_argument(
        "--output",
        metavar="RUN",
        required=True,
        help="run folder to write: new, empty, or of a run that didn't finish",
    )
    _add_defaults(
        parser,
        epochs=10,
        steps_per_epoch=None,
        batch_size=None,
        learning_rate=1e-3,
        data_dir=None,
    )
    for name in (
        "skip_bad_clips",
        "index",
        "group_pattern",
        "group_by",
        "folds",
        "fold",
    ):
        _add_setting(parser, _SETTINGS[name])


def _add_defaults(parser, **defaults):
    """Adds options of settings with defaults of their own; None for the run's."""
    for name, default in defaults.items():
        setting = _SETTINGS[name]
        parser.add_argument(
            "--" + name.replace("_", "-"),
            metavar=setting.value_metavar,
            type=checked(setting.read),
            default=default or argparse.SUPPRESS,
            help=f"{setting.words} (default: {default or 'as the run'})",
        )


def _add_quantize(commands):
    parser = commands.add_parser(
        "quantize",
        help="train a finished run to bear int8, or int4",
        description="Trains encoder and head of a run on its own clips while they are "
        "rounded as in model_int8.tflite, until the rounded model answers as the run "
        "does; the frontend stays. Writes a new run, and says how far both are from "
        "the run before and after. For runs of one task, of small, cnn6, cnn10, cnn14 "
        "and such chains of layers.",
        epilog=_examples(
            "quantize run --output rounded",
            "quantize run --output rounded --weight-bits 4",
        ),
    )
    parser.add_argument("run", metavar="RUN", help="folder that `fit` wrote")
    parser.add_argument(
        "--output",
        metavar="RUN",
        required=True,
        help="run folder to write: new, empty, or of a run that didn't finish",
    )
    parser.add_argument(
        "--weight-bits",
        type=int,
        choices=(8, 4),
        default=8,
        help="bits of weights, 8 as in model_int8.tflite or 4 as in model_int4.tflite, "
        "which few models bear untrained; values have 8 (default: 8)",
    )
    _add_defaults(
        parser,
        epochs=5,
        steps_per_epoch=50,
        batch_size=None,
        learning_rate=1e-4,
        data_dir=None,
    )
    for name in ("skip_bad_clips", "index"):
        _add_setting(parser, _SETTINGS[name])


def comparison(arguments):
    """The `Comparison` of parsed arguments of `compare`.

    Raises:
        UserError: Settings that don't go together.

    >>> command = "compare --task synthetic --frontends leaf,mel --output pair"
    >>> comparison(make_parser().parse_args(command.split())).baseline
    'mel'
    """
    settings = fit_config(arguments)
    if settings.from_run or settings.freeze:
        raise UserError(
            "frontends are compared by models that start from nothing: leave from_run "
            f"and freeze out of {arguments.config or 'the settings'}"
        )
    # Those of a file are of the frontend in it, which isn't asked for.
    for_all = given_settings(arguments).get("frontend_settings", {})
    settings = dataclasses.replace(settings, frontend_settings=for_all)
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
        output=Path(absolute_path(arguments.output)),
        baseline=baseline,
        multitask=arguments.multitask,
        snrs_db=arguments.snrs_db,
        noise_color=arguments.noise_color,
        jobs=arguments.jobs,
    )


def _add_prepare(commands):
    parser = commands.add_parser(
        "prepare",
        help="write the clips of a task as shards",
        description="Writes the clips of a task as few large files, its splits drawn, "
        "for disks, buckets and hosts that read many small ones slowly; the task "
        "shards:DIR reads them. A task of TFDS is prepared in DIR by TFDS, on Apache "
        "Beam where it uses that, for --data-dir. Goes on where it stopped.",
        epilog=_examples(
            "prepare folder:clips --output shards",
            "fit --task shards:shards --output run",
        ),
    )
    parser.add_argument(
        "task",
        metavar="TASK",
        help="folder:PATH, table:FILE, or a name that `tasks` lists",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        required=True,
        help="folder to write: new, empty, or of a preparation that didn't finish",
    )
    for name, setting in _SETTINGS.items():
        is_own = setting.group == "data" and name not in (*_OF_READING, *_ADDING)
        if name == "seed" or is_own:
            _add_setting(parser, setting)
    _add_label_column(parser)


def _add_mix(commands):
    parser = commands.add_parser(
        "mix",
        help="make long recordings with known events of clips",
        description="Puts clips of a task at random times onto a background, and "
        "writes the recordings and a table of what is where in them, to test or to "
        "train detectors.",
        epilog=_examples(
            "mix folder:clips --output mixed --minutes 60 --split test",
            "mix folder:clips --output mixed --background street --snr 0,10",
        ),
    )
    parser.add_argument("task", metavar="TASK", help="folder:PATH or table:FILE")
    parser.add_argument(
        "--output",
        metavar="DIR",
        required=True,
        help="folder to write: new, empty, or of mixtures, which are replaced",
    )
    default = MixSettings()
    for name, metavar, words in (
        ("minutes", "X", "length of all recordings together"),
        ("recording_minutes", "X", "length of a recording"),
        ("events_per_minute", "X", "clips a minute"),
        ("gap", "SECONDS", "least time between two of them, seconds"),
        ("trim_db", "DB", "how far below the loudest 10 ms of a clip its sound ends"),
    ):
        value = getattr(default, name)
        parser.add_argument(
            "--" + name.replace("_", "-"),
            metavar=metavar,
            type=_finite,
            default=value,
            help=f"{words} (default: {value:g})",
        )
    parser.add_argument(
        "--overlap", action="store_true", help="let events overlap, without a gap"
    )
    parser.add_argument(
        "--snr",
        metavar="LOW,HIGH",
        type=checked(_finite_pair),
        default=default.snr,
        help="lowest and highest signal-to-noise ratio of an event, dB (default: 0,20)",
    )
    parser.add_argument(
        "--background",
        metavar="COLOR_OR_FOLDER",
        default=default.background,
        help=f"{' or '.join(COLORS)} noise, or a folder of recordings, at any depth, "
        f"one after the other (default: {default.background})",
    )
    parser.add_argument(
        "--split",
        choices=CHOICES,
        default=default.split,
        help=f"clips to take: those that `fit` tests with the same --seed and groups, "
        f"or another split's (default: {default.split})",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=default.format,
        help=f"format of the recordings, 16 bits (default: {default.format})",
    )
    parser.add_argument(
        "--mixture-seed",
        metavar="N",
        type=at_least(0),
        help="seed of what is drawn for the mixtures (default: that of --seed)",
    )
    for name, setting in _SETTINGS.items():
        left_out = name in (*_OF_READING, *_ADDING) and name != "sample_rate"
        if name == "seed" or (setting.group == "data" and not left_out):
            _add_setting(parser, setting)
    _add_label_column(parser)


def mixture_settings(arguments):
    """(`FitConfig` of the task, `MixSettings`) of parsed arguments of `mix`.

    Raises:
        UserError: Settings that don't go together.

    >>> arguments = make_parser().parse_args(
    ...     ["mix", "folder:clips", "--output", "mixed", "--seed", "3"])
    >>> mixture_settings(arguments)[1].seed
    3
    """
    given = vars(arguments)
    names = [f.name for f in dataclasses.fields(MixSettings)]
    own = {name: given[name] for name in names if name in given}
    if own["background"] not in COLORS:
        own["background"] = absolute_path(own["background"])
    try:
        of_task = given_settings(arguments)
        of_task.pop("background")  # that of the mixtures
        config = FitConfig(**of_task, cache="none")
        seed = arguments.mixture_seed
        own["seed"] = config.seed if seed is None else seed
        own["sample_rate"] = config.sample_rate
        return config, MixSettings(**own)
    except ValueError as error:
        raise UserError(f"cannot use the settings: {error}") from error


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
        description="Lists the tasks that can be learned: what they are, the size of "
        "the download, and whether the data is there; or all about one task.",
    )
    parser.add_argument(
        "task",
        metavar="TASK",
        nargs="?",
        help="the task to describe in full (default: list all)",
    )
    _add_data_dir(parser, _SETTINGS["data_dir"].none)
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def _add_inspect(commands):
    parser = commands.add_parser(
        "inspect",
        help="look at the clips of a task before anything learns from them",
        description="Prints what the clips of a task are: their lengths, rates and "
        "loudness, classes, copies and near duplicates, groups, the split that `fit` "
        "would make of them, and what may mislead.",
        epilog=_examples(
            "inspect folder:clips",
            "inspect folder:clips --group-pattern '([^/]+)__' --output figures",
            "inspect folder:clips --write clips.csv",
        ),
    )
    parser.add_argument(
        "task",
        metavar="TASK",
        default=argparse.SUPPRESS,
        help="folder:PATH, table:FILE, or a name that `tasks` lists, of prepared data",
    )
    _add_label_column(parser)
    parser.add_argument(
        "--output", metavar="DIR", help="folder to draw figures into, PNG files"
    )
    parser.add_argument(
        "--write",
        metavar="FILE.csv",
        help="write the clips as a table with their labels, groups and splits, to be "
        "edited and learned as table:FILE.csv",
    )
    parser.add_argument("--json", action="store_true", help="print it as JSON")
    for title in _OF_DATA:
        group = parser.add_argument_group(title)
        for name, setting in _SETTINGS.items():
            if setting.group == title and name not in _NOT_INSPECTED:
                _add_setting(group, setting)
    _add_setting(parser, _SETTINGS["seed"])


def inspected_config(arguments):
    """The `FitConfig` of parsed arguments of `inspect`.

    Raises:
        UserError: Settings that don't go together.

    >>> arguments = make_parser().parse_args(["inspect", "synthetic", "--seed", "3"])
    >>> inspected_config(arguments).seed
    3
    """
    try:
        return FitConfig(**given_settings(arguments), cache="none")
    except ValueError as error:
        raise UserError(f"cannot use the settings: {error}") from error


def host_settings(arguments):
    """The `HostSettings` of parsed arguments of `fit`; None for one host.

    Raises:
        UserError: Some are missing, or don't go together.

    >>> hosts = "--distribute hosts --coordinator 10.0.0.1:1234 --n-hosts 2"
    >>> command = f"fit --task synthetic --output run {hosts} --host-index 1"
    >>> host_settings(make_parser().parse_args(command.split()))
    HostSettings(coordinator='10.0.0.1:1234', n_hosts=2, index=1)
    """
    values = (arguments.coordinator, arguments.n_hosts, arguments.host_index)
    if arguments.distribute == "hosts" and arguments.compare_splits:
        raise UserError(
            "--compare-splits trains a second run on one host: leave it out with "
            "--distribute hosts"
        )
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


def _finite_numbers(text):
    return _different(text, [_finite(decibels) for decibels in text.split(",")])


def _finite_pair(text):
    numbers = [_finite(number) for number in text.split(",")]
    if len(numbers) != 2 or numbers[0] > numbers[1]:
        raise ValueError(f"must be LOW,HIGH with LOW <= HIGH. Received: {text}")
    return tuple(numbers)


def _columns(text, most):
    names = [name.strip() for name in text.split(",")]
    if not all(names) or most and len(names) > most:
        what = "the name of a column" if most else "names of columns"
        raise ValueError(f"must be {what}. Received: {text!r}")
    return _different(text, names)


def _frontends(text):
    frontends = [rewritten(frontend) for frontend in text.split(",")]
    # Each has a folder, on file systems that don't tell cases apart as well.
    _different(text, [folder_name(frontend).lower() for frontend in frontends])
    return tuple(frontends)


def _different(text, values):
    if len(set(values)) < len(values):
        raise ValueError(f"must be different ones. Received: {text}")
    return tuple(values)


def with_columns(task, columns):
    """The tasks that `--task` and `--label-column` name together.

    Args:
        task: Names of tasks, separated by commas.
        columns: Names of columns; None for none.

    Raises:
        UserError: There are columns, and no table without one.

    >>> with_columns("table:notes.csv", ("family", "pitch"))
    'table:notes.csv#family,table:notes.csv#pitch'
    """
    if not columns or not isinstance(task, str | None):
        return task
    names = (task or "").split(",")
    tables = [n for n in names if is_table(n) and not column_of(n)]
    if not tables:
        received = f"Received: --task {task}" if task else "There is no --task"
        raise UserError(
            f"--label-column names columns of a table, --task table:FILE. {received}"
        )
    return ",".join(
        f"{name}#{column}" if column else name
        for name in names
        for column in (columns if name in tables else (None,))
    )


def _absolute_task(name):
    prefix, colon, path = name.strip().partition(":")
    if prefix in ("folder", "shards") and path:
        return prefix + colon + absolute_path(path)
    if is_table(name.strip()):
        file, column = split_name(path)
        mark = f"#{column}" if column else ""
        return prefix + colon + absolute_path(str(file)) + mark
    return name.strip()
