"""`python -m benchmarks`: see `--help`."""

import contextlib
import sys

from benchmarks import suite_data
from benchmarks.arguments import parser
from benchmarks.settings import settings_named
from leaf_files import command_line, quiet
from leaf_files.atomic import write_json
from leaf_files.command_line import counted
from leaf_files.errors import UserError
from leaf_files.figures import save_figure


def dispatch(argv):
    """Runs the command that `argv` names; returns its exit code."""
    arguments = parser().parse_args(argv)
    if arguments.command != "suite":  # its jobs import Keras, in processes of theirs
        # The greeting of TensorFlow, where Keras runs on it.
        with quiet.native_logs_hidden():
            import keras  # noqa: F401
    commands = {
        "frontends": _frontends,
        "accuracy": _accuracy,
        "input": _input,
        "load": _load,
        "plans": _plans,
        "runtimes": _runtimes,
        "start": _start,
        "suite": _suite,
        "tflite": _tflite,
        "training": _training,
    }
    commands[arguments.command](arguments)


def _frontends(arguments):
    from benchmarks import speed, tables

    if arguments.settings:
        settings = settings_named(arguments.settings)
        results = speed.measure_settings(arguments.seconds, settings)
    else:
        results = speed.measure(arguments.seconds, arguments.quick, arguments.shapes)
    print(tables.speed_table(results))
    _write(arguments, results, lambda: _figures().speed_figure(results))


def _accuracy(arguments):
    from benchmarks import accuracy, tables

    results = accuracy.measure(arguments.banks, arguments.clips)
    print(tables.accuracy_table(results))
    _write(arguments, results, lambda: _figures().accuracy_figure(results))


def _input(arguments):
    quiet.import_tensorflow()
    from benchmarks import input, tables

    results = input.measure(
        arguments.seconds, arguments.n_clips, arguments.clip_seconds, arguments.clips
    )
    print(tables.input_table(results))
    if arguments.json:
        write_json(arguments.json, results)


def _tflite(arguments):
    quiet.import_tensorflow()
    from benchmarks import few_filters, speed, tables

    rows = few_filters.measure(
        arguments.frontends,
        arguments.n_filters,
        arguments.sample_rate,
        arguments.seconds,
    )
    results = {"machine": speed.machine(), "rows": rows}
    print(tables.speed_table(results, f"x {arguments.frontends[0]}"))
    if arguments.json:
        write_json(arguments.json, results)


def _training(arguments):
    quiet.import_tensorflow()
    from benchmarks import tables, training

    results = training.measure(
        arguments.frontends,
        arguments.encoder,
        arguments.batch_size,
        arguments.sample_rate,
        arguments.seconds,
    )
    print(tables.speed_table(results, f"x {arguments.frontends[0]}"))
    if arguments.json:
        write_json(arguments.json, results)


def _plans(arguments):
    from benchmarks import plans, speed, tables

    results = {"machine": speed.machine(), "rows": plans.write()}
    print(tables.plans_table(results))
    if arguments.json:
        write_json(arguments.json, results)


def _start(arguments):
    quiet.import_tensorflow()
    from benchmarks import start, tables

    folder = arguments.clips and arguments.clips.absolute()
    results = start.measure(arguments.n_clips, arguments.clip_seconds, folder)
    print(tables.start_table(results))
    if arguments.json:
        write_json(arguments.json, results)


def _runtimes(arguments):
    tf = quiet.import_tensorflow()
    from benchmarks.runtimes import measuring, rows, text

    unknown = set(arguments.only or ()) - set(rows.NAMES)
    if unknown:
        raise UserError(
            f"there is no runtime {', '.join(sorted(unknown))}; known: "
            f"{', '.join(rows.NAMES)}"
        )
    with contextlib.suppress(RuntimeError):  # it computes already
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    results = measuring.measure(
        arguments.source, arguments.artifact, arguments.seconds, arguments.only
    )
    print(text.markdown(results))
    if arguments.json:
        write_json(arguments.json, results)


def _load(arguments):
    quiet.import_tensorflow()
    from benchmarks import load, tables

    results = load.measure(
        arguments.artifact,
        arguments.clients,
        arguments.seconds,
        arguments.stream_hours,
    )
    print(tables.load_table(results))
    if arguments.json:
        write_json(arguments.json, results)
    if not load.held(results):
        raise UserError(
            f"{arguments.artifact} did not hold: a request failed, or an answer is "
            f"more than {load.TOLERANCE:g} from the one without load"
        )


def _suite(arguments):
    if arguments.action == "prepare":
        if arguments.folder is None:
            raise UserError("suite prepare needs a folder: name one, suite prepare DIR")
        suite_data.prepare(
            arguments.folder,
            packages=arguments.packages,
            data_dir=arguments.data_dir,
        )
        return
    from benchmarks.suite import running

    if arguments.output is None:
        raise UserError("suite needs a folder for its results: name one, --output DIR")
    n_failed = 0
    if not arguments.report_only:
        n_failed = running.run(_plan(arguments), arguments.jobs)
    running.report(arguments.output, arguments.baseline)
    if n_failed:
        raise UserError(
            f"{counted(n_failed, 'job')} failed, see {arguments.output / 'logs'}; the "
            "report is on the others, and the same command tries them again"
        )


def _plan(arguments):
    """The runs that the command line asks for."""
    from benchmarks.suite import plan, tasks

    if arguments.data is None:
        raise UserError(
            "suite needs the folder of its tasks: name one, --data DIR; `python -m "
            "benchmarks suite prepare DIR` builds it"
        )
    quick = arguments.quick
    return plan.Plan.asked_for(
        data=arguments.data,
        output=arguments.output,
        tasks=arguments.tasks or [task.name for task in tasks.TASKS],
        frontends=arguments.frontends or ("mel", "leaf"),
        encoders=arguments.encoders or (("small",) if quick else plan.ENCODERS_OF_ALL),
        n_seeds=arguments.seeds or (2 if quick else 10),
        steps=arguments.steps or (200 if quick else tasks.STEPS),
        on=arguments.on,
    )


def _figures():
    from benchmarks import figures

    return figures


def _write(arguments, results, draw):
    if arguments.json:
        write_json(arguments.json, results)
    if arguments.figure:
        save_figure(draw(), arguments.figure)


def main():
    return command_line.run(dispatch, sys.argv[1:], prog="python -m benchmarks")


if __name__ == "__main__":
    sys.exit(main())
