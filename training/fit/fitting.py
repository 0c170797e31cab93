"""One training run, from a config to a finished run folder."""

import contextlib
import dataclasses
import hashlib
import sys
from collections.abc import Callable

import keras
import tensorflow as tf

import leaf_tf
from leaf_files.atomic import replacing, write_json
from leaf_files.errors import UserError
from leaf_files.labels import label_faults
from leaf_files.run_folder import LABEL_SEPARATOR, Head
from training.evaluation import figures
from training.evaluation.clips import ClipEvaluator, averaged
from training.evaluation.frontend_metrics import frontend_metrics
from training.fit.callbacks import ValidateAndSave, is_over, write_history
from training.fit.checkpoints import Checkpoints
from training.fit.devices import OneDevice
from training.fit.progress import Progress
from training.input.pipeline import TrainingData
from training.run.data_checks import require_same_data, require_unchanged
from training.run.data_record import DataRecord, TaskRecord, in_order
from training.run.folder import RunFolder
from training.run.heads import make_heads
from training.run.models import (
    build_classifier,
    check_model,
    compile_classifier,
    require_outputs,
    without_optimizer,
)
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS, ClipSet
from training.tasks.own_clips import OwnTask
from training.tasks.registry import get_tasks


@dataclasses.dataclass(frozen=True)
class _Job:
    """The fixed parts of a run: all that stays the same while it learns."""

    config: FitConfig
    run: RunFolder
    heads: tuple[Head, ...]
    splits: dict[str, list[ClipSet]]  # {split: clips of each head}
    data: DataRecord
    devices: OneDevice
    say: Callable[[str], None]

    def n_clips(self, split):
        """Number of clips of a split, over all tasks."""
        return sum(clips.n_examples for clips in self.splits[split])

    @property
    def steps_per_epoch(self):
        """Optimizer steps in an epoch."""
        return self.config.steps_in_epoch(self.n_clips("train"))

    def evaluators(self, split):
        """One `ClipEvaluator` a head."""
        return [
            ClipEvaluator(clips, head, self.config)
            for clips, head in zip(self.splits[split], self.heads)
        ]


def fit(config, output, resume=False, devices=None, like=None):
    """Trains a classifier and writes a run folder.

    The data is loaded and checked before anything is written.

    Args:
        config: `FitConfig` of the run.
        output: Run folder; new, empty, or of an unfinished run, whose files are
            replaced.
        resume: Whether to go on with an unfinished run of the same config, if there
            is one, from its last checkpoint. A finished one is left as it is.
        devices: Devices to compute on, see `training.fit.devices`; `OneDevice()` by
            default.
        like: Run folder whose data this run's must be, whatever the seed; or None.

    Returns:
        The metrics, as in `metrics.json`; None on other hosts than the first.

    Raises:
        UserError: The task or its data can't be used, the folder can't be
            written, the frontend refuses the settings, a batch doesn't fit into
            memory, training diverged, or the run to resume has another config.
        OtherDataError: The data has changed since the run to resume was started, or
            isn't that of `like`.
    """
    devices = devices or OneDevice()
    with devices.together():
        return _fit(config, RunFolder(output), resume, devices, like)


def _fit(config, run, resume, devices, like):
    say = _say if devices.is_first else _say_nothing
    if resume and devices.first_says(run.metrics.exists()):
        say(f"the run in {run.path} is finished")
        return run.read_metrics() if devices.is_first else None
    if devices.is_first:
        run.require_writable()
        if resume:
            run.require_config(config)
    heads, splits, data = _open(config, run, say)
    if like is not None:
        require_same_data(data, RunFolder(like))
    job = _Job(config, run, heads, splits, data, devices, say)
    n_clips = {split: job.n_clips(split) for split in SPLITS}
    devices.require_alike("number of clips", n_clips)
    labels = [list(head.labels) for head in heads]
    devices.require_alike("list of classes", labels)
    marks = {split: in_order(splits[split]) for split in SPLITS}
    devices.require_alike("fingerprint of its clips in the order of their names", marks)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.seed)
    resume = resume and Checkpoints(run).exist
    if resume:
        require_unchanged(heads, data, run, say)
    with devices.making():
        model, initial, progress = _begin(job, resume)
    with devices.training():
        _train(job, model, progress)
    devices.leave()
    if not devices.is_first:
        return None
    return _finish(job, initial, progress)


def _open(config, run, say):
    """The heads, {split: clips of each head}, and the `DataRecord`."""
    tasks = get_tasks(config)
    for task in tasks:
        require_outside(task, run.path)
    check_model(config)
    task_data = [_load(task, config, say) for task in tasks]
    heads = make_heads(config.tasks, task_data)
    check_heads(heads, config)
    records = [
        TaskRecord.of(head, data.splits, data.fingerprint)
        for head, data in zip(heads, task_data)
    ]
    splits = {s: [data.splits[s] for data in task_data] for s in SPLITS}
    return heads, splits, DataRecord(tuple(records))


def _begin(job, resume):
    """The compiled model, its frontend's initial weights, and the `Progress`.

    The folder of a run that starts is cleared, and its first files are written.
    """
    config, run, devices = job.config, job.run, job.devices
    model = build_classifier(config, job.heads)
    initial = model.get_layer("frontend").get_weights()
    restored = Checkpoints(run).restore(job.say) if resume else None
    model, progress = restored or (model, Progress())
    devices.require_alike("checkpoint in its --output, step", progress.step)
    if restored:
        require_outputs(model, job.heads, run.last.parent)
        if devices.is_first:
            run.remove_halves()
            write_json(run.config, config.to_dict())  # the clips may have moved
            run.write_heads(job.heads)  # whoever edited them meanwhile
        epoch, within = divmod(progress.step, job.steps_per_epoch)
        job.say(
            f"going on after step {progress.step}: {epoch} epochs of {config.epochs}"
            + (f" and {within} steps of {job.steps_per_epoch}" if within else "")
        )
    else:
        steps = config.epochs * job.steps_per_epoch
        weighted = any(clips.weighted for clips in job.splits["train"])
        compile_classifier(model, job.heads, config, steps, weighted)
    devices.ready(model)
    if devices.is_first and not restored:
        run.clear()
        write_json(run.config, config.to_dict())
        run.write_heads(job.heads)
        rate = config.sample_rate
        run.write_evaluation_clips(job.splits["test"], job.heads, rate)
        run.write_calibration_clips(job.splits["train"], rate, config.seed)
        job.data.write(run)
    return model, initial, progress


def _train(job, model, progress):
    """Continues training until the run is over."""
    config = job.config
    data = TrainingData(job.splits["train"], job.heads, config)
    with (
        memory_named(config),
        _bar_ended(),
        job.devices.own_folder(job.run.path) as folder,
    ):
        callbacks = _callbacks(job, RunFolder(folder), progress)
        within = progress.step % job.steps_per_epoch
        if within:  # an epoch that was cut off ends first
            epochs, steps = len(progress.history) + 1, job.steps_per_epoch - within
            _go_on(job, model, data, progress, callbacks, epochs, steps)
        if len(progress.history) < config.epochs and not is_over(progress, config):
            epochs, steps = config.epochs, job.steps_per_epoch
            _go_on(job, model, data, progress, callbacks, epochs, steps)
    if is_over(progress, config) and len(progress.history) < config.epochs:
        job.say(f"no better epoch than {progress.best_epoch} in {config.patience} more")
    weights = hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights()))
    job.devices.require_alike("model after training", weights.hexdigest())


def _callbacks(job, run, progress):
    replan = leaf_tf.Replan()
    saver = ValidateAndSave(
        job.evaluators("validation"),
        run,
        job.config,
        job.steps_per_epoch,
        progress,
        replan,
        job.devices,
    )
    return [replan, saver, keras.callbacks.TensorBoard(run.logs, write_graph=False)]


def _go_on(job, model, data, progress, callbacks, epochs, steps):
    """Trains up to the epoch of number `epochs`, with `steps` steps in each."""
    devices = job.devices
    model.fit(
        data.batches(progress.step, devices.part, devices.n_parts),
        initial_epoch=len(progress.history),
        epochs=epochs,
        steps_per_epoch=steps,
        callbacks=callbacks,
        shuffle=False,
        verbose=_verbosity(devices),
    )


def _finish(job, initial, progress):
    """Tests the best epoch, writes the files of a finished run, returns the metrics."""
    config, run, heads = job.config, job.run, job.heads
    bare = without_optimizer(run.best, heads, config)
    with replacing(run.model) as temporary:
        bare.save(temporary)
    if run.data.exists():  # not of a run that an older version began
        dataclasses.replace(job.data, files=run.file_marks()).write_summary(run)
    n_clips = {split: job.n_clips(split) for split in SPLITS}
    job.say(
        f"testing the best epoch, {progress.best_epoch}, on {n_clips['test']} clips"
    )
    tests = [evaluator.predict(bare) for evaluator in job.evaluators("test")]
    frontend = bare.get_layer("frontend")
    metrics = {
        "tasks": {
            head.task: metrics_of(test, {s: job.splits[s][n] for s in SPLITS})
            for n, (head, test) in enumerate(zip(heads, tests))
        },
        "parameters": {
            "frontend": frontend.count_params(),
            "total": bare.count_params(),
        },
        "clips": n_clips,
        **frontend_metrics(frontend, job.splits["test"], config, progress.n_replans),
        "best_epoch": progress.best_epoch,
        "training_seconds": round(progress.seconds, 1),
    }
    if len(heads) > 1:
        metrics["average"] = averaged([test.metrics for test in tests])
    write_history(progress.history, run.history)
    # Says that the run is finished. Pictures come after: whatever happens to
    # them, the model and its numbers are safe.
    write_json(run.metrics, metrics)
    results = "\n".join(_results(heads, tests))
    job.say(f"{results}, after {progress.seconds:.0f} s of training")
    figures.draw_run(
        run, config, heads, job.splits, bare, initial, progress.history, tests
    )
    job.say(f"the run lies in {run.path}")
    return metrics


def _load(task, config, say):
    say(f"reading the clips of {task.name}")
    data = task.load(config.data_dir, config.seed)
    say(in_words(len(data.labels), data.splits))
    return data


def in_words(n_classes, splits):
    """Sizes of splits: "5 classes; 29 train, 3 validation, 3 test clips; 8, 2, 2
    groups".

    Args:
        n_classes: Number of classes.
        splits: {split: `ClipSet`}.
    """
    sizes = ", ".join(f"{c.n_examples} {split}" for split, c in splits.items())
    words = f"{n_classes} classes; {sizes} clips"
    if any(clips.n_groups is None for clips in splits.values()):
        return words
    n_groups = ", ".join(str(clips.n_groups) for clips in splits.values())
    return f"{words}; {n_groups} groups"


def metrics_of(predictions, splits):
    """One task's entry in `metrics.json`.

    Args:
        predictions: Those of the test clips, see `training.evaluation.clips`.
        splits: {split: `ClipSet`}.
    """
    if any(clips.n_groups is None for clips in splits.values()):
        return predictions.metrics
    n_groups = {split: clips.n_groups for split, clips in splits.items()}
    return {**predictions.metrics, "n_groups": n_groups}


def check_heads(heads, config):
    """Checks that labels can be written down, and settings fit the tasks.

    Raises:
        UserError: They can't, or don't.
    """
    for head in heads:
        faults = label_faults(head.labels)
        if faults:
            raise UserError(
                f"names of classes of {head.task} can't be labels: {', '.join(faults)}"
            )
        for label in head.labels:
            if head.multi_label and LABEL_SEPARATOR in label:
                raise UserError(
                    f"the name of class {label!r} has a {LABEL_SEPARATOR!r}; rename it"
                )
        if head.multi_label and config.class_weights != "none":
            raise UserError(
                f"clips of {head.task} have several labels, which --class-weights "
                "can't weigh; use --balanced"
            )


def _results(heads, tests):
    """Yields one line a task, with its main metric."""
    for head, test in zip(heads, tests):
        name, value = test.judged_by, test.metrics[test.judged_by]
        task = f"{head.task}: " if len(heads) > 1 else ""
        value = "undefined" if value is None else f"{value:.4f}"
        yield f"{task}test {name} {value}, loss {test.loss:.4f}"


def require_outside(task, path):
    """Refuses a run inside the task's folder, where it would be a class next time."""
    if isinstance(task, OwnTask):
        task.require_outside(path)


@contextlib.contextmanager
def memory_named(config):
    """Turns running out of memory into a `UserError` that names what to lower."""
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
    """Ends the line of a progress bar that is cut short."""
    try:
        yield
    except BaseException:
        if sys.stdout.isatty():
            print()
        raise


def _say(line):
    print(line, flush=True)


def _say_nothing(line):
    pass


def _verbosity(devices):
    if not devices.is_first:
        return 0
    return 1 if sys.stdout.isatty() else 2
