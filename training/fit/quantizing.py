"""Trains a finished run to bear int8: quantisation-aware training."""

import dataclasses
import time

import numpy as np

from leaf_files.atomic import replacing, write_json
from leaf_files.command_line import counted
from leaf_files.errors import UserError
from training.evaluation.clips import ClipEvaluator
from training.evaluation.notes import TestedTask
from training.evaluation.opening import relabelled, require_known
from training.evaluation.scores import scored
from training.fit.callbacks import write_history
from training.fit.checks import in_words, require_outside
from training.fit.finishing import decided_anew, finish, numbers, say, say_best
from training.fit.rounding import KeepClosest, Rounding, difference
from training.input.pipeline import TrainingData
from training.run.data_checks import adapted_record
from training.run.data_record import DataRecord, OtherDataError, TaskRecord, changes
from training.run.folder import RunFolder
from training.run.models import load_classifier
from training.settings.config import FitConfig
from training.tasks.clip_sets import SPLITS
from training.tasks.registry import get_task, is_official, split_rule


def quantize(run_path, output, weight_bits=8, **settings):
    """Trains encoder and head of a run on its own clips, rounded as in an int8 file.

    They learn to give the logits of the run as it is, see `Rounding`; the frontend
    stays. The epoch whose rounded logits are closest to these on the validation clips
    is kept, or the model as it was, if none is closer. What is written is a run like
    any other, of a float model.

    Args:
        run_path: A finished run folder of one task, whose encoder is a chain of
            layers.
        output: The run folder to write; new, empty, or of an unfinished run.
        weight_bits: Bits of the weights to bear, 8 as in `model_int8.tflite` or 4 as
            in `model_int4.tflite`; values have 8.
        settings: New values for settings of the run's `FitConfig`, such as `epochs`.

    Returns:
        The metrics, as in `metrics.json`. Beside those of a run, "quantization" has
        "run", the old run, and "weight_bits"; "original", the metrics of its model on
        the test clips; "before" and "after", the metrics of that model and of the new
        one, rounded, with "difference" and "answered_otherwise", how far they are from
        "original".

    Raises:
        UserError: No finished run, several tasks, an encoder of another kind, data
            that can't be used or changed, a folder that can't be written, or training
            diverged.
    """
    old, new = RunFolder(run_path), RunFolder(output)
    old.require_finished()
    new.require_writable()
    head = _only_head(old)
    config = _config(FitConfig.read(old.config), settings)
    task = get_task(head.task, config)
    require_outside(task, new.path)
    original, model = (load_classifier(old.model, (head,)) for _ in range(2))
    rounding = Rounding(model, original, weight_bits)
    data, clips, record = _open(old, task, head, config)
    batches = TrainingData([clips["train"]], (head,), config).batches()
    test = ClipEvaluator(clips["test"], head, config)
    validation = ClipEvaluator(clips["validation"], head, config)
    exact = test.predict(original, "testing")
    saver = KeepClosest(rounding, validation, validation.predict(original))

    new.clear()
    write_json(new.config, config.to_dict())
    new.write_heads((head,))
    new.write_evaluation_clips([clips["test"]], (head,), config.sample_rate)
    new.write_calibration_clips([clips["train"]], config.sample_rate, config.seed)
    record.write(new)
    rounding.follow(batches)
    before = _compared(test.predict(rounding.model, "testing before"), exact)
    say(f"before: weights of {weight_bits} bits, {_in_words(before)}")
    started = time.monotonic()
    rounding.train(
        batches, config, config.steps_in_epoch(clips["train"].n_examples), saver
    )
    seconds = time.monotonic() - started
    write_history(saver.history, new.history)
    say_best(saver, "closer")
    after = _compared(test.predict(rounding.model, "testing after"), exact)
    say(f"after: weights of {weight_bits} bits, {_in_words(after)}")

    with replacing(new.model) as temporary:
        model.save(temporary)
    dataclasses.replace(record, files=new.file_marks()).write_summary(new)
    [decisions] = old.read_decisions((head,))
    if saver.best_epoch:
        predictions = validation.predict(model, "calibrating")
        decisions = decided_anew(head, decisions, predictions)
    new.write_decisions((head,), [decisions])
    predictions = test.predict(model, "testing")
    tested = TestedTask(
        *(head, clips, predictions, scored(predictions, head.labels)),
        *(split_rule(task, data), is_official(task), data.notes),
    )
    scores = {head.task: tested.scores}
    n_clips = {split: clips[split].n_examples for split in SPLITS}
    metrics = numbers(model, scores, n_clips, saver.best_epoch, seconds)
    metrics["quantization"] = {
        "run": str(old.path.resolve()),
        "weight_bits": weight_bits,
        "original": exact.metrics,
        "before": before,
        "after": after,
    }
    finish(new, config, [tested], [decisions], metrics, saver.history, {})
    return metrics


def _only_head(run):
    heads = run.read_heads()
    if len(heads) > 1:
        raise UserError(
            f"the run in {run.path} has {len(heads)} heads "
            f"({', '.join(head.name for head in heads)}): runs of one task can be "
            "trained to bear rounding"
        )
    return heads[0]


def _config(config, settings):
    """The config of the new run: the old one's, in float32, without sounds mixed in."""
    try:
        return dataclasses.replace(
            config.without_sounds(), **{"precision": "float32", **settings}
        )
    except ValueError as error:
        raise UserError(f"cannot use the settings: {error}") from error


def _open(run, task, head, config):
    """The data of a run: its `TaskData`, {split: `ClipSet`} by the head's labels, and
    the `DataRecord` of the new run.

    Raises:
        OtherDataError: It changed: clips trained on might be among those that test.
    """
    say(f"reading the clips of {head.task}")
    data = task.load(config.data_dir, config.seed)
    require_known(head.task, data, head)
    clips = {s: relabelled(data.splits[s], data.labels, head) for s in SPLITS}
    say(in_words(len(data.labels), clips))
    now = TaskRecord.of(head, clips, data.fingerprint)
    record = DataRecord.read(run)
    then = record and record.of_head(head.name)
    changed = changes(then, now) if then else ""
    if changed:
        raise OtherDataError(
            f"the data of {head.task} changed since {run.path} was trained on it: "
            f"{changed}; clips that it was trained on would test it: bring the data "
            "back as it was"
        )
    for line in run.notes():
        say(line)
    started_from = {"run": str(run.path), "model": run.file_marks()[run.model.name]}
    record = adapted_record(run, (head,), now)
    return data, clips, dataclasses.replace(record, started_from=started_from)


def _compared(rounded, exact):
    """Metrics of rounded predictions, and how far they are from those of the model."""
    return {
        **rounded.metrics,
        "difference": difference(rounded, exact),
        "answered_otherwise": int(np.any(rounded.chosen != exact.chosen, axis=1).sum()),
    }


def _in_words(compared):
    """Such metrics in a line."""
    name = next(iter(compared))
    value = compared[name]
    return (
        f"test {name} "
        f"{'undefined' if value is None else f'{value:.4f}'}; of "
        f"{counted(compared['n_examples'], 'clip')} "
        f"{compared['answered_otherwise']} answered otherwise than unrounded, logits "
        f"off by {compared['difference']:.3f}"
    )
