"""One training run, from a config to a finished run folder."""

import contextlib
import sys
import time

import keras
import tensorflow as tf

import leaf_tf
from files.atomic import replacing, write_json, write_text
from files.errors import UserError
from training import figures
from training.callbacks import ValidateAndSave
from training.evaluation import ClipEvaluator
from training.folder import FolderTask
from training.frontend_metrics import frontend_metrics
from training.models import (
    build_classifier,
    check_model,
    compile_classifier,
    without_optimizer,
)
from training.pipeline import training_batches
from training.run_folder import RunFolder
from training.tasks import get_task


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
    task = get_task(config.task)
    _require_outside(task, run.path)
    check_model(config)
    _say(f"reading the clips of {config.task}")
    data = task.load(config.data_dir, config.seed)
    _require_lines(data.labels)
    sizes = {split: clips.n_examples for split, clips in data.splits.items()}
    _say(
        f"{len(data.labels)} classes; "
        + ", ".join(f"{n} {split}" for split, n in sizes.items())
        + " clips"
    )

    keras.utils.set_random_seed(config.seed)
    model = build_classifier(config, len(data.labels))
    initial = model.get_layer("frontend").get_weights()
    steps_per_epoch = config.steps_per_epoch or -(-sizes["train"] // config.batch_size)
    compile_classifier(model, config, config.epochs * steps_per_epoch)

    run.clear()
    write_json(run.config, config.to_dict())
    write_text(run.labels, "".join(f"{label}\n" for label in data.labels))
    run.write_evaluation_clips(data.splits["test"], data.labels, config.sample_rate)
    run.write_calibration_clips(data.splits["train"], config.sample_rate, config.seed)

    started = time.monotonic()
    saver = ValidateAndSave(
        ClipEvaluator(data.splits["validation"], config), run, config.learning_rate
    )
    replan = leaf_tf.Replan()
    with _memory_named(config), _bar_ended():
        model.fit(
            training_batches(
                data.splits["train"],
                config.sample_rate,
                config.window_samples,
                config.batch_size,
                config.seed,
            ),
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
    with replacing(run.model) as temporary:
        without_optimizer(model).save(temporary)
    _say(f"testing the best epoch, {saver.best_epoch}, on {sizes['test']} clips")
    test = ClipEvaluator(data.splits["test"], config).predict(model)
    metrics = {
        "tasks": {config.task: test.metrics},
        "parameters": {
            "frontend": model.get_layer("frontend").count_params(),
            "total": model.count_params(),
        },
        "clips": sizes,
        **frontend_metrics(model.get_layer("frontend"), data, config, replan),
        "best_epoch": saver.best_epoch,
        "training_seconds": round(training_seconds, 1),
    }
    # Says that the run is finished. Pictures come after: whatever happens to
    # them, the model and its numbers are safe.
    write_json(run.metrics, metrics)
    _say(
        f"test accuracy {test.accuracy:.4f}, loss {test.loss:.4f}, after "
        f"{training_seconds:.0f} s of training"
    )
    figures.draw_run(run, config, data, model, initial, saver.history, test)
    _say(f"the run lies in {run.path}")
    return metrics


def _require_outside(task, path):
    """A run inside the task's folder would be one of its classes next time."""
    if isinstance(task, FolderTask) and path.resolve().is_relative_to(
        task.path.resolve()
    ):
        raise UserError(
            f"{path} lies in the folder of the clips, where it would be taken for a "
            "class; name an --output outside of it"
        )


def _require_lines(labels):
    """`labels.txt` has one label a line."""
    for label in labels:
        if len(label.splitlines()) != 1:
            raise UserError(
                f"the name of class {label!r} has a line break; rename its folder"
            )


@contextlib.contextmanager
def _memory_named(config):
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
