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
from leaf_files.command_line import counted
from leaf_files.run_folder import Head
from training.decisions.calibrating import add_calibration, calibrated
from training.decisions.figures import draw_reliability
from training.evaluation import figures, notes
from training.evaluation.clips import ClipEvaluator, averaged, quiet_tracing
from training.evaluation.frontend_metrics import frontend_metrics
from training.evaluation.notes import TestedTask
from training.evaluation.report import splits_in_words, write_report
from training.evaluation.scores import scored, scores_in_words
from training.fit import finishing
from training.fit.callbacks import ValidateAndSave, is_over, write_history
from training.fit.checkpoints import Checkpoints
from training.fit.checks import (
    check_heads,
    in_words,
    memory_named,
    require_outside,
    require_outside_sounds,
)
from training.fit.devices import OneDevice
from training.fit.progress import Progress
from training.fit.random_split import (
    add_random_split,
    random_config,
    require_groups,
    require_other_split,
)
from training.input.pipeline import TrainingData
from training.input.sounds import AugmentationSounds
from training.run.data_checks import (
    require_same_data,
    require_unchanged,
    sounds_among_clips,
)
from training.run.data_record import DataRecord, TaskRecord, in_order
from training.run.folder import RunFolder
from training.run.heads import make_heads
from training.run.models import (
    build_classifier,
    check_model,
    compile_classifier,
    freeze,
    require_outputs,
    start_from,
    without_optimizer,
)
from training.run.parent import (
    as_started,
    parent_notes,
    require_parent,
    with_parent,
)
from training.run.short_windows import short_window_note
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS, ClipSet, TaskData
from training.tasks.registry import about, get_tasks, is_official, split_rule


@dataclasses.dataclass(frozen=True)
class _Job:
    """The parts of a run that stay the same during training."""

    config: FitConfig
    run: RunFolder
    heads: tuple[Head, ...]
    splits: dict[str, list[ClipSet]]  # {split: clips of each head}
    data: DataRecord
    task_data: list[TaskData]
    sounds: AugmentationSounds
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


def fit(config, output, resume=False, devices=None, like=None, compare_splits=False):
    """Trains a classifier and writes a run folder.

    The data is loaded and checked before anything is written.

    Args:
        config: `FitConfig` of the run.
        output: Run folder; new, empty, or of an unfinished run, whose files are
            replaced.
        resume: Whether to continue an unfinished run of the same config, if there is
            one, from its last checkpoint. A finished one is left as it is.
        devices: Devices to train on, see `training.fit.devices`; `OneDevice()` by
            default.
        like: Run folder whose data this run's must be, whatever the seed; or None.
        compare_splits: Whether to train the same on a random split as well, into a
            folder in `output`, and to say what both give.

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
        return _fit(config, RunFolder(output), resume, devices, like, compare_splits)


def _fit(config, run, resume, devices, like, compare_splits):
    say = finishing.say if devices.is_first else _say_nothing
    if compare_splits:
        require_other_split(config, get_tasks(config))
    if resume and devices.first_says(run.is_finished(compare_splits)):
        say(f"the run in {run.path} is finished")
        return run.read_metrics() if devices.is_first else None
    if devices.is_first:
        run.require_writable(may_be_finished=resume and compare_splits)
        if resume:
            run.require_config(config)
    goes_on = resume and Checkpoints(run).exist
    if config.from_run and not goes_on:
        require_parent(config)
    require_outside_sounds(config, run.path)
    sounds = AugmentationSounds.read(config, say)
    heads, splits, data, task_data = _open(config, run, say)
    if compare_splits:
        require_groups(get_tasks(config), task_data)
    data = dataclasses.replace(data, mixed_in=sounds.fingerprints())
    data = as_started(data, run) if goes_on else with_parent(data, config)
    lines = sounds_among_clips(data, sounds.files)
    if not goes_on:
        lines += parent_notes(config, get_tasks(config), splits)
        lines += filter(None, [short_window_note(config)])
    for line in lines:
        say(line)
    if like is not None:
        require_same_data(data, RunFolder(like))
    job = _Job(config, run, heads, splits, data, task_data, sounds, devices, say)
    n_clips = {split: job.n_clips(split) for split in SPLITS}
    devices.require_alike("number of clips", n_clips)
    labels = [list(head.labels) for head in heads]
    devices.require_alike("list of classes", labels)
    fingerprints = {split: in_order(splits[split]) for split in SPLITS}
    devices.require_alike(
        "fingerprint of its clips in the order of their names", fingerprints
    )
    devices.require_alike("fingerprint of noise and room responses", data.mixed_in)
    devices.require_alike("run to start from", data.started_from)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(config.seed)
    if goes_on:
        require_unchanged(heads, data, run, say)
    with devices.making():
        model, initial, progress = _start_or_restore(job, goes_on)
    with devices.training():
        _train(job, model, progress)
    devices.leave()
    if not devices.is_first:
        return None
    return _finish(job, initial, progress, compare_splits)


def _open(config, run, say):
    """Heads, {split: clips of each head}, the `DataRecord`, the `TaskData` of each."""
    tasks = get_tasks(config)
    for task in tasks:
        require_outside(task, run.path)
    check_model(config)
    task_data = [_load(task, config, say) for task in tasks]
    heads = tuple(
        dataclasses.replace(head, about=about(task, data))
        for head, task, data in zip(
            make_heads(config.tasks, task_data), tasks, task_data
        )
    )
    check_heads(heads, config)
    records = [
        TaskRecord.of(head, data.splits, data.fingerprint)
        for head, data in zip(heads, task_data)
    ]
    splits = {s: [data.splits[s] for data in task_data] for s in SPLITS}
    return heads, splits, DataRecord(tuple(records)), task_data


def _start_or_restore(job, resume):
    """The compiled model, its frontend's initial weights, and the `Progress`.

    The folder of a run that starts is cleared, and its first files are written.
    """
    config, run, devices = job.config, job.run, job.devices
    model = build_classifier(config, job.heads)
    initial = model.get_layer("frontend").get_weights()
    restored = Checkpoints(run).restore(job.say) if resume else None
    if config.from_run and not restored:
        start_from(model, RunFolder(config.from_run))
    model, progress = restored or (model, Progress())
    devices.require_alike("checkpoint in its --output, step", progress.step)
    if restored:
        require_outputs(model, job.heads, run.last.parent)
    freeze(model, config.freeze)
    if restored:
        if devices.is_first:
            run.remove_halves()
            write_json(run.config, config.to_dict())  # its folder may be another
            run.write_heads(job.heads)  # they may have been edited meanwhile
        epoch, within = divmod(progress.step, job.steps_per_epoch)
        job.say(
            f"going on after step {progress.step}: {epoch} epochs of {config.n_epochs}"
            + (f" and {within} steps of {job.steps_per_epoch}" if within else "")
        )
    else:
        steps = config.n_epochs * job.steps_per_epoch
        job.say(
            f"training: {counted(config.n_epochs, 'epoch')} of "
            f"{counted(job.steps_per_epoch, 'step')}, "
            f"{counted(config.batch_size, 'window')} each"
        )
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
    data = TrainingData(job.splits["train"], job.heads, config, job.sounds)
    with (
        memory_named(config),
        _bar_ended(),
        job.devices.own_folder(job.run.path) as folder,
    ):
        callbacks = _callbacks(job, RunFolder(folder), progress)
        within = progress.step % job.steps_per_epoch
        if within:  # an interrupted epoch ends first
            epochs, steps = len(progress.history) + 1, job.steps_per_epoch - within
            _fit_epochs(job, model, data, progress, callbacks, epochs, steps)
        if len(progress.history) < config.n_epochs and not is_over(progress, config):
            epochs, steps = config.n_epochs, job.steps_per_epoch
            _fit_epochs(job, model, data, progress, callbacks, epochs, steps)
    if is_over(progress, config) and len(progress.history) < config.n_epochs:
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


def _fit_epochs(job, model, data, progress, callbacks, epochs, steps):
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


def _finish(job, initial, progress, compare_splits):
    """Tests the best epoch, writes the files of a finished run, returns the metrics."""
    config, run, heads = job.config, job.run, job.heads
    model = without_optimizer(run.best, heads, config)
    with replacing(run.model) as temporary:
        model.save(temporary)
    if run.data.exists():  # it doesn't, for a run that an older version began
        dataclasses.replace(job.data, files=run.file_marks()).write_summary(run)
    n_clips = {split: job.n_clips(split) for split in SPLITS}
    job.say(
        f"testing the best epoch, {progress.best_epoch}, on {n_clips['test']} clips"
    )
    tests = [evaluator.predict(model) for evaluator in job.evaluators("test")]
    entries = [_scored(job, number, test) for number, test in enumerate(tests)]
    validations = [
        e.predict(model, "calibrating") for e in job.evaluators("validation")
    ]
    decisions = list(map(calibrated, heads, validations))
    run.write_decisions(heads, decisions)
    calibration = add_calibration(heads, tests, entries, decisions)
    scores = {head.task: entry for head, entry in zip(heads, entries)}
    best, seconds = progress.best_epoch, progress.seconds
    frontend = model.get_layer("frontend")
    metrics = {
        **finishing.numbers(model, scores, n_clips, best, seconds),
        **frontend_metrics(frontend, job.splits["test"], config, progress.n_replans),
    }
    if len(heads) > 1:
        metrics["average"] = averaged(entries)
    write_history(progress.history, run.history)
    results = "\n".join(_results(heads, entries))
    job.say(f"{results}; {seconds:.0f} s of training")
    for line in calibration:
        job.say(line)
    if compare_splits:
        _compare_splits(job, metrics["tasks"])
    # This file marks the run as finished. Report and figures come after: whatever
    # happens to them, the model and its numbers are safe.
    write_json(run.metrics, metrics)
    tested = _tested(job, tests, entries)
    write_report(run, config, tested, progress.history, metrics)
    figures.draw_run(
        *(run, config, heads, job.splits, model, initial, progress.history),
        tests,
        entries,
    )
    draw_reliability(run, heads, tests, decisions)
    for note in notes.of_training(tested, progress.history, best, config):
        job.say(notes.as_text(note))
    finishing.say_where(run)
    return metrics


def _scored(job, number, test):
    """A task's entry in `metrics.json`, with the groups of all splits."""
    entry = scored(test, job.heads[number].labels)
    if "n_groups" in entry:
        entry["n_groups"] = {s: job.splits[s][number].n_groups for s in SPLITS}
    return entry


def _compare_splits(job, entries):
    """Trains the same on a random split, and adds what it scores to the entries."""
    config, path = random_config(job.config), job.run.random_split
    job.say(f"now the same on a random split, in {path}")
    with quiet_tracing():  # each run's models are traced anew
        metrics = fit(config, path, True, job.devices, like=job.run.path)
    add_random_split(entries, metrics)
    for task, entry in entries.items():
        if "random_split" in entry:
            where = f"{task}: " if len(entries) > 1 else ""
            job.say(f"{where}{splits_in_words(entry)}")


def _tested(job, tests, entries):
    """The `TestedTask`s of a run."""
    return [
        TestedTask(
            head,
            data.splits,
            test,
            entry,
            split_rule(task, data),
            is_official(task),
            data.notes,
        )
        for head, test, entry, task, data in zip(
            job.heads, tests, entries, get_tasks(job.config), job.task_data
        )
    ]


def _load(task, config, say):
    say(f"reading the clips of {task.name}")
    data = task.load(config.data_dir, config.seed)
    say(in_words(len(data.labels), data.splits))
    return data


def _results(heads, entries):
    """Yields one line a task, with its main scores."""
    for head, entry in zip(heads, entries):
        task = f"{head.task}: " if len(heads) > 1 else ""
        yield f"{task}test {scores_in_words(entry)}"


@contextlib.contextmanager
def _bar_ended():
    """Ends the line of a progress bar that is cut short."""
    try:
        yield
    except BaseException:
        if sys.stdout.isatty():
            print()
        raise


def _say_nothing(line):
    pass


def _verbosity(devices):
    if not devices.is_first:
        return 0
    return 1 if sys.stdout.isatty() else 2
