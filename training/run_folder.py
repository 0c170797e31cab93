"""The files of a run and their names: what fit writes and others read."""

import csv
import re
import shutil
from pathlib import Path

import numpy as np

from files.arithmetic import ceil_div
from files.atomic import (
    make_folder,
    replacing,
    writable_folder,
    write_json,
    write_text,
)
from files.clips import write_clip
from files.errors import UserError
from files.json_files import read_json
from files.run_files import digest_of, notes, require_same_labels
from training.config import FitConfig
from training.data_checks import is_moved
from training.heads import read_heads

# Enough to check an export by, in minutes of audio that any disk holds.
_MAX_EVALUATION_CLIPS = 500
# What int8 needs to know of the activations' ranges, in seconds of work.
_MAX_CALIBRATION_CLIPS = 100
# As `files.atomic` names a file until it is complete.
_HALF = re.compile(r"\.[0-9a-f]{32}\.\w+")


class RunFolder:
    """Where a run keeps its files.

    Attributes:
        path: The folder; the other attributes are paths in it.
        config: The settings, JSON.
        model: The best model of the run, `.keras`.
        tasks: JSON; the task, labels and activation of each head.
        labels: Of a run of one task: one label a line, in the order of the logits.
        data: JSON; what the run was trained on, a `training.data_record.DataRecord`:
            of each task the labels, and of each split the number and a fingerprint of
            its clips; and fingerprints of `model` and `evaluation_clips`, by which it
            is seen that they are this run's. Runs of older versions have none.
        data_clips: Its clips where their sounds are known, those of folders: one row
            a clip, CSV: head, split, label, sound (16 hexadecimal digits of a hash of
            the decoded samples and their rate), file. Some 60 bytes a clip.
        metrics: JSON; its presence says that the run is finished: that the
            model is its best and was tested.
        history: One row an epoch, CSV.
        logs: For TensorBoard.
        best, last, previous: Checkpoints, see `Checkpoints`.
        evaluation_clips: Clips of the test split at the model's rate, with
            `clips.csv`; exports are checked on them. Of a run of several tasks, a
            folder of such for each head.
        calibration_clips: Clips of the training split at the model's rate;
            int8 exports take the ranges of their activations from them.
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
        """Removes what an unfinished run left, and nothing else."""
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
        """A line for each file that isn't as training wrote it, a list."""
        return [f"note: {line}" for line in notes(self.path)]

    def file_marks(self):
        """{name: fingerprint} of the files that `notes` is about."""
        marks = {p.name: digest_of(p) for p in (self.model, self.evaluation_clips)}
        return {name: mark for name, mark in marks.items() if mark}

    def read_metrics(self):
        """What the run's metrics file holds.

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
        """Says what the model's outputs mean: for programs, and for people."""
        write_json(self.tasks, {"tasks": [head.to_dict() for head in heads]})
        for head in heads:
            path = self.labels
            if len(heads) > 1:
                path = self.path / f"labels_{head.name}.txt"
            write_text(path, "".join(f"{label}\n" for label in head.labels))

    def write_evaluation_clips(self, clip_sets, heads, sample_rate):
        """Keeps clips of the test splits, spread evenly where there are many.

        Args:
            clip_sets: The test `ClipSet` of each head.
            heads: A tuple of `Head`.
            sample_rate: In Hz.
        """
        for clip_set, head in zip(clip_sets, heads):
            folder = self.evaluation_clips
            if len(heads) > 1:
                folder = folder / head.name
            write_clips(folder, clip_set, head, sample_rate)

    def write_calibration_clips(self, clip_sets, sample_rate, seed):
        """Keeps clips of the training splits, at random where there are many.

        Args:
            clip_sets: The training `ClipSet` of each head.
            sample_rate: In Hz.
            seed: An int; chooses the clips.
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
