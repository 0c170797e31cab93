"""One training run, from a config to a finished run folder."""

import contextlib
import sys
import time

import keras
import tensorflow as tf

import leaf_tf
from files.atomic import replacing, write_json
from files.errors import UserError
from training import figures
from training.callbacks import ValidateAndSave
from training.evaluation import ClipEvaluator, averaged
from training.folder import FolderTask
from training.frontend_metrics import frontend_metrics
from training.heads import make_heads
from training.models import (
    build_classifier,
    check_model,
    compile_classifier,
    without_optimizer,
)
from training.pipeline import TrainingData
from training.run_folder import RunFolder
from training.tasks import get_tasks


def fit(config, output):
    """Trains a classifier and writes a run folder.

    The data is loaded and checked before anything is written.

    Args:
        config: A `FitConfig`.
        output: The run folder; new, empty, or of an unfinished run, whose files
            are replaced.

    Returns:
        The metrics, as in `metrics.json`.

    Raises:
        UserError: The task or its data can't be used, the folder can't be
            written, the frontend refuses the settings, a batch doesn't fit into
            memory, or training diverged.
    """
    run = RunFolder(output)
    run.require_writable()
    tasks = get_tasks(config)
    for task in tasks:
        require_outside(task, run.path)
    check_model(config)
    task_data = [_load(task, config) for task in tasks]
    heads = make_heads(config.tasks, task_data)
    check_heads(heads, config)
    splits = {
        split: [data.splits[split] for data in task_data]
        for split in ("train", "validation", "test")
    }
    sizes = {s: sum(clips.n_examples for clips in sets) for s, sets in splits.items()}

    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    model = build_classifier(config, heads)
    initial = model.get_layer("frontend").get_weights()
    steps_per_epoch = config.steps_per_epoch or -(-sizes["train"] // config.batch_size)
    compile_classifier(model, heads, config, config.epochs * steps_per_epoch)
    training_data = TrainingData(splits["train"], heads, config)

    run.clear()
    write_json(run.config, config.to_dict())
    run.write_heads(heads)
    run.write_evaluation_clips(splits["test"], heads, config.sample_rate)
    run.write_calibration_clips(splits["train"], config.sample_rate, config.seed)

    started = time.monotonic()
    saver = ValidateAndSave(
        _evaluators(splits["validation"], heads, config), run, config.learning_rate
    )
    replan = leaf_tf.Replan()
    with memory_named(config), _bar_ended():
        model.fit(
            training_data.batches(),
            epochs=config.epochs,
            steps_per_epoch=steps_per_epoch,
            callbacks=[
                saver,
                replan,
                keras.callbacks.TensorBoard(run.logs, write_graph=False),
            ],
            shuffle=False,
            verbose=1 if sys.stdout.isatty() else 2,
        )
    training_seconds = time.monotonic() - started

    model.load_weights(run.best)
    leaf_tf.replan(model)
    bare = without_optimizer(model, heads, config)
    with replacing(run.model) as temporary:
        bare.save(temporary)
    _say(f"testing the best epoch, {saver.best_epoch}, on {sizes['test']} clips")
    tests = [
        evaluator.predict(bare)
        for evaluator in _evaluators(splits["test"], heads, config)
    ]
    frontend = bare.get_layer("frontend")
    metrics = {
        "tasks": {head.task: test.metrics for head, test in zip(heads, tests)},
        "parameters": {
            "frontend": frontend.count_params(),
            "total": bare.count_params(),
        },
        "clips": sizes,
        **frontend_metrics(frontend, splits["test"], config, replan),
        "best_epoch": saver.best_epoch,
        "training_seconds": round(training_seconds, 1),
    }
    if len(heads) > 1:
        metrics["average"] = averaged([test.metrics for test in tests])
    # Says that the run is finished. Pictures come after: whatever happens to
    # them, the model and its numbers are safe.
    write_json(run.metrics, metrics)
    _say(
        "\n".join(_results(heads, tests))
        + f", after {training_seconds:.0f} s of training"
    )
    figures.draw_run(run, config, heads, splits, bare, initial, saver.history, tests)
    _say(f"the run lies in {run.path}")
    return metrics


def _load(task, config):
    _say(f"reading the clips of {task.name}")
    data = task.load(config.data_dir, config.seed)
    _say(
        f"{len(data.labels)} classes; "
        + ", ".join(f"{c.n_examples} {split}" for split, c in data.splits.items())
        + " clips"
    )
    return data


def check_heads(heads, config):
    """Checks that labels can be written down, and settings fit the tasks.

    Raises:
        UserError: They can't, or don't.
    """
    for head in heads:
        for label in head.labels:
            if len(label.splitlines()) != 1:  # `labels.txt` has one a line
                raise UserError(
                    f"the name of class {label!r} has a line break; rename its folder"
                )
            if head.multi_label and "|" in label:  # which joins labels in clips.csv
                raise UserError(f"the name of class {label!r} has a '|'; rename it")
        if head.multi_label and config.class_weights != "none":
            raise UserError(
                f"clips of {head.task} have several labels, which --class-weights "
                "can't weigh; use --balanced"
            )


def _evaluators(clip_sets, heads, config):
    return [ClipEvaluator(clips, head, config) for clips, head in zip(clip_sets, heads)]


def _results(heads, tests):
    """A line a task of what it is judged by."""
    for head, test in zip(heads, tests):
        name, value = test.judged_by, test.metrics[test.judged_by]
        task = f"{head.task}: " if len(heads) > 1 else ""
        value = "undefined" if value is None else f"{value:.4f}"
        yield f"{task}test {name} {value}, loss {test.loss:.4f}"


def require_outside(task, path):
    """A run inside the task's folder would be one of its classes next time."""
    if isinstance(task, FolderTask) and path.resolve().is_relative_to(
        task.path.resolve()
    ):
        raise UserError(
            f"{path} lies in the folder of the clips, where it would be taken for a "
            "class; name an --output outside of it"
        )


@contextlib.contextmanager
def memory_named(config):
    """Names the settings that lower what is out of memory, as a `UserError`."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(
            f"not enough memory for {config.batch_size} windows of "
            f"{config.window_seconds:g} s at once; lower --batch-size or "
            "--window-seconds"
        ) from error


@contextlib.contextmanager
def _bar_ended():
    """Leaves the line of a progress bar that is cut short."""
    try:
        yield
    except BaseException:
        if sys.stdout.isatty():
            print()
        raise


def _say(line):
    print(line, flush=True)
