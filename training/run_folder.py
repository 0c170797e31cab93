"""The files of a run and their names: what fit writes and others read."""

import csv
import shutil
from pathlib import Path

import numpy as np

from files.atomic import make_folder, replacing, writable_folder
from files.clips import write_clip
from files.errors import UserError
from training.config import FitConfig

# Enough to check an export by, in minutes of audio that any disk holds.
_MAX_EVALUATION_CLIPS = 500
# What int8 needs to know of the activations' ranges, in seconds of work.
_MAX_CALIBRATION_CLIPS = 100


class RunFolder:
    """Where a run keeps its files.

    Attributes:
        path: The folder; the other attributes are paths in it.
        config: The settings, JSON.
        model: The best model of the run, `.keras`.
        labels: One label a line, in the order of the logits.
        metrics: JSON; its presence says that the run is finished: that the
            model is its best and was tested.
        history: One row an epoch, CSV.
        logs: For TensorBoard.
        best, last: Checkpoints with optimizer state, `.keras`.
        evaluation_clips: Clips of the test split at the model's rate, with
            `clips.csv`; exports are checked on them.
        calibration_clips: Clips of the training split at the model's rate;
            int8 exports take the ranges of their activations from them.
        figures: PNG files.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.config = self.path / "config.json"
        self.model = self.path / "model.keras"
        self.labels = self.path / "labels.txt"
        self.metrics = self.path / "metrics.json"
        self.history = self.path / "history.csv"
        self.logs = self.path / "logs"
        self.best = self.path / "checkpoints" / "best.keras"
        self.last = self.path / "checkpoints" / "last.keras"
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

    def clear(self):
        """Removes what an unfinished run left, and nothing else."""
        for folder in (
            self.logs,
            self.best.parent,
            self.evaluation_clips,
            self.calibration_clips,
            self.figures,
        ):
            if folder.exists():
                shutil.rmtree(folder)
        for file in (self.labels, self.model, self.history):
            file.unlink(missing_ok=True)

    def require_finished(self):
        """Checks that a finished run lies here.

        Raises:
            UserError: There is none.
        """
        for path in (self.config, self.labels, self.model):
            if not path.is_file():
                raise UserError(
                    f"{self.path} holds no finished run: {path.name} is missing; name "
                    "a folder that `python -m training fit` wrote"
                )

    def read_labels(self):
        """The labels, in the order of the logits.

        Raises:
            UserError: The file is no text.
        """
        try:
            return self.labels.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise UserError(
                f"cannot read the labels in {self.labels}: {error}; name a folder "
                "that `python -m training fit` wrote"
            ) from error

    def write_evaluation_clips(self, clip_set, labels, sample_rate):
        """Keeps clips of the test split, spread evenly where there are many."""
        make_folder(self.evaluation_clips)
        step = max(1, -(-clip_set.n_examples // _MAX_EVALUATION_CLIPS))
        rows = []
        clips = clip_set.dataset(sample_rate).shard(step, 0)
        for index, clip in enumerate(clips.as_numpy_iterator()):
            name = f"{index:04d}.flac"
            write_clip(self.evaluation_clips / name, clip["waveform"], sample_rate)
            rows.append((name, labels[clip["label"]]))
        with (
            replacing(self.evaluation_clips / "clips.csv") as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            csv.writer(file).writerows([("file", "label"), *rows])

    def write_calibration_clips(self, clip_set, sample_rate, seed):
        """Keeps clips of the training split, at random where there are many.

        Args:
            clip_set: A `ClipSet`.
            sample_rate: In Hz.
            seed: An int; chooses the clips.
        """
        make_folder(self.calibration_clips)
        kept = min(clip_set.n_examples, _MAX_CALIBRATION_CLIPS)
        random = np.random.default_rng(seed)
        chosen = set(random.choice(clip_set.n_examples, kept, replace=False).tolist())
        clips = clip_set.dataset(sample_rate).take(1 + max(chosen))
        for index, clip in enumerate(clips.as_numpy_iterator()):
            if index in chosen:
                path = self.calibration_clips / f"{index:06d}.flac"
                write_clip(path, clip["waveform"], sample_rate)
