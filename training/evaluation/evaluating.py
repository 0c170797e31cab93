"""Evaluates a finished run, on its own test split or on other clips."""

import dataclasses
import functools
import sys
from collections.abc import Mapping

from leaf_files.decisions import Decisions
from leaf_files.run_folder import Head
from training.decisions.calibration import calibration_entry
from training.decisions.unknown import unknown_entry
from training.evaluation.clips import (
    ClipEvaluator,
    ClipPredictions,
    MultiLabelPredictions,
    averaged,
)
from training.evaluation.opening import OpenRun
from training.evaluation.scores import scored
from training.evaluation.unknown import find_unknown, predict_unknown


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The predictions of a model for one task's clips.

    Attributes:
        task: Name of the task.
        head: `Head` of the model that made the predictions.
        predictions: `ClipPredictions` or `MultiLabelPredictions`.
        decisions: `Decisions` of the head.
        unknown: {folder: predictions for its clips of what the model doesn't know}.

    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> predictions = ClipPredictions(np.array([[2.0, 0.0]]), np.array([0]))
    >>> Evaluation("drums", head, predictions).predictions.accuracy
    1.0
    """

    task: str
    head: Head
    predictions: ClipPredictions | MultiLabelPredictions
    decisions: Decisions = dataclasses.field(default_factory=Decisions)
    unknown: Mapping[str, ClipPredictions | MultiLabelPredictions] = dataclasses.field(
        default_factory=dict
    )

    @functools.cached_property
    def scores(self):
        """The task's entry in `metrics.json`, see `training.evaluation.scores`."""
        entry = scored(self.predictions, self.head.labels)
        calibration = calibration_entry(self.predictions, self.decisions.temperature)
        entry = {**entry, "calibration": calibration}
        if self.unknown:
            entry["unknown"] = {
                folder: unknown_entry(
                    self.predictions, of_folder, self.head, self.decisions
                )
                for folder, of_folder in self.unknown.items()
            }
        return entry


def as_metrics(evaluations):
    """The content of `metrics.json`, {"tasks": ..., "average": ...}.

    >>> head = Head("drums", "drums", ("kick", "snare"), "softmax")
    >>> predictions = ClipPredictions(np.array([[0.0, 0.0]]), np.array([0]))
    >>> as_metrics([Evaluation("drums", head, predictions)])["tasks"]["drums"]
    {'accuracy': 1.0, 'loss': 0.693..., 'n_examples': 1, ...}
    """
    metrics = [evaluation.scores for evaluation in evaluations]
    content = {"tasks": {e.task: m for e, m in zip(evaluations, metrics)}}
    if len(metrics) > 1:
        content["average"] = averaged(metrics)
    return content


def evaluate(
    run_path,
    task_name=None,
    data_dir=None,
    noise=None,
    skip_bad_clips=False,
    exactly=False,
    index=None,
    unknown=(),
):
    """Evaluates the model of a run on whole clips.

    Args:
        run_path: A finished run folder.
        task_name: Name of a task whose labels the model knows; None for all tasks of
            the run. The clips are those of the test split; of another folder all,
            unless it is the run's own folder, moved. Of a folder that has changed they
            are the clips of the run's test split that are still there, by their sound.
        data_dir: Folder where TFDS keeps its data; defaults to the run's.
        noise: `training.evaluation.noise.Noise` to add to the clips, or None.
        skip_bad_clips: Whether clips that can't be read are named and left out, as by
            default for a run that was trained so.
        exactly: Whether to refuse a run whose own data changed in any way.
        index: Use of the index of clips, see `FitConfig`; defaults to the run's.
        unknown: Folders of clips of what the model doesn't know, at any depth.

    Returns:
        A list of `Evaluation`, one a task.

    Raises:
        UserError: No finished run, or data that can't be used: no clip of the run's
            test split is left, or its clips can't be known.

    >>> [evaluation] = evaluate("run")
    >>> evaluation.task, evaluation.predictions.logits.shape
    ('folder:drums', (2, 2))
    """
    opened = OpenRun.open(run_path, data_dir, skip_bad_clips, index)
    paths_of = find_unknown(unknown)
    wanted = opened.clips(task_name, exactly=exactly)
    model = opened.load_model()
    evaluations = []
    heads = [head for _, head, _ in wanted]
    unknown_of = {}
    for folder, paths in paths_of.items():
        print(f"evaluating on {len(paths)} unknown clips of {folder}", file=sys.stderr)
        unknown_of[folder] = predict_unknown(opened, model, heads, paths, noise)
    for name, head, clips in wanted:
        in_noise = ""
        if noise is not None:
            clips, in_noise = noise.added_to(clips), f" in {noise}"
        print(
            f"evaluating on {clips.n_examples} clips of {name}{in_noise}",
            file=sys.stderr,
        )
        with opened.running():
            predictions = ClipEvaluator(clips, head, opened.config).predict(model)
        others = {folder: of_heads[head] for folder, of_heads in unknown_of.items()}
        evaluations.append(
            Evaluation(name, head, predictions, opened.decisions[head], others)
        )
    return evaluations
