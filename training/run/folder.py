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
from leaf_files.decisions import Decisions, decisions_json, read_decisions
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

# Enough to check an export, and few enough for any disk.
_MAX_EVALUATION_CLIPS = 500
# Enough to measure the ranges of activations for int8 within seconds.
_MAX_CALIBRATION_CLIPS = 100
# The names that `leaf_files.atomic` gives to files until they are complete.
_HALF = re.compile(r"\.[0-9a-f]{32}\.\w+")


class RunFolder(RunPaths):
    """A run's files and their paths: checks, reads and writes them.

    >>> run = RunFolder("run")
    >>> run.require_finished()
    >>> [head.labels for head in run.read_heads()]
    [('kick', 'snare')]
    """

    def require_writable(self, may_be_finished=False):
        """Checks that a new run can be written here; writes nothing.

        Args:
            may_be_finished: Whether a finished run may be here, which goes on.

        Raises:
            UserError: The folder can't be written, or holds a finished run, or
                files of something else.
        """
        writable_folder(self.path)
        if self.metrics.exists() and not may_be_finished:
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

    def is_finished(self, with_random_split=False):
        """Whether a finished run lies here.

        Args:
            with_random_split: Whether it has to have its like on a random split, too.
        """
        if not self.metrics.exists() or not with_random_split:
            return self.metrics.exists()
        tasks = self.read_metrics().get("tasks", {}).values()
        return any("random_split" in entry for entry in tasks)

    def require_config(self, config):
        """Checks that the run in this folder, if any, has this config.

        Raises:
            UserError: The run has another config.
        """
        if not self.config.exists():
            return
        received, saved = config.to_dict(), FitConfig.read(self.config).to_dict()
        received["index"] = saved["index"]  # no result depends on it
        if is_moved(saved["task"], received["task"]):
            # Whether the clips are the same is checked later.
            received["task"] = saved["task"]
        different = [
            f"{name} {saved[name]} (received: {received[name]})"
            for name in received
            if received[name] != saved[name]
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
            self.random_split,
        ):
            if folder.exists():
                shutil.rmtree(folder)
        names = ("labels*.txt", "predictions*.csv", "thresholds*.csv")
        of_heads = [file for name in names for file in self.path.glob(name)]
        record = (self.data, self.data_clips, self.decisions)
        others = (self.metrics, self.tasks, self.model, self.history, self.report)
        for file in (*record, *others, *of_heads):
            file.unlink(missing_ok=True)

    def require_finished(self):
        """Checks that the folder holds a finished run.

        Raises:
            UserError: It doesn't.
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
        """Lines about files that changed since training wrote them, a list."""
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

    def read_decisions(self, heads):
        """How each head's probabilities become decisions, a list of `Decisions`.

        Args:
            heads: A tuple of `Head`; one that the file doesn't name, as in runs of
                older versions, decides always, by probabilities as they are.

        Raises:
            UserError: The file is damaged.
        """
        known = read_decisions(self.decisions)
        return [known.get(head.name, Decisions()) for head in heads]

    def write_decisions(self, heads, decisions):
        """Writes the `Decisions` of each head."""
        by_name = {head.name: each for head, each in zip(heads, decisions)}
        write_json(self.decisions, decisions_json(by_name))

    def write_heads(self, heads):
        """Writes the meaning of the model's outputs, for programs and for people."""
        write_json(self.tasks, tasks_json(heads))
        for head in heads:
            lines = "".join(f"{label}\n" for label in head.labels)
            write_text(self.labels_of(head.name, len(heads)), lines)

    def write_evaluation_clips(self, clip_sets, heads, sample_rate):
        """Keeps clips of the test splits; of many, evenly spaced ones.

        Args:
            clip_sets: Test `ClipSet` of each head.
            heads: A tuple of `Head`.
            sample_rate: Rate of the clips written, Hz.
        """
        for clip_set, head in zip(clip_sets, heads):
            folder = self.evaluation_clips_of(head.name, len(heads))
            write_clips(folder, clip_set, head, sample_rate)

    def write_calibration_clips(self, clip_sets, sample_rate, seed):
        """Keeps clips of the training splits; of many, random ones.

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
            n_chosen = min(n_clips, at_most)
            chosen = sorted(random.choice(n_clips, n_chosen, replace=False).tolist())
            clips = clip_set.only(chosen).dataset(sample_rate).as_numpy_iterator()
            for index, clip in zip(chosen, clips):
                path = self.calibration_clips / f"{n_before + index:06d}.flac"
                write_clip(path, clip["waveform"], sample_rate)
            n_before += n_clips


def write_clips(folder, clip_set, head, sample_rate):
    """Writes clips of a `ClipSet` and their labels; of many, evenly spaced ones.

    >>> from training.tasks.registry import get_task
    >>> [head] = RunFolder("run").read_heads()
    >>> clips = get_task("folder:drums").load().splits["test"]
    >>> write_clips(Path("test_clips"), clips, head, sample_rate=8000)
    >>> sorted(path.name for path in Path("test_clips").iterdir())
    ['0000.flac', '0001.flac', 'clips.csv']
    """
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
