"""Adapts a finished run to other conditions: only its PCEN is trained further.

Filters hardly move in training, PCEN does; and PCEN alone, trained on little noisy
data, recovers much of what noise cost (arXiv:2404.06702).
"""

import dataclasses
import math
import shutil
import sys
import time

import keras

from leaf_files.atomic import replacing, write_json
from leaf_files.errors import UserError
from leaf_tf import visualize
from training.evaluation import figures
from training.evaluation.clips import ClipEvaluator
from training.evaluation.notes import TestedTask
from training.evaluation.opening import relabelled, require_known
from training.evaluation.scores import scored
from training.fit.callbacks import score_of, write_history
from training.fit.checks import in_words, memory_named, require_outside
from training.fit.finishing import decided_anew, finish, numbers, say, say_best
from training.input.pipeline import TrainingData
from training.run.data_checks import adapted_record, is_same, news_of, own_clips
from training.run.data_record import TaskRecord
from training.run.folder import RunFolder, write_clips
from training.run.models import compile_classifier, load_classifier
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS
from training.tasks.registry import get_task, is_official
from training.tasks.tfds import TfdsTask


def adapt(run_path, task_name, output, **settings):
    """Trains the compression of a run's frontend on other clips of the same classes.

    All else is frozen, including the moving averages of batch normalisation. The epoch
    that is best on the validation clips is kept, or the model as it was, if none is
    better.

    Args:
        run_path: A finished run folder, whose frontend compresses by PCEN, or by
            something else that is learned.
        task_name: A task whose classes the model knows; it is split by the run's
            seed.
        output: The run folder to write; new, empty, or of an unfinished run. It is a
            run of that task, with the labels of the model; of a model of several
            tasks, the first one that has these classes is replaced by it.
        settings: New values for settings of the run's `FitConfig`, such as `epochs`.

    Returns:
        The metrics, as in `metrics.json`. Beside those of a run, "adaptation" has
        "run", the run that was adapted; "before" and "after", the metrics of test
        clips by task, of the new task and of those of the model whose data is at
        hand; "drift", the numbers of `visualize.Drift` from before to after.

    Raises:
        UserError: No finished run, nothing to adapt in it, data that can't be used or
            that changed since the run was trained on it, a folder that can't be
            written, or training diverged.
    """
    old, new = RunFolder(run_path), RunFolder(output)
    old.require_finished()
    new.require_writable()
    require_outside(get_task(task_name), new.path)
    old_heads, old_config = old.read_heads(), FitConfig.read(old.config)
    model = load_classifier(old.model, old_heads)
    compression = _freeze_all_but_compression(model, old_config)

    settings = {**_forgotten(settings), **settings}
    data_dir = settings.get("data_dir") or old_config.data_dir
    task = get_task(task_name, _config(old_config, old_heads, settings))
    head, clips, data = _open(task_name, task, old_heads, data_dir, old_config.seed)
    for line in [*old.notes(), *news_of(old, task, data, clips)]:
        say(line)
    heads = tuple(head if h.name == head.name else h for h in old_heads)
    config = _config(old_config, heads, settings)
    tests = {task_name: ClipEvaluator(clips["test"], head, config)}
    tests.update(_tests_at_hand(old, old_heads, task, config))
    before = _tested(model, tests, "before")

    new.clear()
    write_json(new.config, config.to_dict())
    new.write_heads(heads)
    _write_clips(old, new, heads, head, clips, config)
    record = adapted_record(old, heads, data)
    record.write(new)
    validation = ClipEvaluator(clips["validation"], head, config)
    saver = _KeepBest(compression, validation, config)
    seconds = _train(model, head, clips["train"], config, saver)
    write_history(saver.history, new.history)
    say_best(saver, "better")

    # In a fresh copy nothing but the compression can differ.
    adapted = load_classifier(old.model, old_heads)
    frontend = adapted.get_layer("frontend")
    original = visualize.untrained(frontend)
    original.set_weights(frontend.get_weights())
    frontend.compressing.set_weights(saver.best)
    with replacing(new.model) as temporary:
        adapted.save(temporary)
    dataclasses.replace(record, files=new.file_marks()).write_summary(new)
    after = _tested(adapted, tests, "after")
    drift = visualize.drift(frontend, original)
    decisions = dict(zip(heads, old.read_decisions(old_heads)))
    predictions = validation.predict(adapted, "calibrating")
    decisions[head] = decided_anew(head, decisions[head], predictions)
    new.write_decisions(heads, [decisions[h] for h in heads])
    tested = [
        TestedTask(
            *(h, clips if h is head else {}, after[h.task]),
            scored(after[h.task], h.labels),
            "as by the run that was adapted, or anew by its seed",
            is_official(get_task(h.task)),
        )
        for h in heads
        if h.task in after
    ]
    scores = {each.head.task: each.scores for each in tested}
    n_clips = {split: clips[split].n_examples for split in SPLITS}
    metrics = numbers(adapted, scores, n_clips, saver.best_epoch, seconds)
    metrics["adaptation"] = {
        "run": str(old.path.resolve()),
        "before": {task: each.metrics for task, each in before.items()},
        "after": {task: each.metrics for task, each in after.items()},
        "drift": dataclasses.asdict(drift),
    }
    say(f"drift: {drift}")
    drawn = {
        "learning_curves": figures.learning_curves(saver.history),
        **visualize.figures(frontend, original),
    }
    kept = [decisions[each.head] for each in tested]
    finish(new, config, tested, kept, metrics, saver.history, drawn)
    return metrics


def _freeze_all_but_compression(model, config):
    """The compression of the frontend, the only layer that still learns."""
    frontend = model.get_layer("frontend")
    for layer in model.layers:
        layer.trainable = layer is frontend
    frontend.freeze(keep_compression=True)
    if frontend.compressing is not None:
        frontend.compressing.trainable = True  # also a PCEN that was fixed so far
    if not model.trainable_weights:
        raise UserError(
            f"the compression of the frontend {config.frontend} learns nothing, so "
            "there is nothing to adapt; train a run with PCEN, such as leaf or mel_pcen"
        )
    return frontend.compressing


def _open(task_name, task, heads, data_dir, seed):
    """The first head that knows a task's classes, as that task's; its clips, by split;
    and its `TaskRecord`. The task's own head comes first.
    """
    say(f"reading the clips of {task_name}")
    data = task.load(data_dir, seed)
    refusals = []
    for head in sorted(heads, key=lambda head: not is_same(task, get_task(head.task))):
        try:
            require_known(task_name, data, head)
        except UserError as error:
            refusals.append(error)
            continue
        clips = {s: relabelled(data.splits[s], data.labels, head) for s in SPLITS}
        say(in_words(len(data.labels), clips))
        head = dataclasses.replace(head, task=task_name)
        return head, clips, TaskRecord.of(head, clips, data.fingerprint)
    raise refusals[0]


def _forgotten(settings):
    """{setting of the old run: None} of those that the given ones replace."""
    together = ("group_pattern", "group_by"), ("folds", "fold")
    return {
        name: None for names in together if {*names} & {*settings} for name in names
    }


def _config(old_config, heads, settings):
    """The config of the adapted run; its clips are as they are, in their own noise."""
    task = ",".join(head.task for head in heads)
    try:
        return dataclasses.replace(
            old_config.without_sounds(),
            **{"task": task, "precision": "float32", **settings},
        )
    except ValueError as error:
        raise UserError(f"cannot adapt to {task}: {error}") from error


def _tests_at_hand(run, heads, new_task, config):
    """{task: `ClipEvaluator` of its test clips} of the tasks learned before.

    Tasks without data here are left out: a model may be adapted far from its data.
    """
    tests = {}
    for head in heads:
        task = get_task(head.task, config)
        if is_same(task, new_task):
            continue

        def load(task=task, head=head):
            data = task.load(config.data_dir, config.seed)
            require_known(head.task, data, head)
            return data

        try:
            if isinstance(task, TfdsTask) and not task.is_ready(config.data_dir):
                raise UserError("its data is missing")
            clips, labels = own_clips(run, task, head, load, say)
        except UserError as error:
            say(f"not tested on {head.task}: {error}")
            continue
        clips = relabelled(clips, labels, head)
        tests[head.task] = ClipEvaluator(clips, head, config)
    return tests


def _tested(model, tests, when):
    """{task: its predictions}, whose scores are printed one by one."""
    predictions_of_task = {}
    for task, evaluator in tests.items():
        predictions = predictions_of_task[task] = evaluator.predict(
            model, f"testing {when}"
        )
        value = predictions.metrics[predictions.judged_by]
        value = "undefined" if value is None else f"{value:.4f}"
        say(
            f"{when}: test {predictions.judged_by} {value}, loss "
            f"{predictions.loss:.4f} on {task}"
        )
    return predictions_of_task


def _write_clips(old, new, heads, head, clips, config):
    """Keeps clips of the new task; for other tasks, those of the old run."""
    for other in heads if len(heads) > 1 else ():
        folder = old.evaluation_clips_of(other.name, len(heads))
        if other.name != head.name and folder.is_dir():
            shutil.copytree(folder, new.evaluation_clips_of(other.name, len(heads)))
    write_clips(
        new.evaluation_clips_of(head.name, len(heads)),
        clips["test"],
        head,
        config.sample_rate,
    )
    new.write_calibration_clips([clips["train"]], config.sample_rate, config.seed)


def _train(model, head, clips, config, saver):
    """Trains the layers that aren't frozen; returns the duration in seconds."""
    outputs = model.output
    if isinstance(outputs, dict):
        model = keras.Model(model.input, outputs[head.name])
    config = dataclasses.replace(config, task=head.task, task_weights=None)
    keras.utils.set_random_seed(config.seed)
    steps = config.steps_in_epoch(clips.n_examples)
    n_steps = config.n_epochs * steps
    compile_classifier(model, (head,), config, n_steps, clips.weighted)
    batches = TrainingData([clips], (head,), config).batches()
    started = time.monotonic()
    with memory_named(config):
        model.fit(
            batches,
            epochs=config.n_epochs,
            steps_per_epoch=steps,
            callbacks=[saver],
            shuffle=False,
            verbose=1 if sys.stdout.isatty() else 2,
        )
    return time.monotonic() - started


class _KeepBest(keras.callbacks.Callback):
    """Keeps the compression's weights of the epoch that validates best.

    Args:
        compression: The layer.
        evaluator: A `ClipEvaluator` of the validation clips.
        config: A `FitConfig`.

    Attributes:
        best: Weights of the layer, as `get_weights`.
        best_epoch: Number of the epoch, from 1; 0 if none is better than the start.
        history: One dict an epoch.
    """

    def __init__(self, compression, evaluator, config):
        super().__init__()
        self._compression = compression
        self._evaluator = evaluator
        self._config = config
        self._score = None
        self.best = compression.get_weights()
        self.best_epoch = 0
        self.history = []

    def on_train_begin(self, logs=None):
        self._score = score_of([self._evaluator.predict(self.model, "validating")])

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        validation = self._evaluator.predict(self.model, "validating")
        if not math.isfinite(logs.get("loss", 0.0) + validation.loss):
            raise UserError(
                f"training diverged in epoch {epoch + 1}; try a lower --learning-rate "
                f"than {self._config.learning_rate:g}"
            )
        metrics = validation.metrics
        metrics.pop("n_examples")
        logs.update({f"val_{name}": value for name, value in metrics.items()})
        self.history.append({"epoch": epoch + 1, **logs})
        score = score_of([validation])
        if score > self._score:
            self._score, self.best_epoch = score, epoch + 1
            self.best = self._compression.get_weights()
