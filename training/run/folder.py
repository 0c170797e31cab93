"""The files of a run and their names, written by fit and read by others."""

import csv
import re
import shutil
from pathlib import Path

import numpy as np

from leaf_files.arithmetic import ceil_div
from leaf_files.atomic import (
    make_folder,
    replacing,
    writable_folder,
    write_json,
    write_text,
)
from leaf_files.clips import write_clip
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.run_files import digest_of, notes, require_same_labels
from training.run.data_checks import is_moved
from training.run.heads import read_heads
from training.settings.config import FitConfig

# Enough to check an export by, in minutes of audio that any disk holds.
_MAX_EVALUATION_CLIPS = 500
# Enough for int8 to measure the ranges of activations, in seconds of work.
_MAX_CALIBRATION_CLIPS = 100
# As `leaf_files.atomic` names a file until it is complete.
_HALF = re.compile(r"\.[0-9a-f]{32}\.\w+")


class RunFolder:
    """The paths of a run's files.

    Attributes:
        path: Folder of the run; the other attributes are paths in it.
        config: Settings, JSON.
        model: Best model of the run, `.keras`.
        tasks: Task, labels and activation of each head, JSON.
        labels: Labels of a run of one task, one a line, in the order of the logits.
        data: Record of the training data, a `run.data_record.DataRecord`, JSON:
            for each task the labels, and for each split the number and a fingerprint
            of its clips; also fingerprints of `model` and `evaluation_clips`, which
            show that they are this run's. Runs of older versions have none.
        data_clips: Clips of that record whose sounds are known, those of folders, CSV,
            one row a clip: head, split, label, sound (16 hexadecimal digits of a hash
            of the decoded samples and their rate), file. Some 60 bytes a clip.
        metrics: Metrics, JSON; the file exists once the run is finished, that is, once
            its best model was tested.
        history: Learning curves, CSV, one row an epoch.
        logs: Logs of TensorBoard.
        best, last, previous: Checkpoints, see `Checkpoints`.
        evaluation_clips: Clips of the test split at the model's rate, with
            `clips.csv`, on which exports are checked. A run of several tasks has such
            a folder for each head.
        calibration_clips: Clips of the training split at the model's rate, from which
            int8 exports take the ranges of their activations.
        figures: PNG files.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.model = self.path / "model.keras"
        self.tasks = self.path / "tasks.json"
        self.labels = self.path / "labels.txt"
        self.data = self.path / "data.json"
        self.data_clips = self.path / "data.csv"
        self.metrics = self.path / "metrics.json"
        self.history = self.path / "history.csv"
        self.logs = self.path / "logs"
        self.best = self.path / "checkpoints" / "best.keras"
        self.last = self.path / "checkpoints" / "last.keras"
        self.previous = self.path / "checkpoints" / "previous.keras"
        self.evaluation_clips = self.path / "evaluation_clips"
        self.calibration_clips = self.path / "calibration_clips"
        self.figures = self.path / "figures"

    def require_writable(self):
        """Checks that a new run can be written here; writes nothing.

        Raises:
            UserError: It can't be written, or holds a finished run or files
                that are no run's.
        """
        writable_folder(self.path)
        if self.metrics.exists():
            raise UserError(
                f"{self.path} holds a finished run already; name another --output, "
                "or remove it"
            )
        if self.path.exists() and any(self.path.iterdir()):
            try:
                FitConfig.read(self.config)
            except UserError:
                raise UserError(
                    f"{self.path} holds files that are no run's; name a new folder as "
                    "--output"
                ) from None

    def require_config(self, config):
        """Checks that a run that is here is of this config.

        Raises:
            UserError: It is of another.
        """
        if not self.config.exists():
            return
        mine, others = config.to_dict(), FitConfig.read(self.config).to_dict()
        if is_moved(others["task"], mine["task"]):
            mine["task"] = others["task"]  # whether the clips are, is checked later
        different = [
            f"{name} {others[name]} (received: {mine[name]})"
            for name in mine
            if mine[name] != others[name]
        ]
        if different:
            raise UserError(
                f"the run in {self.path} was started with {', '.join(different)}; go "
                "on with its own settings, or name another --output"
            )

    def remove_halves(self):
        """Removes files that a killed run had begun to write."""
        for folder in (self.path, self.best.parent):
            for path in folder.glob(".*"):
                if _HALF.fullmatch(path.name):
                    path.unlink()

    def clear(self):
        """Removes the files of an unfinished run, and nothing else."""
        self.remove_halves()
        for folder in (
            self.logs,
            self.best.parent,
            self.evaluation_clips,
            self.calibration_clips,
            self.figures,
        ):
            if folder.exists():
                shutil.rmtree(folder)
        labels = self.path.glob("labels*.txt")
        record = (self.data, self.data_clips)
        for file in (*record, self.tasks, self.model, self.history, *labels):
            file.unlink(missing_ok=True)

    def require_finished(self):
        """Checks that a finished run lies here.

        Raises:
            UserError: There is none.
        """
        for path in (self.config, self.tasks, self.model):
            if not path.is_file():
                raise UserError(
                    f"{self.path} holds no finished run: {path.name} is missing; name "
                    "a folder that `python -m training fit` wrote"
                )

    def read_heads(self):
        """The heads of the model, a tuple of `Head`.

        Raises:
            UserError: The file is damaged, or other files of the run give other labels.
        """
        heads = read_heads(self.tasks)
        require_same_labels(self.path)
        return heads

    def notes(self):
        """Lines about files that aren't as training wrote them, a list."""
        return [f"note: {line}" for line in notes(self.path)]

    def file_marks(self):
        """{name: fingerprint} of the files that `notes` compares."""
        marks = {p.name: digest_of(p) for p in (self.model, self.evaluation_clips)}
        return {name: mark for name, mark in marks.items() if mark}

    def read_metrics(self):
        """The content of the run's metrics file.

        Raises:
            UserError: The file is damaged.
        """
        try:
            return read_json(self.metrics)
        except ValueError as error:
            raise UserError(
                f"cannot read the metrics in {self.metrics}: {error}"
            ) from error

    def write_heads(self, heads):
        """Writes the meaning of the model's outputs, for programs and for people."""
        write_json(self.tasks, {"tasks": [head.to_dict() for head in heads]})
        for head in heads:
            path = self.labels
            if len(heads) > 1:
                path = self.path / f"labels_{head.name}.txt"
            write_text(path, "".join(f"{label}\n" for label in head.labels))

    def write_evaluation_clips(self, clip_sets, heads, sample_rate):
        """Keeps clips of the test splits, spread evenly where there are many.

        Args:
            clip_sets: Test `ClipSet` of each head.
            heads: A tuple of `Head`.
            sample_rate: Rate of the clips written, Hz.
        """
        for clip_set, head in zip(clip_sets, heads):
            folder = self.evaluation_clips
            if len(heads) > 1:
                folder = folder / head.name
            write_clips(folder, clip_set, head, sample_rate)

    def write_calibration_clips(self, clip_sets, sample_rate, seed):
        """Keeps clips of the training splits, at random where there are many.

        Args:
            clip_sets: Training `ClipSet` of each head.
            sample_rate: Rate of the clips written, Hz.
            seed: Seed of the choice of clips, an int.
        """
        make_folder(self.calibration_clips)
        random = np.random.default_rng(seed)
        at_most = ceil_div(_MAX_CALIBRATION_CLIPS, len(clip_sets))
        n_before = 0
        for clip_set in clip_sets:
            n_clips = clip_set.n_examples
            kept = min(n_clips, at_most)
            chosen = sorted(random.choice(n_clips, kept, replace=False).tolist())
            clips = clip_set.only(chosen).dataset(sample_rate).as_numpy_iterator()
            for index, clip in zip(chosen, clips):
                path = self.calibration_clips / f"{n_before + index:06d}.flac"
                write_clip(path, clip["waveform"], sample_rate)
            n_before += n_clips


def write_clips(folder, clip_set, head, sample_rate):
    """Writes clips of a `ClipSet` and their labels, spread evenly where many."""
    make_folder(folder)
    step = max(1, ceil_div(clip_set.n_examples, _MAX_EVALUATION_CLIPS))
    rows = []
    clips = clip_set.only(range(0, clip_set.n_examples, step)).dataset(sample_rate)
    for index, clip in enumerate(clips.as_numpy_iterator()):
        name = f"{index:04d}.flac"
        write_clip(folder / name, clip["waveform"], sample_rate)
        rows.append((name, _label_field(clip["label"], head)))
    with (
        replacing(folder / "clips.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file).writerows([("file", "label"), *rows])


def _label_field(label, head):
    """A clip's label; of a multi-label task all of them, joined by "|"."""
    if head.multi_label:
        return "|".join(head.labels[index] for index in np.flatnonzero(label))
    return head.labels[label]
