"""Runs of one task, encoder and seed, in a process of their own.

    python -m benchmarks.suite.job REQUEST

REQUEST is JSON, see `plan.Job.command`. The clips are loaded once; then the frontends
are trained and tested one after the other, and each that is finished is written. It
ends when its standard input closes, with the process that started it. Its exit code is
`OTHER_DATA` where finished runs are of other clips.
"""

import gc
import hashlib
import json
import sys
import time
from pathlib import Path

from benchmarks.suite.conditions import BUDGETS, POINTS, SHIFTS, budget_name
from benchmarks.suite.plan import frontend_settings
from benchmarks.suite.runs import Run, require_same, run_path
from benchmarks.suite.tasks import task_named
from leaf_files import command_line, quiet
from leaf_files.arithmetic import ceil_div
from leaf_files.errors import UserError
from training.comparison.job import OTHER_DATA, end_with_parent
from training.run.data_record import OtherDataError

# `fit` looks after an epoch, which is at least so long, whether a LEAF's plan holds.
_STEPS_A_PLAN = 50


def main(argv):
    """Makes the runs of a request; returns the exit code."""
    request = json.loads(argv[0])
    quiet.import_keras()
    try:
        work(request, task_named(request["task"]))
    except OtherDataError as error:
        print(f"run: error: {command_line.one_line(error)}", file=sys.stderr)
        return OTHER_DATA
    return 0


def work(request, task):
    """Makes the runs of a request.

    Args:
        request: See `plan.Job.command`.
        task: Its `SuiteTask`.

    Raises:
        UserError: The clips can't be read, or a frontend refuses its settings.
        OtherDataError: Finished runs are of other clips.
    """
    from training.run.models import check_model

    data = Path(request["data"])

    def config(specification):
        settings = specification and frontend_settings(specification)
        return task.config(data, request["seed"], request["encoder"], settings)

    for frontend in request["frontends"]:
        check_model(config(frontend))
    clips = _Clips(config(None), request["settings"]["on"])
    _require_same_clips(request, clips.fingerprint)
    for frontend in request["frontends"]:
        run = _run(request, frontend, config(frontend), clips)
        place = (request["output"], task.name, request["encoder"], frontend)
        run.write(run_path(*place, request["seed"]))


class _Clips:
    """The clips of a task and seed, loaded once.

    Args:
        config: `FitConfig` of one of the runs.
        on: Split that is tested.
    """

    def __init__(self, config, on):
        from training.evaluation.clips import ClipEvaluator
        from training.input.pipeline import TrainingData
        from training.run.heads import make_heads
        from training.tasks.registry import get_tasks

        [task] = get_tasks(config)
        data = task.load(config.data_dir, config.seed)
        self.heads = make_heads(config.tasks, (data,))
        tested = data.splits[on]
        self.training = TrainingData([data.splits["train"]], self.heads, config)
        self.evaluators = {
            str(shift): ClipEvaluator(clips, self.heads[0], config)
            for shift, clips in [
                ("clean", tested),
                *((shift, shift.added_to(tested)) for shift in SHIFTS),
            ]
        }
        self.fingerprint = " ".join(
            _fingerprint(data.splits[split]) for split in ("train", on)
        )


def _fingerprint(clip_set):
    sounds = sorted((clip.sound, clip.label, clip.file) for clip in clip_set.clips)
    return hashlib.sha256(repr(sounds).encode()).hexdigest()[:12]


def _require_same_clips(request, fingerprint):
    folder = Path(request["output"]) / "runs" / request["task"]
    for path in sorted(folder.glob(f"*/*/seed{request['seed']}.json")):
        try:
            require_same(path, Run.read(path).clips, fingerprint, "what is in --data")
        except UserError as error:
            raise OtherDataError(str(error)) from error


def _run(request, frontend, config, clips):
    """Trains and tests one frontend; returns its `Run`."""
    import keras
    import numpy
    import tensorflow as tf

    import leaf_tf
    from benchmarks.speed import machine
    from training.run.models import build_classifier, compile_classifier

    keras.backend.clear_session()
    gc.collect()
    keras.utils.set_random_seed(config.seed)
    steps = request["settings"]["steps"]
    model = build_classifier(config, clips.heads)
    compile_classifier(model, clips.heads, config, steps)
    tests = _Tests(clips.evaluators)
    curve: dict[str, list[float]] = {"loss": [], "accuracy": []}

    points_a_plan = ceil_div(_STEPS_A_PLAN, steps // POINTS)

    class Replan(leaf_tf.Replan):
        """Makes new plans as often as `fit`, and for the last tests."""

        def on_epoch_end(self, epoch, logs=None):
            if (epoch + 1) % points_a_plan == 0 or epoch + 1 == POINTS:
                super().on_epoch_end(epoch, logs)

    def on_epoch_end(epoch, logs):
        for name, values in curve.items():
            values.append(float(logs[name]))
        percent = 100 * (epoch + 1) // POINTS
        if percent in BUDGETS:
            tests.test(model, "clean", budget_name(percent))

    started = time.monotonic()
    model.fit(
        clips.training.batches(),
        epochs=POINTS,
        steps_per_epoch=steps // POINTS,
        callbacks=[
            Replan(),
            keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end),
        ],
        shuffle=False,
        verbose=0,
    )
    trained = time.monotonic() - started - tests.seconds
    for shift in map(str, SHIFTS):
        tests.test(model, shift, shift)
    place = machine()
    versions = {
        "leaf_tf": leaf_tf.__version__,
        "tensorflow": tf.__version__,
        "numpy": numpy.__version__,
        **{name: place.pop(name) for name in ("keras", "python")},
    }
    groups, n, right = tests.counts()
    return Run(
        request["task"],
        request["encoder"],
        frontend,
        request["seed"],
        request["settings"],
        clips.fingerprint,
        {
            "frontend": model.get_layer("frontend").count_params(),
            "total": model.count_params(),
        },
        {"training": round(trained, 1), "testing": round(tests.seconds, 1)},
        versions,
        place,
        tuple(curve["loss"]),
        tuple(curve["accuracy"]),
        groups,
        n,
        right,
    )


class _Tests:
    """Tests of a model as it learns.

    Args:
        evaluators: {sound: `ClipEvaluator`}.
    """

    def __init__(self, evaluators):
        self._evaluators = evaluators
        self._predictions = {}
        self.seconds = 0.0

    def test(self, model, sound, condition):
        """Tests the model on a sound, as one condition."""
        started = time.monotonic()
        self._predictions[condition] = self._evaluators[sound].predict(model)
        self.seconds += time.monotonic() - started

    def counts(self):
        """(groups or None, clips of each, {condition: right clips of each})."""
        import numpy as np

        first = next(iter(self._predictions.values()))
        if first.groups is None:
            order = np.argsort(first.names)
            return (
                None,
                (1,) * len(order),
                {
                    name: tuple(map(int, (p.predicted == p.classes)[order]))
                    for name, p in self._predictions.items()
                },
            )
        groups, of_clips = np.unique(np.array([*first.groups]), return_inverse=True)

        def by_group(values):
            return tuple(map(int, np.bincount(of_clips, values, len(groups))))

        return (
            tuple(map(str, groups)),
            by_group(np.ones(len(of_clips))),
            {
                name: by_group(p.predicted == p.classes)
                for name, p in self._predictions.items()
            },
        )


if __name__ == "__main__":
    end_with_parent()
    sys.exit(command_line.run(main, sys.argv[1:], prog="run"))
