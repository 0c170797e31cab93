"""`python -m training`, also installed as `leaf-train`."""

import functools
import json
import re
import sys

from leaf_files import command_line, quiet
from leaf_files.command_line import note
from leaf_files.errors import UserError, lost_clip

_UNREADABLE_CLIP = re.compile(r"^leaf_files\.errors\.UserError: (.*)$", re.MULTILINE)


def dispatch(argv):
    """Runs the command that `argv` names; returns its exit code.

    >>> dispatch(["tasks", "spoken_digit"])
    spoken_digit
      what      10 digits, 5 English speakers
      ...
    """
    from training.commands.arguments import make_parser

    arguments = make_parser().parse_args(argv)
    commands = {
        "fit": _fit,
        "evaluate": _evaluate,
        "thresholds": _thresholds,
        "judge": _judge,
        "compare": _compare,
        "adapt": _adapt,
        "quantize": _quantize,
        "prepare": _prepare,
        "mix": _mix,
        "plot": _plot,
        "tasks": _tasks,
        "inspect": _inspect,
    }
    try:
        return commands[arguments.command](arguments)
    except Exception as error:
        _name_unreadable_clip(error)
        raise


def _name_unreadable_clip(error):
    """Raises a `UserError` that names a clip that can't be read any more.

    It was whole when it was checked. TensorFlow, whose threads read the clips, passes
    on the text of the exception.
    """
    if not type(error).__module__.startswith("tensorflow."):
        return
    match = _UNREADABLE_CLIP.search(str(error))
    if match:
        cause = match[1]
    # tensorflow-io's operators don't know whose content they decode.
    elif "IO>AudioDecode" in str(error):
        cause = "cannot read an audio file (starting again names it)"
    else:
        return
    raise lost_clip(cause) from error


def _fit(arguments):
    from training.commands.arguments import fit_config, host_settings
    from training.fit.random_split import require_other_split
    from training.run.folder import RunFolder
    from training.run.parent import require_parent
    from training.tasks.registry import get_tasks

    # Mistakes that can be found without importing TensorFlow.
    config = fit_config(arguments)
    hosts = host_settings(arguments)
    get_tasks(config)
    run = RunFolder(arguments.output)
    compare_splits = arguments.compare_splits
    if compare_splits:
        require_other_split(config, get_tasks(config))
    if arguments.resume and not hosts and run.is_finished(compare_splits):
        run.require_config(config)
        print(f"the run in {run.path} is finished")
        return
    if not hosts or hosts.index == 0:
        run.require_writable(may_be_finished=arguments.resume and compare_splits)
    if config.from_run and not (arguments.resume and run.config.exists()):
        require_parent(config)
    # TensorFlow's strategies train on one host only.
    quiet.import_keras("jax" if hosts else "tensorflow")
    from training.fit import devices
    from training.fit.fitting import fit

    place: devices.OneDevice
    if hosts:
        place = devices.Hosts(hosts, config)
    elif arguments.distribute == "mirrored":
        place = devices.Mirrored(config.batch_size)
    else:
        place = devices.OneDevice()
    fit(config, arguments.output, arguments.resume, place, None, compare_splits)


def _evaluate(arguments):
    from training.commands.arguments import with_columns
    from training.evaluation.noise import Noise
    from training.run.folder import RunFolder

    task = with_columns(arguments.task, arguments.label_column)
    if arguments.overlap is not None and not arguments.events:
        raise UserError("--overlap is of --events: clips are heard window by window")
    if arguments.events and (arguments.noise_snr is not None or arguments.unknown):
        raise UserError(
            "--events are found in recordings as they are: leave out --noise-snr and "
            "--unknown"
        )
    RunFolder(arguments.run).require_finished()
    quiet.import_keras()
    if arguments.events:
        _evaluate_events(arguments, task)
        return
    from training.evaluation.evaluating import as_metrics, evaluate

    noise = None
    if arguments.noise_snr is not None:
        noise = Noise(arguments.noise_snr, arguments.noise_color)
    evaluations = evaluate(
        arguments.run,
        task,
        arguments.data_dir,
        noise,
        arguments.skip_bad_clips,
        index=getattr(arguments, "index", None),
        unknown=arguments.unknown,
    )
    if arguments.json:
        print(json.dumps(as_metrics(evaluations), indent=2))
        return
    for evaluation in evaluations:
        _print_evaluation(evaluation)


def _thresholds(arguments):
    from training.commands.arguments import (
        event_settings,
        threshold_target,
        with_columns,
    )
    from training.run.folder import RunFolder

    target = threshold_target(arguments)
    task = with_columns(arguments.task, arguments.label_column)
    RunFolder(arguments.run).require_finished()
    quiet.import_keras()
    from training.evaluation.thresholds.command import choose_thresholds
    from training.evaluation.thresholds.words import in_words

    found = choose_thresholds(
        *(arguments.run, target, task, arguments.data_dir),
        skip_bad_clips=arguments.skip_bad_clips,
        index=getattr(arguments, "index", None),
        writes=not arguments.dry_run,
        negatives=arguments.negatives,
        settings=event_settings(arguments),
    )
    for each in found:
        print(*in_words(each), sep="\n")
    if not arguments.dry_run:
        decisions = RunFolder(arguments.run).decisions
        note(f"written to {decisions}; `{command_line.program('export')}` carries them")


def _evaluate_events(arguments, task):
    from training.commands.arguments import event_settings
    from training.evaluation.events import finding, judging, words
    from training.evaluation.opening import OpenRun

    opened = OpenRun.open(
        arguments.run,
        arguments.data_dir,
        arguments.skip_bad_clips,
        getattr(arguments, "index", None),
    )
    settings = event_settings(arguments)
    found = finding.find_events(opened, task, settings, command_line.note)
    scores = {name: judging.judge(recordings) for name, recordings in found.items()}
    if arguments.json:
        print(json.dumps({"events": scores}, indent=2, allow_nan=False))
        return
    for name, of_task in scores.items():
        print(f"{name}:")
        print(*words.in_words(of_task), sep="\n")


def _judge(arguments):
    from leaf_files.atomic import write_csv
    from training.evaluation.events import judging, tables, words

    recordings = tables.read_reference(
        arguments.reference,
        next(iter(arguments.label_column or ()), None),
        arguments.recordings,
        arguments.background,
    )
    tables.read_detections(arguments.detections, recordings, arguments.background)
    judged = list(recordings.values())
    scores = judging.judge(
        judged, arguments.collar, arguments.end_share, arguments.segment, arguments.at
    )
    if arguments.curve is not None:
        write_csv(arguments.curve, judging.tradeoff_rows(judged, arguments.collar))
    if arguments.json:
        print(json.dumps(scores, indent=2, allow_nan=False))
        return
    print(*words.in_words(scores), sep="\n")


def _compare(arguments):
    from training.commands.arguments import comparison
    from training.comparison.comparing import compare
    from training.tasks.own.task import OwnTask
    from training.tasks.registry import get_tasks

    planned = comparison(arguments)
    tasks = get_tasks(planned.settings)
    planned.require_ready()
    if planned.frontend_configs:
        _check_models(planned.frontend_configs)
    for task in tasks:
        if isinstance(task, OwnTask):  # the runs name them in their logs only
            task.tell_passed_over()
            if task.tells_of_clips:
                task.tell_groups_in_names()
    compare(planned)


def _check_models(configs):
    """Refuses settings that a frontend doesn't take before the first run starts."""
    quiet.import_keras()
    from training.run.models import check_model

    for config in configs:
        check_model(config)


def _adapt(arguments):
    from training.commands.arguments import given_settings
    from training.run.folder import RunFolder
    from training.tasks.registry import get_task

    settings = given_settings(arguments)
    task = settings.pop("task")
    get_task(task)
    RunFolder(arguments.run).require_finished()
    RunFolder(arguments.output).require_writable()
    quiet.import_keras()
    from training.fit.adapting import adapt

    adapt(arguments.run, task, arguments.output, **settings)


def _quantize(arguments):
    from training.commands.arguments import given_settings
    from training.run.folder import RunFolder

    RunFolder(arguments.run).require_finished()
    RunFolder(arguments.output).require_writable()
    quiet.import_keras()
    from training.fit.quantizing import quantize

    settings = given_settings(arguments)
    bits = arguments.weight_bits
    quantize(arguments.run, arguments.output, weight_bits=bits, **settings)


def _prepare(arguments):
    from training.commands.arguments import given_settings
    from training.settings.config import FitConfig, absolute_path
    from training.tasks.own.task import OwnTask
    from training.tasks.registry import get_tasks
    from training.tasks.shards import ShardsTask

    settings = given_settings(arguments)
    try:
        config = FitConfig(cache="none", **settings)
    except ValueError as error:
        raise UserError(f"cannot use the settings: {error}") from error
    task, *others = get_tasks(config)
    if others:
        raise UserError(f"one task is prepared at a time. Received: {config.task}")
    if isinstance(task, ShardsTask):
        raise UserError(f"{task.name} is shards already")
    output = absolute_path(arguments.output)
    if not isinstance(task, OwnTask):
        quiet.import_tensorflow()
        task.load(output, config.seed)
        print(f"{task.name} is ready in {output}: name it by --data-dir {output}")
        return
    from training.tasks.shards import require_output

    require_output(output)
    quiet.import_tensorflow()
    from training.tasks.preparing import prepare

    prepare(task, config.seed, output, functools.partial(print, flush=True))
    print(f"learn from them by --task shards:{output}")


def _mix(arguments):
    from training.commands.arguments import mixture_settings
    from training.settings.config import absolute_path
    from training.tasks.registry import get_tasks

    config, settings = mixture_settings(arguments)
    task, *others = get_tasks(config)
    if others:
        raise UserError(f"one task is mixed at a time. Received: {config.task}")
    quiet.import_keras()
    from training.mixtures.mixing import TABLE, mix

    output = absolute_path(arguments.output)
    mix(task, settings, output, functools.partial(print, flush=True), config.seed)
    print(f"use them by --task table:{output}/{TABLE}")


def _print_evaluation(evaluation):
    from training.decisions.calibration import calibration_in_words
    from training.decisions.unknown import unknown_in_words
    from training.evaluation.scores import scores_in_words

    entry, labels = evaluation.scores, evaluation.head.labels
    n_clips = entry["n_examples"]
    print(f"{evaluation.task}: on {n_clips} clips {scores_in_words(entry)}")
    print(f"  {calibration_in_words(entry['calibration'])}")
    for folder, of_folder in entry.get("unknown", {}).items():
        print(f"  {unknown_in_words(folder, of_folder)}")
    width = max(map(len, labels))
    for label, of_class in entry["per_class"].items():
        n = of_class["n_examples"]
        if n and of_class["recall"] is not None:
            print(
                f"  {label:<{width}}  {round(of_class['recall'] * n)} of {n} right, "
                + ", ".join(
                    f"{name.replace('_', ' ')} {_score(of_class[name])}"
                    for name in ("precision", "f1", "average_precision")
                )
            )


def _score(value):
    return "undefined" if value is None else f"{value:.4f}"


def _plot(arguments):
    from leaf_files.atomic import writable_folder
    from training.run.folder import RunFolder

    run = RunFolder(arguments.run)
    run.require_finished()
    writable_folder(arguments.output or run.figures)
    quiet.import_keras()
    from training.evaluation.plotting import plot

    print(plot(arguments.run, arguments.output))


def _tasks(arguments):
    from training.commands import listing
    from training.tasks.registry import get_task, known_tasks

    tasks = [get_task(arguments.task)] if arguments.task else known_tasks()
    if any(task not in known_tasks() for task in tasks):
        raise UserError(
            f"{arguments.task} is data of yours; `tasks` describes the tasks that have "
            "a name"
        )
    if arguments.json:
        records = [listing.record(task, arguments.data_dir) for task in tasks]
        print(json.dumps(records, indent=2))
    elif arguments.task:
        print(listing.description(tasks[0], arguments.data_dir))
    else:
        print(listing.table(tasks, arguments.data_dir))


def _inspect(arguments):
    from training.commands.arguments import inspected_config
    from training.inspection.inspecting import inspect
    from training.inspection.text import description
    from training.tasks.own.task import OwnTask
    from training.tasks.registry import get_tasks

    config = inspected_config(arguments)
    if not all(isinstance(task, OwnTask) for task in get_tasks(config)):
        quiet.import_tensorflow()
    found = inspect(config, arguments.output, arguments.write)
    if arguments.json:
        findings = [each.findings for each in found]
        print(json.dumps(findings if len(found) > 1 else findings[0], indent=2))
        return
    print("\n\n".join(description(each.findings) for each in found))
    for what, path in (("figures", arguments.output), ("table", arguments.write)):
        if path is not None:
            print(f"\n{what}: {path}")


def main():
    """Runs `python -m training` on the process's arguments; returns its exit code."""
    return command_line.run(
        dispatch, sys.argv[1:], prog=command_line.program("training")
    )


if __name__ == "__main__":
    sys.exit(main())
