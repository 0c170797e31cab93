"""The files of a run and their names, written by fit and read by others."""

import re
import shutil

import numpy as np

from leaf_files.arithmetic import ceil_div
from leaf_files.atomic import (
    make_folder,
    writable_folder,
    write_json,
    write_text,
)
from leaf_files.clips import write_clip
from leaf_files.command_line import program
from leaf_files.errors import UserError
from leaf_files.json_files import read_json
from leaf_files.run_folder import (
    RunPaths,
    file_marks,
    notes,
    require_same_labels,
    tasks_json,
    write_clips_table,
)
from training.run.data_checks import is_moved
from training.run.heads import read_heads
from training.settings.config import FitConfig

# Enough to check an export by, in minutes of audio that any disk holds.
_MAX_EVALUATION_CLIPS = 500
# Enough for int8 to measure the ranges of activations, in seconds of work.
_MAX_CALIBRATION_CLIPS = 100
# As `leaf_files.atomic` names a file until it is complete.
_HALF = re.compile(r"\.[0-9a-f]{32}\.\w+")


class RunFolder(RunPaths):
    """A run's files and their paths: checks, reads and writes them."""

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
        mine["index"] = others["index"]  # which nothing hangs on
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
                    f"a folder that `{program('training')} fit` wrote"
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
        return file_marks(self.path)

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
        write_json(self.tasks, tasks_json(heads))
        for head in heads:
            lines = "".join(f"{label}\n" for label in head.labels)
            write_text(self.labels_of(head.name, len(heads)), lines)

    def write_evaluation_clips(self, clip_sets, heads, sample_rate):
        """Keeps clips of the test splits, spread evenly where there are many.

        Args:
            clip_sets: Test `ClipSet` of each head.
            heads: A tuple of `Head`.
            sample_rate: Rate of the clips written, Hz.
        """
        for clip_set, head in zip(clip_sets, heads):
            folder = self.evaluation_clips_of(head.name, len(heads))
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
        rows.append((name, _labels(clip["label"], head)))
    write_clips_table(folder, rows)


def _labels(label, head):
    """The labels of a clip: one, or of a multi-label task any number."""
    if head.multi_label:
        return [head.labels[index] for index in np.flatnonzero(label)]
    return [head.labels[label]]
